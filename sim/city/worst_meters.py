"""Why the worst meters of a city are not heard: their telegrams played again, with the fate of each at every gateway.

They, and everyone that a gateway in their reach can hear, are a shard of their own; what is drawn goes by the world's
numbers, so the fates are those of the run to the last telegram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.city.per_meter import Bad
from sim.city.plan import CityPlan
from sim.city.shard import Shard
from sim.core.events import Fate
from sim.site_plan import gateway_ids, site_of


def why(plan: CityPlan, worst: Sequence[Bad]) -> list[dict[str, Any]]:
    """A row for each of these meters, in their order: where it is, what was heard of it, what became of its telegrams
    at the gateways in its reach, and in words what cost most."""
    if not worst:
        return []
    numbers = np.sort(np.array([one.meter for one in worst], dtype=np.int64))
    shard = Shard.of_meters(plan, numbers)
    row_of = np.searchsorted(shard.names, numbers)
    fates = np.zeros((len(numbers), len(shard.receivers), len(Fate)), dtype=np.int64)
    sent = np.zeros(len(numbers), dtype=np.int64)
    of_row = np.full(shard.fleet.n + 1, -1, dtype=np.int64)
    of_row[row_of] = np.arange(len(numbers))
    for until_ns in plan.windows():
        flown = shard.fly(until_ns, detail=True, only=None)
        sent += np.diff(flown.frames.first)[row_of]
        batch = flown.result.batch
        assert batch is not None
        mine = of_row[batch.source]
        at = np.flatnonzero(mine >= 0)
        np.add.at(fates, (mine[at], batch.receiver[at], batch.fate[at]), 1)
    names, place = gateway_ids(plan.spec), site_of(plan.spec, only=numbers, gateways=0)
    groups = np.searchsorted(np.cumsum([group.count for group in plan.spec.fleet]), numbers, side="right")
    told = {}
    for index, number in enumerate(numbers.tolist()):
        own = fates[index]
        near = np.argsort(-own.sum(axis=1), kind="stable")
        told[number] = {
            "meter": number, "group": plan.spec.fleet[int(groups[index])].name,
            "house": int(place.house[index]), "floor": int(place.floor[index]), "sent": int(sent[index]),
            "fates": {fate.label: int(own[:, fate].sum()) for fate in Fate if own[:, fate].any()},
            "gateways": [names[int(shard.receivers[at])] for at in near.tolist() if own[at].any()],
            "why": reason(own.sum(axis=0).tolist()),
        }  # fmt: skip
    return [{**told[one.meter], "days_missed": one.days_missed, "heard": one.heard, "share": one.share}
            for one in worst]  # fmt: skip


def reason(counts: Sequence[int]) -> str:
    """In words, from fates at all gateways in reach together."""
    lost = {fate: counts[fate] for fate in Fate if fate != Fate.RECEIVED and counts[fate]}
    if not sum(counts):
        return "no gateway is in its reach"
    if not lost:
        return "nothing of it was lost"
    most = max(lost, key=lambda fate: lost[fate])
    return f"{most.label}: {lost[most]} of {sum(counts)} at the gateways in its reach"
