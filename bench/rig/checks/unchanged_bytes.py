"""A gateway never decrypts or changes a telegram: every telegram the portal saw was on the air, byte for byte, or was
brought in by an attacker."""

from __future__ import annotations

from sim.world import World

TITLE = "gateways forward the bytes they heard"


def check(world: World, attacked: bool) -> list[str]:
    truth = world.truth
    allowed = truth.published | truth.foreign
    rows = world.portal.store.query("SELECT fingerprint FROM readings UNION SELECT fingerprint FROM refusals")
    strangers = [mark for (mark,) in rows if mark not in truth.known and mark not in allowed]
    if not strangers:
        return []
    return [f"{len(strangers)} telegrams at the portal were never on the air, first: {strangers[0]}"]
