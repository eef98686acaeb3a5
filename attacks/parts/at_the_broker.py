"""What came of messages that an attacker gave to the broker. No attack by itself.

A PUBACK is no outcome: a broker acknowledges what it drops. What counts is what the portal was given, which it has
either committed or kept as evidence. A session knows no security mode: its figures are the same in each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attacks.attack import Outcome
from attacks.reach import Reach
from sim.core.bundle import Bundle, digest
from sim.endpoint.port import Identity, Session
from sim.systems.keyless import keyless
from sim.truth.ground_truth import Truth

FAR = 900_000_000
"""A bundle's number that no honest gateway reaches."""


def empty_bundle(gateway: str, number: int, at_ns: int) -> bytes:
    """A bundle of no telegrams: it changes no reading, so nothing but its way is tried."""
    return Bundle(gateway, FAR + number, at_ns, ()).encode()


def given_to_portal(truth: Truth, payloads: Iterable[bytes]) -> int:
    """How many of these messages the portal was given."""
    store = keyless(truth.world.system).portal.store
    taken, kept = {one.digest for one in store.messages()}, {bytes(one.payload) for one in store.evidence()}
    return sum(digest(payload) in taken or payload in kept for payload in payloads)


def last_words(session: Session) -> str:
    """Why a session is not up."""
    state, reason = session.log[-1] if session.log else ("never tried", "")
    return f"{state}: {reason}" if reason else state


def tries(reach: Reach, identity: Identity, count: int) -> tuple[int, str]:
    """Open so many sessions one after another: how many there were, and the last refusal."""
    opened, why = 0, ""
    for _ in range(count):
        session = reach.connect(identity)
        opened += session.connects > 0
        why = why if session.connects else last_words(session)
        session.close()
    return opened, why


def in_each_mode(truth: Truth, variant: str, **figures: Any) -> list[Outcome]:
    """The same outcome for each security mode that there is."""
    return [Outcome(variant, security, **figures) for security in sorted(truth.securities)]
