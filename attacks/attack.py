"""What an attack is: a record (id, title, threats, capabilities, weakness), a process, and the outcomes it reports.

Rules kept here. An attack gets a handle with the methods of its declared capabilities and no others. What it achieved
is worked out from the truth (what meters really sent) against what the portal stored, never from the portal's own word;
the attack itself only says what it sent and where that should show. An outcome counts three things apart, so that a
frame lost on the air is never scored as a defence: how often the attack reached its target, how often it got what it
wants, whether it was noticed.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from sim.core.clock import Steps as Steps  # every attack takes it from here

if TYPE_CHECKING:
    from attacks.reach import Reach
    from sim.truth.ground_truth import Truth


class Can(Flag):
    """What an attacker owns or where it stands."""

    HEAR = auto()  # a receiver on the air, at one place
    SPEAK = auto()  # a transmitter on the air, at one place
    SHAPE = auto()  # noise on the air, and the header of a frame while it is still being sent
    PATH = auto()  # sits on the network between a gateway and the broker
    CERTIFICATE = auto()  # a gateway's certificate and private key
    METER_KEY = auto()  # one meter's key
    DISK = auto()  # reads the portal's disk


CAPABILITIES = {
    Can.HEAR: "hear the air",
    Can.SPEAK: "send on the air",
    Can.SHAPE: "jam the air",
    Can.PATH: "sit on the network path",
    Can.CERTIFICATE: "own a gateway's certificate and key",
    Can.METER_KEY: "own a meter's key",
    Can.DISK: "read the portal's disk",
}


@dataclass(frozen=True, slots=True)
class Record:
    """`weakness`: dotted world settings under which the same attack is expected to succeed (the control run).
    `needs`: endpoint features without which the attack cannot be made ("sockets", "tls")."""

    id: str
    title: str
    threats: tuple[str, ...]
    can: Can
    ics: tuple[str, ...]
    weakness: dict[str, Any]
    seen_as: str
    needs: frozenset[str]
    doc: str

    @property
    def abilities(self) -> list[str]:
        """The capabilities in words, in the order of CAPABILITIES."""
        return [text for can, text in CAPABILITIES.items() if can in self.can]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack did to the meters of one security mode, in one variant.

    reached: times it arrived where it aims (a receiver took the frame, a connection was tried, a frame was jammed).
    achieved: times it got what it wants, by truth against the portal's records.
    detected: an alarm that names the attacked thing was raised while or after it happened.
    bounded: it had an effect, but not on what it was after (jamming that billing survives).
    evidence: figures and names that lead a reader to it; `why`: one clause for people.
    """

    variant: str
    security: str
    reached: int
    achieved: int
    detected: bool = False
    bounded: bool = False
    why: str = ""
    evidence: dict[str, int | float | str] = field(default_factory=dict)


class Attack(Protocol):
    """What an attack's class provides; `record` is set by the decorator `attack`."""
    record: Record

    def run(self, reach: Reach) -> Steps:
        """A SimPy process: what the attacker does."""

    def outcomes(self, truth: Truth) -> list[Outcome]:
        """What it achieved, after the run."""


T = TypeVar("T")
_records: dict[str, type[Attack]] = {}


def attack(
    *,
    id: str,
    title: str,
    threats: list[str],
    can: Can,
    ics: list[str],
    weakness: dict[str, Any],
    seen_as: str,
    needs: set[str] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Register a class as an attack. Its docstring is the attack's page."""

    def register(cls: type[T]) -> type[T]:
        if id in _records and _records[id].__module__ != cls.__module__:
            raise ValueError(f"attack id {id!r} is taken by {_records[id].__module__}")
        doc = (cls.__doc__ or "").strip()
        if not doc:
            raise ValueError(f"attack {id!r} has no docstring")
        _records[id] = cast("type[Attack]", cls)
        _records[id].record = Record(
            id, title, tuple(threats), can, tuple(ics), dict(weakness), seen_as, frozenset(needs or ()), doc
        )
        return cls

    return register


def attacks() -> dict[str, type[Attack]]:
    """All attacks in this folder, by id."""
    import attacks as folder

    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"attacks.{module.name}")
    return dict(sorted(_records.items()))
