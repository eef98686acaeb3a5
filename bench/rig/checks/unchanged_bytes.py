"""Nobody makes or changes a telegram on the way: every telegram the portal saw was on the air, byte for byte, or was
brought in by an attacker."""

from __future__ import annotations

from bench.rig.checks.port import Invariant
from sim.portal.store import fingerprint
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    forged = {altered.row.fingerprint for altered in world.truth.altered() if altered.how == "forged"}
    refused = world.stored.refused_telegrams()
    strangers = world.truth.unheard_of(sorted(forged | refused))  # what is not forged was on the air
    problems = []
    other = [row for row in world.stored.refusals() if fingerprint(row.telegram) != row.fingerprint]
    if other:
        problems.append(f"{len(other)} refused telegrams are kept with other bytes, first: {other[0].fingerprint}")
    if not strangers:
        return problems
    return [*problems, f"{len(strangers)} telegrams at the portal were never on the air, first: {min(strangers)}"]


INVARIANT = Invariant("unchanged_bytes", "gateways forward the bytes they heard", check)
