"""The port: what a world asks of a gateway, real or virtual. A scenario asks for a feature, never for a product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Protocol, cast

from sim.core.clock import Clock
from sim.core.events import Event
from sim.endpoint.port import Session
from sim.gateway.thinning import Thinning

GatewayFeature = Literal[
    "always awake",  # its receiver listens whenever it has power, and everything received goes on
    "birth",  # says its boot and its count of sessions after each CONNACK
    "bundling rule",  # bundles close by sim.gateway.bundling, so a city can play it as arrays
    "custody",  # keeps every bundle until the portal acknowledges it
    "forwards_encrypted",  # telegrams go on as they were received
    "power_cut",  # what was stored outlasts a power cut
    "quarantine",  # what a broker refuses again and again blocks nothing
    "shadow",  # can keep its device shadow up to date (gateway.shadow)
]


class Carried(NamedTuple):
    """A bundle on its way to the broker: when the gateway gave it, and when it is there. World ns."""

    sequence: int
    payload: bytes
    sent_ns: int
    arrives_ns: int


class Way(Protocol):
    """A gateway's way to the broker in virtual time. What is on it is in the gateway's outbox as well."""

    def send(self, now_ns: int, sequence: int, payload: bytes) -> None:
        """A bundle goes, behind those that go already."""

    def arrived(self, now_ns: int) -> Sequence[Carried]:
        """What is there by now and was not told before, in the order in which it was sent."""

    @property
    def under_way(self) -> tuple[int, ...]:
        """Sequences sent and not there, oldest first."""

    def cut(self, now_ns: int) -> None:
        """The gateway lost its power: nothing is on the way any more."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a world connects a gateway to. `directory`: where it keeps its files, named by its id. `dial` begins a
    session that is subscribed to the gateway's acknowledgements; `record` writes an event into the history.
    `portal_key`: the public key under which the portal signs them, as the installer entered it. `clock`: the world's,
    where the gateway must know how it runs. `meter_keys`: of every meter of the fleet, eight digits -> 32 hex digits,
    "" in clear, for a real gateway that cannot do without; ours never ask. `way`: what lies between it and the broker
    in virtual time; None: nothing."""

    directory: Path
    dial: Callable[[], Session]
    record: Callable[[Event], None]
    portal_key: bytes
    clock: Clock | None = None
    meter_keys: Callable[[], Mapping[str, str]] = dict
    way: Way | None = None


class Given(NamedTuple):
    """Values that a real gateway gave of a meter (eight digits, as it wrote them), and when, in world ns."""

    at_ns: int
    meter: str
    values: Mapping[str, object]


class Waking(NamedTuple):
    """When a receiver listens: `awake_ns` of every `every_ns`, first at `first_ns` of world time."""

    first_ns: int
    every_ns: int
    awake_ns: int

    def at(self, now_ns: int) -> tuple[bool, int]:
        """(whether it listens, how long that stays so)."""
        if now_ns < self.first_ns:
            return False, self.first_ns - now_ns
        if self.awake_ns == self.every_ns:
            return True, self.every_ns
        since_ns = (now_ns - self.first_ns) % self.every_ns
        awake = since_ns < self.awake_ns
        return awake, (self.awake_ns if awake else self.every_ns) - since_ns


class GatewayPort(Protocol):
    """A keyless forwarder, switched on when it is made. All times are world ns; the gateway adds its own clock's offset
    itself."""

    id: str
    features: ClassVar[frozenset[GatewayFeature]]
    waking: Waking | None
    """When its receiver listens; None: always."""
    thinning: Thinning | None
    """What it drops of what it receives; None: nothing."""
    real: ClassVar[bool]
    """It works outside of the world, so it is told of a frame when that ends, and says what it heard when it likes."""
    mode: str
    """How the frame was sent that a real one receives next."""

    @property
    def up(self) -> bool:
        """It has power: it receives and forwards."""

    @property
    def session(self) -> Session:
        """Its connection to the endpoint since the latest power-on."""

    def set_clock(self, offset_s: float) -> None:
        """Somebody sets its clock: so many seconds ahead of the right time from now on. Raises LookupError for a real
        one, whose clock is its machine's."""

    # --- radio side

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        """A telegram from the air (bytes without CRCs, L first), in order of time. A kind may have `receive_all` beside
        it (see `ReceivesMany`)."""

    def close_due(self, now_ns: int) -> None:
        """Close the open bundle if its age asks for it."""

    def flush(self, now_ns: int) -> None:
        """Close the open bundle now, whatever its age (the end of a run)."""

    @property
    def open_bundle(self) -> tuple[bytes, ...]:
        """Telegrams received and not yet in a closed bundle: what a power cut takes."""

    # --- network side

    def pump(self, now_ns: int) -> None:
        """Publish what waits, take acknowledgements in. Called between turns of the endpoint's event loop."""

    @property
    def waiting(self) -> tuple[int, ...]:
        """Sequences closed and not yet acknowledged by the portal, oldest first; quarantined ones left out, and those
        still on their way to the broker."""

    @property
    def quarantined(self) -> tuple[int, ...]:
        """Sequences that the broker does not take, kept on the disk."""

    def custody(self) -> frozenset[int]:
        """Sequences of every bundle on its disk that the portal has not acknowledged, quarantined ones too. Can be
        asked of a gateway without power: its disk is read."""

    def on_disk(self) -> frozenset[bytes]:
        """The telegrams of the bundles of `custody`, of a gateway without power."""

    # --- power

    @property
    def boot(self) -> str:
        """Names the present power-on; it never comes again."""

    def power_cut(self, now_ns: int) -> None:
        """Everything not in the outbox is gone."""

    def power_on(self, now_ns: int) -> None: ...

    def close(self) -> None:
        """Switch off in order. Idempotent."""

    # --- of a real one; ours have the answers of `InWorld`

    @property
    def names(self) -> str:
        """With `means`: what it calls its values (see sim.readers.message_content)."""

    @property
    def means(self) -> Mapping[str, str]: ...

    @property
    def key_places(self) -> tuple[Path, ...]:
        """Files in which meters' keys lie, because it needs them."""

    @property
    def opened_in(self) -> Path | None:
        """The folder in which one that decodes has readings in clear; None of one that forwards."""

    def given(self) -> Iterator[Given]:
        """What it gave as values, oldest first."""

    def undelivered(self) -> Sequence[bytes]:
        """Telegrams that it received and that never came back: a gateway outside of the bench answers for them, and
        nobody behind it can. Each as often as it was received."""

    @property
    def complaint(self) -> str:
        """Why a run with it proves nothing, in one sentence; "" when it was at work."""

    def as_json(self) -> dict[str, object]:
        """What was measured of it, for run.json; nothing of one that is part of the world."""


