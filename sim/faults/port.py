"""What a fault is, and one fault in one world.

Rules kept here. A fault is believed for its effect, never for its own note: `look` is taken before it strikes, after
that, and after it healed, and a `witness` holds two looks against each other. Where it says "" nothing shows that the
fault happened, and the check `faults_witnessed` makes the run inconclusive.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sim.core.clock import Steps, ns
from sim.core.events import FaultInjected, FaultWitnessed
from sim.core.part_errors import answer
from sim.core.part_methods import returns_nothing
from sim.core.parts import Folder
from sim.core.settings import number, out_of_range

if TYPE_CHECKING:
    from sim.gateway.port import GatewayPort
    from sim.world import World

S = TypeVar("S")
_WORDS: Final = "words that show it, \"\" where nothing does"


class CannotInject(ValueError):
    """This world cannot have this fault; the message says what it lacks."""


def remembered() -> Any:
    """A field of a fault, which is frozen and may strike in several worlds: a mapping of what it must remember of each
    world from its strike to its end. It is no setting, and goes with the world."""
    return field(default_factory=WeakKeyDictionary, init=False, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Fault(ABC, Generic[S]):
    """A frozen dataclass whose fields are its settings; its file holds one with its default settings as FAULT.

    `S`: what `look` returns. `id`: as in `list faults`. `needs`: features of the world's system. `heals`: it has an
    end. `struck_as`, `healed_as`: its kinds in the history (FaultInjected); an end at the strike has none.
    `interrupts`: while it lasts, telegrams do not arrive, and come late afterwards.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    struck_as: ClassVar[str]
    heals: ClassVar[bool] = False
    healed_as: ClassVar[str] = ""
    interrupts: ClassVar[bool] = False

    after_s: float = number(0.0, low=0.0)
    """World seconds from now until it strikes."""
    phase: str = ""
    """Then strike at the next moment in this phase of the delivery at a window's end (lockstep.PHASES) at which
    messages are under way; "": at once."""

    def __post_init__(self) -> None:
        """Raises CannotInject for a setting out of its range."""
        if said := out_of_range(self):
            raise CannotInject(f"{self.id}: {said}")

    @property
    def heals_after_s(self) -> float | None:
        """World seconds from the strike to the end; None: when somebody calls Injection.heal."""
        return None

    @property
    def cuts_off(self) -> int | None:
        """The gateway, by its index, whose telegrams an interruption keeps back; None: those of all."""
        return None

    @property
    def shifts_clock_of(self) -> int | None:
        """The gateway, by its index, whose clock is wrong while it lasts: times that it writes are not the world's.
        None: no gateway's."""
        return None

    @abstractmethod
    def subject(self, world: World) -> str:
        """Whom it strikes, as FaultInjected says it."""

    @abstractmethod
    def look(self, world: World) -> S:
        """What can be seen now of what this fault changes: from outside it, as far as possible."""

    @abstractmethod
    def strike(self, world: World) -> None: ...

    @abstractmethod
    def witness_strike(self, before: S, after: S) -> str:
        """What shows that it struck; "" when nothing does."""

    def heal(self, world: World) -> None:
        """Undo it."""

    def witness_heal(self, struck: S, healed: S) -> str:
        """What shows that it is over; "" when nothing does."""
        return ""

    def undone(self, before: S, after: S) -> frozenset[str]:
        """Fingerprints of readings that were stored and, by the fault itself, no longer are."""
        return frozenset()

    def forgets_bundles(self, before: S, after: S) -> int:
        """How many bundles that had arrived the portal no longer knows of."""
        return 0

    def lost(self, before: S) -> tuple[bytes, ...]:
        """Telegrams that it takes with it, of those that a gateway had received."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Lasting(Fault[S]):
    """A fault that lasts `duration_s`, to Injection.heal, or to the end of the run. Its kinds have a `healed_as`."""

    heals: ClassVar[bool] = True

    duration_s: float | None = number(None, low=0.0)

    @property
    def heals_after_s(self) -> float | None:
        return self.duration_s


@dataclass(frozen=True, kw_only=True)
class Outage(Lasting[S]):
    """While it lasts, telegrams do not arrive."""

    interrupts: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class GatewayOutage(Outage[S]):
    """An outage of one gateway, by its index."""

    gateway: int = number(0, low=0)

    @property
    def cuts_off(self) -> int:
        return self.gateway

    def subject(self, world: World) -> str:
        return gateway_at(world, self.gateway).id


AnyFault: TypeAlias = Fault[Any]


def _lacks(fault: AnyFault, file: str) -> str:
    """What a fault's class does not say; "" when nothing."""
    wanted = {"id": file, "title": "...", "struck_as": "..."}
    wanted |= {"healed_as": "..."} if isinstance(fault, Lasting) else {}
    for name, example in wanted.items():
        given = getattr(fault, name, "")
        if not isinstance(given, str) or not given:
            lasting = " since it lasts" if name == "healed_as" else ""
            return f'{type(fault).__name__} has no {name}; write {name}: ClassVar[str] = "{example}" in it{lasting}'
    if missing := returns_nothing(type(fault), Fault):
        return missing.removeprefix(f"{inspect.getsourcefile(type(fault))}, ")  # who asks names the file
    if fault.id != file:
        return f"its id is '{fault.id}'; a fault has the id of its file: '{file}'"
    return ""


