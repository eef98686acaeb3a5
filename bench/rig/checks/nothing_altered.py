"""Without an attacker no record is stale, doubled or forged, and no genuine telegram is refused, or lost but to a fault
that takes it. What lies on the disk of a gateway that stays off is not lost; what a real gateway did not deliver is its
own affair (real_gateways has the figures)."""

from __future__ import annotations

from collections import Counter

from bench.rig.checks.port import Invariant
from sim.core.bundle import Bundle
from sim.core.clock import NS_PER_S
from sim.portal.reasons import QUARANTINED
from sim.portal.store import Reading, fingerprint
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    if attacked:
        return []
    every = world.truth.altered()
    counts = Counter(altered.how for altered in every)
    late = _late(world, [altered.row for altered in every if altered.how == "stale"])
    problems = [f"{count} readings {how}{late if how == 'stale' else ''}" for how, count in sorted(counts.items())]
    lost = {fingerprint(telegram) for injection in world.injections for telegram in injection.lost}
    lost |= {mark for injection in world.injections for mark in injection.undone}
    for gateway in world.gateways:
        for payload in world.paths.under_way(gateway.id):  # not lost: it has not come yet
            lost |= {fingerprint(heard.telegram) for heard in Bundle.decode(payload).heard}
        lost |= set() if gateway.up else set(map(fingerprint, gateway.on_disk()))
        lost |= set(map(fingerprint, gateway.undelivered()))
    missing = [sent for sent in world.truth.missing() if sent.mark not in lost]
    if missing:
        reasons = Counter(r for sent in missing[:200] for r in world.truth.refused_as(sent.mark) or ["no trace"])
        asked = "" if len(missing) <= 200 else ", of the first 200"
        held = sum(len(gateway.waiting) + len(gateway.quarantined) for gateway in world.gateways if gateway.up)
        hold = f"; gateways hold {held} bundles that the portal has not acknowledged" if held else ""
        said = f"{len(missing)} telegrams that gateways received are not readings{asked}"
        raised = world.truth.raised() if QUARANTINED in reasons else ""
        problems.append(f"{said}: {dict(reasons)}{hold}{f'; quarantined: {raised}' if raised else ''}")
    return problems


def _late(world: World, rows: list[Reading]) -> str:
    """By how much the latest of these stale readings is late."""
    sendings = [(row.stored_ns, world.truth.known(row.fingerprint)) for row in rows]
    ages = [stored_ns - sent.start_ns for stored_ns, sent in sendings if sent is not None]
    if not ages:
        return ""
    allowed_s = world.truth.tolerance_ns / NS_PER_S
    return f": stored up to {max(ages) / NS_PER_S:.0f} s after sending, {allowed_s:.0f} s allowed"


INVARIANT = Invariant("nothing_altered", "no altered record without an attacker", check)
