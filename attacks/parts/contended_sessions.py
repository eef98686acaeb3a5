"""What became of the sessions under a client id while an attack fought for them. No attack by itself."""

from __future__ import annotations

from collections.abc import Iterable

from sim.core.events import SessionChanged
from sim.truth.ground_truth import Truth

Instants = tuple[int, int]
"""From the first act until it is over, by clock.stamp_ns."""


def sessions_within(truth: Truth, client: str, spans: Iterable[Instants]) -> tuple[SessionChanged, ...]:
    """In the order in which it happened; the owner's and the attacker's. What later acts do to the same client is no
    part of it."""
    own = list(spans)
    mine = (one for one in truth.world.history.of(SessionChanged) if one.client == client)
    within = (one for one in mine if any(begun_ns <= one.wall_ns <= over_ns for begun_ns, over_ns in own))
    return tuple(sorted(within, key=lambda one: one.wall_ns))


def thrown_off(sessions: Iterable[SessionChanged]) -> list[int]:
    """When the owner lost a session that it had."""
    return [one.wall_ns for one in sessions if (one.whose, one.state) == ("owner", "dropped")]
