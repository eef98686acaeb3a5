"""Without an attacker no record is stale, doubled or forged, and no genuine telegram is refused, or lost but to a fault
that takes it. What lies on the disk of a gateway that stays off is not lost; what a real gateway did not deliver is its
own affair (real_gateways has the figures)."""

from __future__ import annotations

from collections import Counter

from sim.core.bundle import Bundle
from sim.gateway.port import Fed
from sim.portal.store import fingerprint
from sim.world import World

TITLE = "no altered record without an attacker"


def check(world: World, attacked: bool) -> list[str]:
    if attacked:
        return []
    counts = Counter(altered.how for altered in world.truth.altered())
    problems = [f"{count} readings {how}" for how, count in sorted(counts.items())]
    lost = {fingerprint(telegram) for injection in world.injections for telegram in injection.lost}
    lost |= {mark for injection in world.injections for mark in injection.undone}
    for gateway in world.gateways:
        for payload in world.paths.under_way(gateway.id):  # not lost: it has not come yet
            lost |= {fingerprint(heard.telegram) for heard in Bundle.decode(payload).heard}
        lost |= set() if gateway.up else set(map(fingerprint, gateway.on_disk()))
        lost |= set(map(fingerprint, gateway.undelivered())) if isinstance(gateway, Fed) else set()
    missing = [sent for sent in world.truth.missing() if sent.mark not in lost]
    if missing:
        reasons = Counter(r for sent in missing[:200] for r in world.truth.refused_as(sent.mark) or ["no trace"])
        asked = "" if len(missing) <= 200 else ", of the first 200"
        held = sum(len(gateway.waiting) + len(gateway.quarantined) for gateway in world.gateways if gateway.up)
        hold = f"; gateways hold {held} bundles that the portal has not acknowledged" if held else ""
        said = f"{len(missing)} telegrams that gateways received are not readings{asked}"
        problems.append(f"{said}: {dict(reasons)}{hold}")
    return problems
