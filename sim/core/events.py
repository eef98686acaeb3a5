"""What can happen in a world: one frozen record each. The history is made of these, and verdicts are made of it.

`frames` (every telegram on the air, with its fate at every receiver) come in numbers and are kept as arrays, see
history.FrameBatch; everything else is one of the records below. `observed = True` marks what depends on real
sockets and the machine's load (a reconnect, a message sent twice): it is written down but stays out of the digest.
`bulk = True` marks what grows with the traffic: it stays in the file and out of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class Fate(IntEnum):
    """What became of one frame at one receiver, in the order in which a loss finds its one reason (sim/radio/loss.py
    judges). This is the one table of them: number, colour and hatch in plots, and what it says."""

    colour: str  # a name of reports/palette.py
    hatch: str  # a pattern of matplotlib, so that colour never stands alone
    says: str

    RECEIVED = 0, "green", "", "nothing below happened to it"
    GATEWAY_DOWN = 1, "violet", "xxx", "the receiver was down at a moment of the frame"
    OUT_OF_RANGE = 2, "grey", "...", "the level, fading included, was below the receiver's sensitivity"
    RECEIVER_BUSY = (
        3, "amber", "\\\\\\\\",
        "no demodulator followed it to its end: each had an earlier frame, or went over to a later, stronger one",
    )  # fmt: skip
    JAMMED = 4, "red", "++", "the jammers alone came closer than the capture threshold"
    COLLISION = 5, "blue", "////", "all other emissions together came closer than the capture threshold"

    def __new__(cls, number: int, colour: str = "", hatch: str = "", says: str = "") -> Fate:
        fate = int.__new__(cls, number)
        fate._value_ = number
        fate.colour, fate.hatch, fate.says = colour, hatch, says
        return fate

    @property
    def label(self) -> str:
        """The name as reports and histories write it: `out of range`."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Event:
    """`time_ns` is world time."""

    observed: ClassVar[bool] = False
    bulk: ClassVar[bool] = False
    time_ns: int


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """Which run this is. Not digested: two spellings of one world have one history."""

    observed: ClassVar[bool] = True
    world: str
    seed: int
    spec_digest: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """The last event of a history."""
    outcome: str  # "complete" or "interrupted"


@dataclass(frozen=True, slots=True)
class WindowEnded(Event):
    """Counts over one window; `fates` by Fate label over (frame, receiver in reach) pairs."""

    bulk: ClassVar[bool] = True
    frames_sent: int
    frames_heard: int  # frames that at least one gateway received
    fates: dict[str, int]
    readings_stored: int
    refused: dict[str, int]  # by the portal's reason


@dataclass(frozen=True, slots=True)
class BundleClosed(Event):
    """A gateway closed a bundle and keeps it in its outbox."""
    bulk: ClassVar[bool] = True
    gateway: str
    sequence: int
    telegrams: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class BundleCarried(Event):
    """A bundle came to the broker's end of its gateway's way at `arrived_ns`, sent at `sent_ns`; told at the end of the
    window. Only in worlds with a [backhaul]."""
    bulk: ClassVar[bool] = True
    gateway: str
    sequence: int
    sent_ns: int
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class ContainerSealed(Event):
    """A smart meter gateway sealed values for one receiver and signed them; `container` is their fingerprint."""
    bulk: ClassVar[bool] = True
    gateway: str
    receiver: str
    number: int
    values: int
    size_bytes: int
    container: str


@dataclass(frozen=True, slots=True)
class SessionRefused(Event):
    """An administrator let a smart meter gateway open no session, by a clause about its certificate."""
    gateway: str
    clause: str


@dataclass(frozen=True, slots=True)
class GatewayWoken(Event):
    """A smart meter gateway took a datagram for its administrator's call, and called it; `datagram` is its
    fingerprint."""
    gateway: str
    datagram: str


@dataclass(frozen=True, slots=True)
class ModuleFailed(Event):
    """A smart meter gateway's security module refused, or did not answer; what it was to sign waits. "" as reason: it
    works again."""
    gateway: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContainerRefused(Event):
    """A final receiver did not take a container that came in a gateway's name."""
    receiver: str
    gateway: str
    reason: str