FAULTS: Folder[AnyFault] = Folder("sim.faults", "FAULT", "fault", Fault, _lacks)  # type: ignore[type-abstract]  # it makes none


class Injection:
    """One fault in one world. `struck_ns`, `healed_ns`: None until it did. `evidence` and `recovery` are what showed
    it."""

    def __init__(self, world: World, fault: AnyFault) -> None:
        missing = world.spec.lacks(fault.needs)
        if missing:
            raise CannotInject(f"{fault.id} {missing}")
        self.fault = fault
        self.struck_ns: int | None = None
        self.healed_ns: int | None = None
        self.evidence = ""
        self.recovery = ""
        self.lost: tuple[bytes, ...] = ()
        self.undone: frozenset[str] = frozenset()
        self.forgotten_bundles = 0
        self._world = world
        self._subject = fault.subject(world)
        self._struck: object = None

    def __str__(self) -> str:
        return f"{self.fault.id} ({self._subject})"

    def begin(self) -> None:
        """Strike at the time that the fault's settings name. Raises CannotInject."""
        if self.fault.after_s > 0:
            self._world.clock.process(self._later(self.fault.after_s, self._arm))
        else:
            self._arm()

    def _arm(self) -> None:
        if not self.fault.phase:
            self._strike()
            return
        try:
            self._world.system.at_phase(self.fault.phase, self._strike)
        except ValueError as error:
            raise CannotInject(f"{self.fault.id}: {error}") from None

    def _later(self, delay_s: float, action: Callable[[], None]) -> Steps:
        yield self._world.clock.timeout(ns(delay_s))
        action()

    def _strike(self) -> None:
        fault, world = self.fault, self._world
        before = fault.look(world)
        self._record(fault.struck_as)
        fault.strike(world)
        self.struck_ns = world.now_ns
        self._struck = fault.look(world)
        self.evidence = answer(fault.witness_strike, before, self._struck, of=_WORDS, wanted=str)
        self.lost = fault.lost(before)
        self.undone = fault.undone(before, self._struck)
        self.forgotten_bundles = fault.forgets_bundles(before, self._struck)
        self._record_evidence(fault.struck_as, self.evidence)
        after_s = fault.heals_after_s
        if after_s == 0:
            self.heal()
        elif after_s is not None:
            world.clock.process(self._later(after_s, self.heal))

    def heal(self) -> None:
        """End it now; of no effect when it ended before. Raises RuntimeError for a fault that has not struck or has no
        end."""
        fault, world = self.fault, self._world
        if self.struck_ns is None or not fault.heals:
            raise RuntimeError(f"{self}: {'it has not struck' if fault.heals else 'it has no end'}")
        if self.healed_ns is not None:
            return
        if fault.healed_as:
            self._record(fault.healed_as)
        fault.heal(world)
        self.healed_ns = world.now_ns
        self.recovery = answer(fault.witness_heal, self._struck, fault.look(world), of=_WORDS, wanted=str)
        self._record_evidence(fault.healed_as or f"{fault.struck_as}, healed", self.recovery)

    def _record(self, kind: str) -> None:
        self._world.record(FaultInjected(self._world.now_ns, kind, self._subject))

    def _record_evidence(self, kind: str, evidence: str) -> None:
        self._world.record(FaultWitnessed(self._world.now_ns, kind, self._subject, evidence))

    def interrupted_ns(self, now_ns: int) -> tuple[int, int] | None:
        """From when to when telegrams did not arrive because of it, up to now; None: they did, or nothing shows it."""
        return self._lasted_ns(now_ns) if self.fault.interrupts else None

    def clock_shifted_ns(self, now_ns: int) -> tuple[int, int] | None:
        """From when to when the clock of the gateway `fault.shifts_clock_of` was wrong, up to now; None: no gateway's
        was, or nothing shows it."""
        return None if self.fault.shifts_clock_of is None else self._lasted_ns(now_ns)

    def _lasted_ns(self, now_ns: int) -> tuple[int, int] | None:
        if self.struck_ns is None or not self.evidence:
            return None
        return self.struck_ns, now_ns if self.healed_ns is None else self.healed_ns

    @property
    def unwitnessed(self) -> str:
        """What is missing for a reader to believe that it happened; "" when nothing is."""
        if self.struck_ns is None:
            when = f" in phase {self.fault.phase}" if self.fault.phase else ""
            return f"never struck{when}"
        if not self.evidence:
            return f"'{self.fault.struck_as}' is in the history and nothing shows it"
        if self.healed_ns is not None and not self.recovery:
            return f"'{self.fault.struck_as}' was healed and nothing shows it"
        return ""


def gateway_at(world: World, index: int) -> GatewayPort:
    """The gateway of this index. Raises CannotInject."""
    if not 0 <= index < len(world.gateways):
        raise CannotInject(f"there is no gateway {index}, of {len(world.gateways)}")
    return world.gateways[index]


__all__ = [
    "FAULTS", "AnyFault", "CannotInject", "Fault", "GatewayOutage", "Injection", "Lasting", "Outage", "gateway_at",
    "remembered",
]  # fmt: skip
