"""What an attack is: a record (id, title, threats, capabilities, weakness), a process, and the outcomes it reports.

Rules kept here. An attack gets a handle with the methods of its declared capabilities and no others. What it achieved
is worked out from the truth (what meters really sent) against what the portal stored, never from the portal's own word;
the attack itself only says what it sent and where that should show. An outcome counts three things apart, so that a
frame lost on the air is never scored as a defence: how often the attack reached its target, how often it got what it
wants, whether it was noticed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from sim.core import parts
from sim.core.broken_files import unreadable
from sim.core.clock import Steps as Steps  # every attack takes it from here
from sim.core.events import SessionChanged
from sim.core.parts import PartError

if TYPE_CHECKING:
    from attacks.reach import Reach
    from sim.portal.store import Reading
    from sim.truth.ground_truth import Truth


class Can(Flag):
    """What an attacker owns or where it stands."""

    HEAR = auto()  # a receiver on the air, at one place
    SPEAK = auto()  # a transmitter on the air, at one place
    SHAPE = auto()  # noise on the air, and the header of a frame while it is still being sent
    PATH = auto()  # sits on the network between a gateway and the broker
    CERTIFICATE = auto()  # a gateway's certificate and private key
    NETWORK = auto()  # reaches the broker's address, and owns nothing that it would let in
    BROKER = auto()  # runs the broker, or has broken into it
    CLOCK = auto()  # sets a gateway's clock, as who answers its time protocol does
    VIEW = auto()  # an account at the portal: tenants and landlords
    METER_KEY = auto()  # one meter's key
    DISK = auto()  # reads the portal's disk
    KEK = auto()  # one key-encryption key of the portal
    FLASH = auto()  # reads the flash memory of a gateway that was taken apart
    FACTORY = auto()  # the files of the factory that made the gateways
    BOX_DISK = auto()  # a copy of the disk of a smart meter gateway, without its security module
    BOX = auto()  # runs the processor of a smart meter gateway, its security module inside
    RELAY = auto()  # is the administrator of smart meter gateways, or stands where it hands containers on
    WAN = auto()  # stands on the WAN of smart meter gateways, and owns no key
    RECEIVER_KEY = auto()  # the key of a market participant, and what was relayed to him
    HOME = auto()  # sits in a home network, between a display and its smart meter gateway
    BILLS = auto()  # writes the bills: the supplier, or whoever runs the portal
    CLIP = auto()  # two clips on the wires of a wired meter bus
    TAP = auto()  # reads what passes on the lines of smart meter gateways, and changes nothing
    LAWFUL = auto()  # gets values that are meant for it, or hands messages on as it is to


ACTIVE = (
    Can.SPEAK | Can.SHAPE | Can.PATH | Can.CERTIFICATE | Can.NETWORK | Can.BROKER | Can.CLOCK | Can.FLASH | Can.FACTORY
    | Can.BOX_DISK | Can.BOX | Can.RELAY | Can.WAN | Can.HOME | Can.BILLS | Can.CLIP
)  # fmt: skip
"""Whoever has one of these can change the world; whoever has none only listens."""

CAPABILITIES = {
    Can.HEAR: "hear the air",
    Can.SPEAK: "send on the air",
    Can.SHAPE: "jam the air",
    Can.PATH: "sit on the network path",
    Can.CERTIFICATE: "own a gateway's certificate and key",
    Can.NETWORK: "reach the broker's address",
    Can.BROKER: "run the broker",
    Can.CLOCK: "set a gateway's clock",
    Can.VIEW: "own accounts at the portal",
    Can.METER_KEY: "own a meter's key",
    Can.DISK: "read the portal's disk",
    Can.KEK: "own the key that encrypts one partition of the portal's keys",
    Can.FLASH: "read a gateway's flash memory",
    Can.FACTORY: "read the files of the factory that made the gateways",
    Can.BOX_DISK: "copy a smart meter gateway's disk",
    Can.BOX: "run a smart meter gateway's processor",
    Can.RELAY: "be the administrator of smart meter gateways",
    Can.WAN: "stand on the WAN of smart meter gateways",
    Can.RECEIVER_KEY: "own a market participant's key",
    Can.HOME: "sit between a display and its smart meter gateway",
    Can.BILLS: "write the bills",
    Can.CLIP: "have two clips on the wires of a wired meter bus",
    Can.TAP: "tap the lines of smart meter gateways",
    Can.LAWFUL: "get what is meant for one",
}


class Form(NamedTuple):
    """What a variant sends, in the words of bench.rig.frame_words. `shows`: what must be seen in a frame. `changed`:
    all in which it differs from the genuine telegram that it was made from; None: it is a telegram of the attacker's
    own. `age_s`: time since that one began; `behind`: telegrams which that meter has begun since."""

    shows: frozenset[str] = frozenset()
    changed: frozenset[str] | None = frozenset()
    age_s: tuple[float, float] = (0.0, float("inf"))
    behind: tuple[int, int] = (0, 1 << 62)


def form(
    shows: str = "",
    changed: str | None = "",
    *,
    age_s: tuple[float, float] = (0.0, float("inf")),
    behind: tuple[int, int] = (0, 1 << 62),
) -> Form:
    """A Form, its words given as text with commas between them."""
    return Form(_words(shows), None if changed is None else _words(changed), age_s, behind)


def _words(text: str) -> frozenset[str]:
    return frozenset(filter(None, (word.strip() for word in text.split(","))))


class Landed(NamedTuple):
    """One shot and what came of it: the genuine telegram it was made from (may be empty), the bytes sent, in whose
    name and when; who took it (from the air: gateway and end of reception), the portal's reasons for refusing such
    bytes, rows that exist because of them. It is frame `k` of transmitter `source` (-1: it came by the network)."""

    address: str
    at_ns: int
    original: bytes
    sent: bytes
    taken: tuple[tuple[str, int], ...]
    reasons: tuple[str, ...]
    rows: tuple[Reading, ...]
    source: int = -1
    k: int = -1

    @property
    def arrived(self) -> bool:
        """A receiver took it and the portal judged it."""
        return bool(self.taken and (self.rows or self.reasons))


class Watch(NamedTuple):
    """The alarms that would show an attack: of these kinds, about at least this share of the subjects (meters, or a
    gateway), raised from `start_ns` on. `places`: of an attack that is an episode, what the history held at its first
    act and when it was over (reach.place): an alarm that another act about the subject came before is shared."""

    kinds: tuple[str, ...]
    subjects: tuple[str, ...]
    start_ns: int
    share: float = 1.0
    places: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """`weakness`: dotted world settings under which the same attack is expected to succeed (the control run).
    `needs`: endpoint features without which the attack cannot be made ("sockets", "tls"). `forms`: variant, or variant
    and security mode as "variant / mode7", -> what its frames look like: the referee classifies what was sent."""

    id: str
    title: str
    threats: tuple[str, ...]
    can: Can
    ics: tuple[str, ...]
    weakness: dict[str, Any]
    seen_as: str
    needs: frozenset[str]
    doc: str
    forms: Mapping[str, Form] = field(default_factory=dict)
    weakness_of: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Kind of system -> settings of its control beside those of `weakness`."""
    refused_as: tuple[str, ...] = ()
    """Why it got nothing, in words of its own that stand in an outcome's `why`: a scenario may name them as `because`,
    beside the refusals of portals, brokers and receivers."""

    def weakness_for(self, system: str) -> dict[str, Any]:
        """The settings of the control in a world with this kind of system."""
        return {**self.weakness, **self.weakness_of.get(system, {})}

    @property
    def abilities(self) -> list[str]:
        """The capabilities in words, in the order of CAPABILITIES."""
        return [text for can, text in CAPABILITIES.items() if can in self.can]