@dataclass(frozen=True, slots=True)
class SnapshotAsked(Event):
    """A receiver asked a smart meter gateway for values on demand (TAF 6), due then (seconds since 1970); whether it
    took it."""
    gateway: str
    receiver: str
    due_s: int
    taken: bool


@dataclass(frozen=True, slots=True)
class KeysRenewed(Event):
    """A smart meter gateway's next keys (TLS, ENC, SIG): "certified", "refused" with the clause, or "superseded", when
    those before were taken back, since nothing of theirs waits any more."""
    gateway: str
    number: int
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RuleSetTaken(Event):
    """A smart meter gateway fetched a rule set of its administrator's, for one receiver; whether it obeys it."""
    gateway: str
    receiver: str
    taf: int
    taken: bool


@dataclass(frozen=True, slots=True)
class FirmwareTold(Event):
    """What became of an image of firmware in a smart meter gateway: installed (then `detail` is the SHA-256 of its
    program), or refused, and why."""
    gateway: str
    what: str
    detail: str
    installed: bool


@dataclass(frozen=True, slots=True)
class GatewayDisturbed(Event):
    """A smart meter gateway's housing noticed something: it was opened, it was moved, its module was pulled."""
    gateway: str
    what: str


@dataclass(frozen=True, slots=True)
class WiredMeterTold(Event):
    """What a smart meter gateway found on its wired bus: a session that is refused, a number that is there twice."""
    gateway: str
    meter: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class RadioMeterTold(Event):
    """What a smart meter gateway found of a radio meter of security profile C: a session or a frame that is refused.
    Once for each meter and reason, while it has power."""
    gateway: str
    meter: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class BundleAcknowledged(Event):
    """The portal acknowledged a bundle after its commit; the gateway deletes it."""
    observed: ClassVar[bool] = True
    bulk: ClassVar[bool] = True
    gateway: str
    sequence: int


@dataclass(frozen=True, slots=True)
class AcknowledgementRefused(Event):
    """A gateway was given an acknowledgement that the portal did not sign: nothing is deleted on it."""

    observed: ClassVar[bool] = True
    gateway: str
    bundles: int


@dataclass(frozen=True, slots=True)
class BundleQuarantined(Event):
    """The broker would not take it, or the portal never acknowledged it: kept on the gateway, not lost."""

    observed: ClassVar[bool] = True
    gateway: str
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class SessionChanged(Event):
    """The state of a client's session with the broker. Sessions move while world time stands still: `wall_ns` is when
    it happened (UTC, ns since 1970; 0: unknown), and tells what came first. `whose`: "owner", or "attacker" where one
    shows the name of a client."""
    observed: ClassVar[bool] = True
    client: str
    state: str  # "connected", "refused", "dropped", "closed"
    reason: str
    wall_ns: int = 0
    whose: str = "owner"


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """The portal raised an alarm."""
    kind: str  # "tamper", "gap", "replay", "forgery", "twin gateway", ...
    subject: str  # meter address or gateway id
    detail: str


@dataclass(frozen=True, slots=True)
class TelegramRefused(Event):
    """A telegram the portal did not take as a reading. `telegram` is its fingerprint, not its bytes."""

    bulk: ClassVar[bool] = True
    meter: str
    gateway: str
    reason: str
    telegram: str


@dataclass(frozen=True, slots=True)
class AttackActed(Event):
    """What an attacker did, as it notes it itself."""
    attack: str
    action: str  # "hear", "speak", "jam", "publish", "connect", "intercept", ...
    detail: str


@dataclass(frozen=True, slots=True)
class FaultInjected(Event):
    """A fault struck or ended."""
    kind: str  # "broker killed", "gateway power cut", "portal restarted", ...
    subject: str


@dataclass(frozen=True, slots=True)
class FaultWitnessed(Event):
    """By what effect a fault, or its end, was seen; "" when nothing showed it. Observed: process ids and the state of
    sockets are the machine's."""

    observed: ClassVar[bool] = True
    kind: str  # as in FaultInjected
    subject: str
    evidence: str


@dataclass(frozen=True, slots=True)
class MeterTampered(Event):
    """Truth: what physically happened to a meter; the portal learns of it only by telegram."""

    meter: str
    how: str
