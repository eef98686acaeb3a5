"""What a real gateway gave as values, held against what its meters sent.

A gateway that decodes gives names and values, and no telegram to find them by. What it gives of a meter is true where
all values that are known by name are those of one telegram that this meter had sent by then and that a gateway
received. The newest is looked at first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sim.meters.expected_records import stated
from sim.portal.store import fingerprint
from sim.readers.value_names import Compared, compared
from wmbus.as_json import json_value

if TYPE_CHECKING:
    from sim.gateway.port import GatewayPort
    from sim.meters.fleet import Fleet
    from sim.truth.ground_truth import Truth


@dataclass(slots=True)
class Judged:
    """Deliveries of values: `true`; `unnamed`, in which no name is known; `wrong`, a sentence each."""

    true: int = 0
    unnamed: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def all(self) -> int:
        """How many deliveries there were."""
        return self.true + self.unnamed + len(self.wrong)


def judged(truth: Truth, gateway: GatewayPort) -> Judged:
    """Of all that this gateway gave. For small worlds: each is looked for among its meter's telegrams."""
    found = Judged()
    if (first := next(told := gateway.given(), None)) is None:
        return found
    fleet = truth.world.fleet
    of: defaultdict[str, list[int]] = defaultdict(list)  # two makers' meters may have one number
    for meter in range(fleet.n):
        of[fleet.address(meter).id].append(meter)
    sent = truth.begun()
    made: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for at_ns, number, values in chain([first], told):
        worst: Compared | None = None
        known = False
        for meter, k in _candidates(of.get(number, []), sent, at_ns):
            true = made.get((meter, k))
            if true is None:
                true = made[meter, k] = _stated(fleet, meter, k)
            seen = compared(values, true, fleet.kind(meter).id, gateway.names, gateway.means)
            known = known or bool(seen.agree or seen.differ or seen.invented)
            if seen.agree and not seen.differ and not seen.invented:
                found.true += 1
                break
            worst = worst or seen
        else:
            if worst is None:
                found.wrong.append(f"values of meter {ascii(number)[:20]}, of which no telegram was received by then")
            elif known:
                why = str(worst.differ[0]) if worst.differ else f"{worst.invented[0]} came, and the meter has none"
                found.wrong.append(f"meter {number}: {why}")
            else:
                found.unnamed += 1
    return found


def _candidates(meters: list[int], sent: Mapping[int, list[tuple[int, int]]], at_ns: int) -> list[tuple[int, int]]:
    """(meter, k) of what these had begun by then, newest first."""
    came = {meter: sent[meter] for meter in meters if meter in sent}
    every = [
        (start_ns, meter, k)
        for meter, own in came.items()
        for start_ns, k in own[: bisect_right(own, at_ns, key=itemgetter(0))]
    ]
    return [(meter, k) for _, meter, k in sorted(every, reverse=True)]


def _stated(fleet: Fleet, meter: int, k: int) -> list[dict[str, Any]]:
    """As in `frame sample`."""
    rows = stated(fleet.kind(meter), fleet.truth(meter, k).values)
    return [{"name": one.slot.label, "unit": one.chain.unit, "value": json_value(value)} for one, value in rows]


def given_again(truth: Truth, gateway: GatewayPort, telegram: bytes, since_ns: int) -> bool:
    """Whether it gave, after an instant, what this telegram of a meter says, when the meter had already sent something
    newer that says otherwise: an old value as the newest. Raises LookupError where no meter sent it."""
    old = truth.known(fingerprint(telegram))
    if old is None:
        raise LookupError("no meter sent this telegram")
    fleet = truth.world.fleet
    number, kind = fleet.address(old.meter).id, fleet.kind(old.meter).id
    sent = [(one.start_ns, one.k) for one in truth.sent(meter=old.meter)]

    def says(values: Mapping[str, object], k: int) -> bool:
        seen = compared(values, _stated(fleet, old.meter, k), kind, gateway.names, gateway.means)
        return bool(seen.agree) and not seen.differ and not seen.invented

    for at_ns, meter, values in gateway.given():
        if meter == number and at_ns > since_ns:
            newest = max((k for start_ns, k in sent if start_ns < at_ns), default=old.k)
            if newest > old.k and says(values, old.k) and not says(values, newest):
                return True
    return False
