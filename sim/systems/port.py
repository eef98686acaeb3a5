"""The port: what a world asks of a system under test.

A world lets time pass: the fleet's frames are on the air, and what a gateway of the system receives is its own. At the
end of a window the world asks the system to `deliver`. Truth and checks read what came of it from `stored` and from the
history; attackers and faults act on the parts named here. Nothing in this port says where keys are: a gateway may hold
them or not, and what is stored may have been decrypted anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from sim.core.parts import Folder
from sim.core.vocabulary import SECURITIES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.core.clock import Calendar, Clock
    from sim.core.events import Event
    from sim.core.seeds import Seeds
    from sim.core.settings import Place
    from sim.endpoint.port import Endpoint, Message, Session
    from sim.gateway.port import GatewayPort
    from sim.meters.fleet import Fleet
    from sim.network.paths import Paths
    from sim.portal.meter_registry import MeterEntry, Registry
    from sim.portal.store_port import Reading, Refusal
    from sim.radio.air import Air
    from sim.radio.site import Places
    from sim.world import World
    from sim.world_spec import WorldSpec


@dataclass(frozen=True, slots=True)
class Ground:
    """What a world gives a system to stand on. `directory` is the world's: a system makes its own folders in it.
    `record` writes an event into the history. Of the fleet a system may ask what an installer knows: addresses, agreed
    security, keys."""

    spec: WorldSpec
    directory: Path
    clock: Clock
    calendar: Calendar
    fleet: Fleet
    site: Places
    air: Air
    paths: Paths
    record: Callable[[Event], None]
    seeds: Seeds
    """For keys that a system makes itself and that a world must make again."""
    genuine: Callable[[bytes], None]
    """Told each frame that parts of a system send by radio: it is no attacker's."""
    own_receiver: Callable[[int], None]
    """Told each receiver that a system has beside its gateways': it is nobody's ear."""


class Delivered(NamedTuple):
    """A value that a final receiver of a system has: of a register that counted from `from_s` to `until_s` (seconds
    since 1970, UTC), or a reading at `until_s` (then `from_s` is None). `amount` None: it was told that there is
    none."""

    receiver: str
    gateway: str
    meter: str
    taf: int
    obis: str
    tariff: int
    from_s: int | None
    until_s: int
    amount: Decimal | None


class Passed(NamedTuple):
    """A message that was handed on: by a broker to the portal, or by an administrator to a receiver."""

    time_ns: int
    gateway: str
    payload: bytes


class Sight(NamedTuple):
    """What one party of a system saw in a run, as counts of a meter and day. `values`: consumption values that it can
    read; `metadata`: messages that name a meter or a gateway; `habits`: in words, what can be learned from either."""

    party: str
    values: float
    metadata: float
    habits: str


class Cost(NamedTuple):
    """What a run cost: `name` in words, so many of `unit`."""

    name: str
    amount: float
    unit: str


class Stored(Protocol):
    """What the system has stored, whatever it is stored in."""

    def count_readings(self) -> int: ...

    def readings(self, meter: str | None = None) -> list[Reading]:
        """Oldest first, of all meters or of one. A reading's fingerprint names the telegram that it was made of."""

    def readings_after(self, place: int, most: int) -> list[tuple[int, Reading]]:
        """(place, reading) of at most so many behind a place; places count from 1 and grow with each reading."""

    def readings_of(self, fingerprint: str) -> list[Reading]:
        """Those made of these bytes, oldest first."""

    def refusals(self, reason: str | None = None) -> list[Refusal]:
        """Telegrams that were not taken as readings, each with its reason; all, or those of one reason."""

    def refusal_reasons(self, fingerprint: str) -> list[str]:
        """Why these bytes were not taken; empty when they were, or never arrived."""

    def refused_telegrams(self) -> set[str]:
        """Fingerprints of all telegrams that were not taken."""

    def bundles_after(self, gateway: str, sequence: int, most: int) -> list[int]:
        """Sequences of a gateway's bundles that arrived, of at most so many behind one, in order."""

    def count_bundles(self) -> int:
        """How many bundles arrived; with another content under the same sequence as well."""

    def billed_units(self, meter: str, set_date: date) -> int | None:
        """Heat units that a bill at this date would name; None when nothing tells."""


