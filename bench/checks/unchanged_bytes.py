"""A gateway never decrypts or changes a telegram: every telegram the portal saw was on the air, byte for byte, or was
brought in by an attacker."""

from __future__ import annotations

from sim.world import World

TITLE = "gateways forward the bytes they heard"


def check(world: World, attacked: bool) -> list[str]:
    truth = world.truth
    strangers = [
        mark
        for mark in world.portal.store.fingerprints()
        if mark not in truth.known and mark not in truth.published and mark not in truth.foreign
    ]
    return (
        [f"{len(strangers)} telegrams at the portal were never on the air, first: {strangers[0]}"] if strangers else []
    )