class Curve(NamedTuple):
    """Points of the picture that shows an outcome, with the words of its axes; a hundred of them are enough."""

    x: str
    y: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack did to the meters of one security mode, in one variant.

    reached: times it arrived where it aims (a receiver took the frame, a connection was tried, a frame was jammed).
    achieved: times it got what it wants, by truth against the portal's records.
    watch: which alarms would show it; whether they came, and in time, is for the referee to say.
    bounded: it had an effect, but not on what it was after (jamming that billing survives).
    shots: what was sent, one by one. attacked: meters (addresses) and gateways that it touches, beside
    the meters of the shots.
    heard: fingerprints of the telegrams that it was learned from, of who only listens; shots name theirs.
    sessions: what became of the sessions that it fought for, in its own time: who cannot be shown a telegram is shown
    those.
    evidence: figures and names that lead a reader to it; `why`: one clause for people. curve: its picture, where it has
    one beside that of its shots and its counts.
    """

    variant: str
    security: str
    reached: int
    achieved: int
    watch: Watch | None = None
    bounded: bool = False
    why: str = ""
    evidence: dict[str, int | float | str] = field(default_factory=dict)
    shots: tuple[Landed, ...] = ()
    attacked: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()
    sessions: tuple[SessionChanged, ...] = ()
    curve: Curve | None = None


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
    forms: Mapping[str, Form] | None = None,
    weakness_of: Mapping[str, Mapping[str, Any]] | None = None,
    refused_as: Iterable[str] = (),
) -> Callable[[type[T]], type[T]]:
    """Register a class as an attack. Its docstring is the attack's page."""

    def register(cls: type[T]) -> type[T]:
        if id in _records and _records[id].__module__ != cls.__module__:
            files = (sys.modules[one].__file__ for one in (_records[id].__module__, cls.__module__))
            raise PartError(f"{' and '.join(map(str, files))} both define the attack '{id}'")
        doc = (cls.__doc__ or "").strip()
        if not doc:
            raise ValueError(f"attack {id!r} has no docstring")
        _records[id] = cast("type[Attack]", cls)
        _records[id].record = Record(
            id, title, tuple(threats), can, tuple(ics), dict(weakness), seen_as, frozenset(needs or ()), doc,
            dict(forms or {}), dict(weakness_of or {}), tuple(refused_as),
        )  # fmt: skip
        return cls

    return register


def attacks() -> dict[str, type[Attack]]:
    """All attacks, by id: those in this folder, and those of the user's own repository. Raises PartError."""
    for name, file in parts.files("attacks"):
        try:
            importlib.import_module(f"attacks.{name}")
        except PartError:
            raise
        except Exception as error:
            raise PartError(unreadable(file, error)) from error
    return dict(sorted(_records.items()))
