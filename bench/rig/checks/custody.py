"""What a gateway put into its outbox is at the portal, or still in the outbox. Nothing in between.

Under attack gateways that delete on anybody's word, or on a number, lose what the attack says: that is the scenario's
business, and every bundle of theirs that is nowhere is a telegram that the truth misses."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.core.events import BundleClosed
from sim.site_plan import gateway_groups, gateway_ids
from sim.world import World

BUNDLES_AT_ONCE = 512
NO_SEQUENCE = 1 << 63


def check(world: World, attacked: bool) -> list[str]:
    gullible = {
        id_
        for id_, group in zip(gateway_ids(world.spec), gateway_groups(world.spec), strict=True)
        if attacked and not (group.verify_acks and group.match_acknowledgements)
    }
    kept = {(gateway.id, sequence) for gateway in world.gateways for sequence in gateway.custody()}
    arrived = _Arrived(world)
    problems = []
    for closed in world.history.each(BundleClosed):
        key = (closed.gateway, closed.sequence)
        if key not in kept and not arrived.has(*key) and closed.gateway not in gullible:
            problems.append(f"bundle {closed.sequence} of {closed.gateway} ({closed.telegrams} telegrams) is nowhere")
    # A restored backup takes arrived bundles with it: so many may be nowhere, and not one more.
    forgotten = sum(injection.forgotten_bundles for injection in world.injections)
    return problems[:5] if len(problems) > forgotten else []


class _Arrived:
    """The bundles that the portal has, some of each gateway at once: they are asked for in the order of closing, which
    is that of their sequences."""

    def __init__(self, world: World) -> None:
        self._stored = world.stored
        self._read: dict[str, tuple[range, frozenset[int]]] = {}

    def has(self, gateway: str, sequence: int) -> bool:
        asked, found = self._read.get(gateway, (range(0), frozenset()))
        if sequence not in asked:
            rows = self._stored.bundles_after(gateway, sequence - 1, BUNDLES_AT_ONCE)
            end = rows[-1] + 1 if len(rows) == BUNDLES_AT_ONCE else NO_SEQUENCE
            found = frozenset(rows)
            self._read[gateway] = range(sequence, end), found
        return sequence in found


INVARIANT = Invariant("custody", "nothing is lost between gateway and portal", check)
