"""A reading says by which gateway its telegram was heard, when, and how strong: at a gateway that there is, within a
second of its sending by that gateway's clock, at the level that the air brought it there; and it was stored when the
system took what had arrived. A real gateway may be later, and its latency is measured; what its radio says of levels is
its own. With an attacker genuine bytes may be heard later, so then it is not asked; nor is a gateway whose clock a
fault was seen to shift, for that time."""

from __future__ import annotations

from collections.abc import Iterator

from bench.rig.checks.port import Invariant
from sim.core.clock import NS_PER_S, ns
from sim.portal.store import Reading
from sim.site_plan import gateway_groups
from sim.truth.ledger import Sent
from sim.truth.levels import levels_cdbm
from sim.world import World

ROWS_AT_ONCE = 4_096
NOTHING = Sent("", 0, 0, 0, 1 << 63)  # behind every row


def check(world: World, attacked: bool) -> list[str]:
    if attacked or not world.truth.stored:
        return []
    assert world.truth.altered_readings >= 0  # every reading is matched with its sending by this
    groups = zip(world.gateways, gateway_groups(world.spec), strict=True)
    offset_ns = {gateway.id: ns(group.clock_offset_s) for gateway, group in groups}
    number = {gateway.id: at for at, gateway in enumerate(world.gateways)}
    real = {gateway.id for gateway in world.gateways if gateway.real}
    shifted, taken_ns, at_once = _shifted(world), _taken_ns(world), world.spec.system.stores_at_once
    wrong, first = 0, ""
    for rows in _matched(world):
        at = [(sent.meter, sent.k, number.get(row.gateway, -1)) for row, sent in rows]
        for (row, sent), level in zip(rows, levels_cdbm(world.air, at).tolist(), strict=True):
            why = _heard_wrong(row, sent.start_ns, offset_ns, real, shifted)
            if not why and row.gateway not in real and row.rssi_dbm != level / 100:
                why = f"at {row.rssi_dbm} dBm, which were {level / 100}"
            heard_ns = row.received_ns - offset_ns.get(row.gateway, 0)
            if not why and (row.stored_ns != heard_ns if at_once else row.stored_ns not in taken_ns):
                why = f"stored at {row.stored_ns} ns, when nothing was taken"
            if why:
                wrong, first = wrong + 1, first or f"{row.meter} by {row.gateway} {why}"
    return [f"{wrong} readings, first: {first}"] if wrong else []


def _matched(world: World) -> Iterator[list[tuple[Reading, Sent]]]:
    """Readings with the telegrams that they were stored from, some at once. Without field telegrams, and those that
    another check complains of."""
    sendings = world.truth.by_reading()
    sent, place = next(sendings, NOTHING), 0
    while found := world.stored.readings_after(place, ROWS_AT_ONCE):
        out = []
        for place, row in found:
            while (sent.reading or 0) < place:
                sent = next(sendings, NOTHING)
            if sent.reading == place:
                out.append((row, sent))
        yield out


def _heard_wrong(
    row: Reading, start_ns: int, offset_ns: dict[str, int], real: set[str], shifted: dict[str, list[tuple[int, int]]]
) -> str:
    """What is wrong with the gateway and the time of a reading; "" where nothing is."""
    if any(begin_ns <= start_ns < end_ns for begin_ns, end_ns in shifted.get(row.gateway, ())):
        return ""
    heard_ns = row.received_ns - offset_ns.get(row.gateway, 0)
    in_time = start_ns < heard_ns and (heard_ns < start_ns + NS_PER_S or row.gateway in real)
    return "" if row.gateway in offset_ns and in_time else f"at {row.received_ns} ns"


def _taken_ns(world: World) -> set[int]:
    """When a system takes what arrived: as the world lets it, and of a gateway that loses its power what it has."""
    return world.taken_ns | {one.struck_ns for one in world.injections if one.struck_ns is not None}


def _shifted(world: World) -> dict[str, list[tuple[int, int]]]:
    """Gateway -> when it heard by a clock that a fault had shifted; a frame on the air at the strike is among that."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in world.injections:
        span, whose = one.clock_shifted_ns(world.now_ns), one.fault.shifts_clock_of
        if span is not None and whose is not None:
            spans.setdefault(world.gateways[whose].id, []).append((span[0] - NS_PER_S, span[1]))
    return spans


INVARIANT = Invariant("heard_as_stored", "a reading says when and where it was heard", check)
