"""A reading says by which gateway its telegram was heard, and when: at a gateway that there is, and within a second of
its sending by that gateway's clock; a real gateway may be later, and its latency is measured. With an attacker
genuine bytes may be heard later, so then it is not asked; nor is a gateway whose clock a fault was seen to shift, for
that time."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.core.clock import NS_PER_S, ns
from sim.site_plan import gateway_groups
from sim.world import World

ROWS_AT_ONCE = 4_096
NOTHING = 1 << 63, 0  # behind every row


def check(world: World, attacked: bool) -> list[str]:
    if attacked or not world.truth.stored:
        return []
    assert world.truth.altered_readings >= 0  # every reading is matched with its sending by this
    begun = world.truth.begun_by_reading()
    of, start_ns = next(begun, NOTHING)
    groups = zip(world.gateways, gateway_groups(world.spec), strict=True)
    offset_ns = {gateway.id: ns(group.clock_offset_s) for gateway, group in groups}
    real = {gateway.id for gateway in world.gateways if gateway.real}
    shifted = _shifted(world)
    wrong, first, place = 0, "", 0
    while found := world.stored.readings_after(place, ROWS_AT_ONCE):
        for place, row in found:
            while of < place:
                of, start_ns = next(begun, NOTHING)
            if of != place:  # a field telegram, or one that another check complains of
                continue
            if any(begin_ns <= start_ns < end_ns for begin_ns, end_ns in shifted.get(row.gateway, ())):
                continue
            heard_ns = row.received_ns - offset_ns.get(row.gateway, 0)
            in_time = start_ns < heard_ns and (heard_ns < start_ns + NS_PER_S or row.gateway in real)
            if row.gateway not in offset_ns or not in_time:
                wrong, first = wrong + 1, first or f"{row.meter} by {row.gateway} at {row.received_ns} ns"
    return [f"{wrong} readings, first: {first}"] if wrong else []


def _shifted(world: World) -> dict[str, list[tuple[int, int]]]:
    """Gateway -> when it heard by a clock that a fault had shifted; a frame on the air at the strike is among that."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in world.injections:
        span, whose = one.clock_shifted_ns(world.now_ns), one.fault.shifts_clock_of
        if span is not None and whose is not None:
            spans.setdefault(world.gateways[whose].id, []).append((span[0] - NS_PER_S, span[1]))
    return spans


INVARIANT = Invariant("heard_as_stored", "a reading says when and where it was heard", check)