class SystemUnderTest(Protocol):
    """Its parts are there after `start`; `endpoint`, `disk` and `key_places` before. What is in `key_places` may be a
    meter's key, or one of `private_values`."""

    @property
    def endpoint(self) -> Endpoint | None:
        """The broker that gateways talk to, where there is one."""

    @property
    def disk(self) -> Path:
        """The folder of the portal's disk: where a thief of it would look."""

    @property
    def key_places(self) -> tuple[Path, ...]:
        """Files and folders in which meter keys may lie by this system's design; a key anywhere else is a leak."""

    @property
    def private_values(self) -> Mapping[str, bytes]:
        """Name -> keys of the system's own (it wraps or signs with them), for the leak check."""

    @property
    def gateways(self) -> Sequence[GatewayPort]:
        """The first receivers on the air, in order: receiver i is gateways[i]."""

    @property
    def portal(self) -> object:
        """The running instance of what stores; after `restart_portal` another object."""

    @property
    def stored(self) -> Stored: ...

    @property
    def registry(self) -> Registry:
        """Which meters there are, and whom each may be heard by, as the installer wrote it down."""

    @property
    def sessions(self) -> Sequence[Session]:
        """The system's own connections to the endpoint, gateways' left out."""

    @property
    def attached(self) -> NDArray[np.int64] | None:
        """Of each meter of the fleet the index of the gateway that alone takes its telegrams, -1 for none; None: every
        gateway takes all that it hears. What the installer did, and never changed by a run."""

    @property
    def message_taps(self) -> list[Callable[[Sequence[Message], int], None]]:
        """Each is shown what came over the endpoint, with the world's time, before the portal takes it: nothing where
        there is no endpoint."""

    def tap_passed(self, take: Callable[[Passed], None]) -> None:
        """Show it every message that is handed on from now on."""

    def delivered(self) -> Sequence[Delivered]:
        """Values that final receivers have, in the order of arrival; none where only readings are stored."""

    def billable(self) -> Sequence[Delivered]:
        """Values that whoever bills has, by what he bills: what was delivered to him, or else readings, under no tariff
        use case (0)."""

    def invariants(self, world: World) -> Iterable[tuple[str, Sequence[str]]]:
        """(what must hold in a world of this system without an attacker, beside what holds in each; what is wrong)."""

    def sights(self) -> Sequence[Sight]:
        """Who saw what until now."""

    def costs(self) -> Sequence[Cost]:
        """What it cost until now."""

    def start(self) -> None:
        """Put gateways on the air and everything else up; returns when all of it can work. Raises EndpointError,
        StoreError, OSError; `close` may follow however far it came."""

    def enrol(self, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
        """Meters that are not of the fleet join, with their keys."""

    def flush(self) -> None:
        """A run ends: gateways let go of what they still gather."""

    def deliver(self) -> None:
        """Everything that can arrive now arrives and is stored, while world time stands still. Raises NotSettled."""

    def at_phase(self, phase: str, action: Callable[[], None]) -> None:
        """Carry `action` out once, at the next moment in this phase of `deliver` at which messages are under way.
        Raises ValueError for a phase that there is not."""

    def watch(self) -> None:
        """A window ended: look for what did not come (alarms)."""

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        """Let real sockets move until `done()` or the deadline in wall seconds, while world time stands still. True
        when done."""

    def back_up_portal(self) -> None:
        """What the operator's backup would have now is kept, outside the portal's disk; it replaces an earlier one.
        Raises StoreError."""

    def restore_portal(self) -> None:
        """Close the portal, put the last backup in the place of what it has, and open it again. Raises StoreError where
        there is none."""

    def restart_portal(self) -> None:
        """Close the portal and open it again on what it has on disk."""

    def kill_portal(self) -> None:
        """As `restart_portal`, on the files as SIGKILL leaves them; answers that it had not sent are gone."""

    def close(self) -> None:
        """Idempotent. Leaves no process, no socket, no open file; when one of them cannot be closed in order, the
        others still are, and then its error is raised."""


class System(ABC):
    """A kind of system: a frozen dataclass whose fields are the keys of [system]. Its file holds one with its default
    settings as SYSTEM; the field `kind` is its id."""

    kind: str
    title: ClassVar[str]

    @property
    def id(self) -> str:
        return self.kind

    @abstractmethod
    def features(self, spec: WorldSpec) -> frozenset[str]:
        """What attacks, faults and scenarios may ask for in this world."""

    def lacks(self, spec: WorldSpec, needed: frozenset[str]) -> str:
        """See WorldSpec.lacks."""
        missing = needed - self.features(spec)
        return f"needs {', '.join(sorted(missing))}; system '{self.id}' has none" if missing else ""

    def refuse_contradictions(self, spec: WorldSpec, place: Place) -> None:  # noqa: B027  (a system need refuse nothing)
        """Refuse settings of a world that are allowed each and not together in this system, with the keys of both.
        Asked as WorldSpec.refuse_contradictions is. Raises SpecError."""

    @property
    def securities(self) -> tuple[str, ...]:
        """The security modes of meters that it attaches; others are not part of it."""
        return SECURITIES

    @property
    def stores_at_once(self) -> bool:
        """A telegram is stored when it is heard; else when `deliver` takes what arrived."""
        return False

    @property
    def verifies_time(self) -> bool:
        """Its gateways believe nobody's time who cannot prove who he is."""
        return False

    @abstractmethod
    def build(self, ground: Ground) -> SystemUnderTest:
        """The system, not started: it holds no process and no open file yet."""


SYSTEMS: Folder[System] = Folder("sim.systems", "SYSTEM", "system", System)  # type: ignore[type-abstract]  # it makes none


def system_classes() -> dict[str, type[System]]:
    """Kind -> the class of its settings."""
    return {id_: type(system) for id_, system in SYSTEMS.parts().items()}