class InWorld:
    """The part of GatewayPort that is about real gateways, as a gateway answers that is part of the world."""

    real: ClassVar[bool] = False
    mode = ""

    @property
    def names(self) -> str:
        return ""

    @property
    def means(self) -> Mapping[str, str]:
        return {}

    @property
    def key_places(self) -> tuple[Path, ...]:
        return ()

    @property
    def opened_in(self) -> Path | None:
        return None

    def given(self) -> Iterator[Given]:
        return iter(())

    def undelivered(self) -> Sequence[bytes]:
        return ()

    @property
    def complaint(self) -> str:
        return ""

    def as_json(self) -> dict[str, object]:
        return {}


class ReceivesMany(Protocol):
    """A gateway that takes at once what its receiver heard in a window."""

    def receive_all(
        self, telegrams: Sequence[bytes], received_ns: Sequence[int], rssi_dbm: Sequence[float]
    ) -> Iterator[int]:
        """What `receive` does with one after the other; columns of equal length, in order of time. It gives the place
        of each telegram with which something may happen that others are told of, right before it takes that one: who
        has several gateways goes on with the one whose place is the earliest, and what happens keeps its order."""


def receives_many(gateway: GatewayPort) -> ReceivesMany | None:
    """The gateway, where its kind has a `receive_all` that belongs to its `receive`: one that inherits the first and
    has a `receive` of its own is called for each telegram."""
    for kind in type(gateway).__mro__:
        if "receive_all" in vars(kind):
            return cast("ReceivesMany", gateway)
        if "receive" in vars(kind):
            break
    return None


def unheard_most_ns(gateway: GatewayPort) -> int:
    """How long nothing of a meter may go on by plan: a sleep, and a period of thinning."""
    asleep_ns = gateway.waking.every_ns - gateway.waking.awake_ns if gateway.waking is not None else 0
    return asleep_ns + (gateway.thinning.period_ns if gateway.thinning is not None else 0)
