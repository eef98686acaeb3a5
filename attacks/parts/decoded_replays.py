"""Replays at a gateway that decodes: what came of them is read from the values that it gave, since no telegram goes on
to a portal."""

from __future__ import annotations

from collections.abc import Sequence

from attacks.attack import Outcome
from attacks.parts.sent_frames import Shot, by_variant
from sim.core.clock import world_time
from sim.gateway.port import GatewayPort
from sim.truth.given_values import given_again
from sim.truth.ground_truth import Truth, fingerprint


def decoder(truth: Truth) -> GatewayPort | None:
    """The gateway of this world that decodes, where it has one."""
    every = (one for one in truth.world.gateways if one.opened_in is not None)
    return next(every, None)


def outcomes_by_values(shots: Sequence[Shot], truth: Truth, gateway: GatewayPort) -> list[Outcome]:
    """One outcome a (variant, security): shots that reached it by radio, and how often it gave the old value after the
    meter had sent a newer one."""
    return [_outcome(variant, security, rows, truth, gateway) for (variant, security), rows in by_variant(shots)]


def _outcome(variant: str, security: str, shots: list[Shot], truth: Truth, gateway: GatewayPort) -> Outcome:
    came = [shot for shot in shots if shot.spoken.taken]
    given = [shot for shot in came if given_again(truth, gateway, shot.of, shot.spoken.start_ns)]
    evidence: dict[str, int | float | str] = {
        "sent": len(shots), "reached the gateway": len(came), "given as a new value": len(given),
        "records changed": 0, "stored again": len(given),  # old values, as they were
        "first at": f"{world_time(shots[0].spoken.start_ns)}, meter {shots[0].address}",
    }  # fmt: skip
    why = "the gateway gave an old value as a new one" if given else "the gateway gave no old value"
    heard = frozenset(fingerprint(shot.of) for shot in shots)
    return Outcome(variant, security, len(came), len(given), why=why, evidence=evidence, heard=heard)
