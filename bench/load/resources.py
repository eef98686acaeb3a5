"""Which resource was full in a trial, and which would be the next: shares of what each can give, from measured
processor time, from what the portal waited for, from refusals, from how much a gateway may have in flight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.load.processes import Used
from sim.gateway.in_flight import WINDOW

FULL: Final = 0.9
_CORES: Final = {
    "broker": "the broker's core: Mosquitto serves all connections with one",
    "companion": "the companion's core",
    "portal": "the portal's core: opening, judging and storing are one thread",
    "takers": "the subscribers' core",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """`used`: 1 is all of it; a quota that refused counts as full. `full_at_per_s`: the load at which it would be, if
    its use grows with the load; None where nothing is used of it."""

    id: str
    words: str
    used: float
    full_at_per_s: float | None

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "words": self.words, "used": round(self.used, 4),
                "full_at_per_s": None if self.full_at_per_s is None else round(self.full_at_per_s, 2)}  # fmt: skip


def resources(
    load_per_s: float, used: Mapping[str, Used], cores: int, *, disk: float, in_flight: float,
    discarded: Counter[tuple[str, str]], bytes_per_s: float, link_bytes_per_s: float | None,
) -> list[Resource]:  # fmt: skip
    """The fullest first. `disk`: share of the time that the portal waited inside of a take without wanting a processor;
    `in_flight`: bundles that a gateway has under way in the mean; `discarded`: (quota, client) -> times."""
    found: list[tuple[str, str, float]] = [(id_, words, used[id_].core) for id_, words in _CORES.items() if id_ in used]
    found.append(("store", "the store: the portal waited for its disk", disk))
    if "machine" in used:
        others = used["other programs"].core if "other programs" in used else 0.0
        words = f"the {cores} cores of this machine, of which other programs took {others:.2f}"
        found.append(("machine", words, used["machine"].core / cores))
    found.append(("in flight", f"what a gateway may have in flight, {WINDOW} bundles", in_flight / WINDOW))
    if link_bytes_per_s is not None:
        found.append(("link", f"the link, {8 * link_bytes_per_s / 1e6:g} Mbit/s", bytes_per_s / link_bytes_per_s))
    by_quota: Counter[str] = Counter()
    clients: dict[str, set[str]] = {}
    for (quota, client), times in discarded.items():
        by_quota[quota] += times
        clients.setdefault(quota, set()).add(client)
    quotas = [
        Resource(f"quota {quota}", f"the quota {quota}: {times} refused, of {_some(clients[quota])}", 1.0, load_per_s)
        for quota, times in by_quota.most_common()
    ]
    rest = [Resource(id_, words, share, load_per_s / share if share > 0.001 else None) for id_, words, share in found]
    return [*quotas, *sorted(rest, key=lambda one: -one.used)]


def _some(clients: set[str]) -> str:
    return next(iter(clients)) if len(clients) == 1 else f"{len(clients)} clients"


def full_and_next(found: list[Resource]) -> tuple[Resource | None, Resource | None]:
    """(the one that was full, the next behind it); (None, the fullest) where none was."""
    if not found:
        return None, None
    if found[0].used < FULL:
        return None, found[0]
    return found[0], found[1] if len(found) > 1 else None
