"""Real telegrams among simulated ones: a recording on the air, its meters in the portal's books, what came of each.

    playing = world.play(read_log(path).played, delay_s=60, antenna=Antenna(gateway=0, metres=6))
    playing.enrol({address: key})
    world.run(...)
    for one in playing.outcomes(): ...

The whole recording is sent by one transmitter near one gateway, each telegram with the power that makes its mean level
at that gateway the recorded one. Walls, cellars and radiators that stood between the real meter and the real receiver
are thereby put into the power. Two limits, and `Sending.limited` says when one was met: the power is one a wireless
M-Bus transmitter can have at most (POWER_MAX_DBM) and that anything at all has (POWER_MIN_DBM); and the level is not
below the gateway's sensitivity, since what is in the log was received.

What one receiver wrote down did not overlap on the air, but stamps of whole seconds may say so. A telegram whose turn
comes while another is still sent begins when that one is over; `Sending.start_ns` is when it really began.

Enrolling pins what a meter announces: an installer who knew no more than the recording would write that down. Where a
meter announces several security modes the strongest is pinned, so its telegrams in clear are refused as a downgrade.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sim.core.clock import NS_PER_MS, NS_PER_S, Steps, ns
from sim.core.events import Fate
from sim.core.vocabulary import SECURITIES, Security
from sim.portal.meter_registry import MeterEntry
from sim.portal.store import Reading, Refusal, fingerprint
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import loss_cdb
from sim.radio.propagation import centimetres
from sim.recording.log import Played
from sim.site_plan import gateway_groups, gateway_ids
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.link import Address

if TYPE_CHECKING:
    from sim.radio.emissions import Emission
    from sim.world import World

POWER_MAX_DBM: Final = 20.0
POWER_MIN_DBM: Final = -60.0
PAUSE_NS: Final = NS_PER_MS  # between two telegrams that would overlap
INTERVAL_LEAST_S: Final = 2.0
INTERVAL_MOST_S: Final = 604_800.0
HEARD_ONCE_S: Final = 86_400.0  # the interval assumed of a meter that is in the log once


class AlreadyThere(ValueError):
    """A meter of this address belongs to the world already."""


@dataclass(frozen=True, slots=True)
class Antenna:
    """Where the recording is sent from: `metres` away from a gateway (its index)."""

    gateway: int = 0
    metres: float = 6.0


@dataclass(slots=True)
class Sending:
    """One telegram of the recording, as it is sent. `limited` says in words why its level is not the recorded one."""

    played: Played
    start_ns: int
    end_ns: int
    power_cdbm: int
    limited: str
    fates: dict[int, Fate] = field(default_factory=dict)  # by gateway index


Came = Literal["stored", "refused", "copy", "lost"]


class Outcome(NamedTuple):
    """What came of one telegram. `why`: the portal's reason, or what destroyed it on the air ("" when stored)."""

    sending: Sending
    address: str
    security: str  # as the telegram announces it
    came: Came
    why: str
    detail: str
    reading: Reading | None


def announced(telegram: bytes) -> tuple[Address | None, str]:
    """(whose it says it is, how it says it is secured); (None, "unreadable") for what is not even a telegram."""
    try:
        parsed = parse(telegram)
    except BadTelegram:
        return None, "unreadable"
    return parsed.address, parsed.security


def enrol(world: World, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
    """Foreign meters join the world's system, with their keys. Raises AlreadyThere, KeyringError."""
    new = list(meters)
    for entry, _ in new:
        if world.system.registry.find(entry.address) is not None:
            raise AlreadyThere(f"{entry.address} is a meter of world {world.spec.name!r} already; is this a recording "
                               "of a simulation? Leave its lines out of the log")  # fmt: skip
    world.system.enrol(new)


class Playing:
    """One recording on a world's air, from `delay_s` after now. See World.play."""

    def __init__(self, world: World, played: Sequence[Played], *, delay_s: float, antenna: Antenna) -> None:
        if not 0 <= antenna.gateway < len(world.gateways):
            raise ValueError(f"there is no gateway {antenna.gateway} to play beside, of {len(world.gateways)}")
        self._world = world
        place = world.site.beside_gateway(antenna.gateway, antenna.metres)
        self._source = world.air.add_transmitter(place)
        receivers = world.air.receiver_arrays
        self._loss_cdb: list[int] = loss_cdb(world.air.propagation, centimetres(place), receivers)[0].tolist()
        self._sensitivity_cdbm: list[int] = receivers.certain_cdbm().tolist()
        self.sendings = list(self._plan(played, world.now_ns + ns(delay_s), antenna.gateway))
        world.truth.foreign.update(fingerprint(one.telegram) for one in played)
        world.air.taps.append(self._tap)
        world.clock.process(self._send())

    @property
    def end_ns(self) -> int:
        """World time at which the last telegram is over."""
        return max((one.end_ns for one in self.sendings), default=self._world.now_ns)

    # --- on the air -------------------------------------------------------------------------------------------------

    def _plan(self, played: Sequence[Played], first_ns: int, gateway: int) -> Iterator[Sending]:
        free_ns = first_ns
        for one in played:
            start_ns = max(first_ns + one.at_ns, free_ns)
            end_ns = start_ns + air_time_ns(Mode[one.mode], len(one.telegram))
            free_ns = end_ns + PAUSE_NS
            yield Sending(one, start_ns, end_ns, *self._power(one.rssi_dbm, gateway))

    def _power(self, rssi_dbm: float, gateway: int) -> tuple[int, str]:
        """(power in 1/100 dBm, why the level is not the recorded one)."""
        wanted_cdbm = max(round(rssi_dbm * 100), self._sensitivity_cdbm[gateway])
        power_cdbm = wanted_cdbm + self._loss_cdb[gateway]
        held_cdbm = min(max(power_cdbm, round(POWER_MIN_DBM * 100)), round(POWER_MAX_DBM * 100))
        level_dbm = (held_cdbm - self._loss_cdb[gateway]) / 100
        if held_cdbm != power_cdbm:
            return held_cdbm, f"{rssi_dbm:g} dBm would take a power of {power_cdbm / 100:.1f}; sent at {level_dbm:.1f}"
        if wanted_cdbm != round(rssi_dbm * 100):
            return held_cdbm, f"{rssi_dbm:g} dBm is below the gateway's sensitivity; sent at {level_dbm:.1f}"
        return held_cdbm, ""

    def _send(self) -> Steps:
        air, clock = self._world.air, self._world.clock
        for k, one in enumerate(self.sendings):
            yield clock.timeout(one.start_ns - clock.now_ns)
            telegram = one.played.telegram
            air.emit(self._source, k, Mode[one.played.mode], len(telegram), one.power_cdbm, frame=telegram)

    def _tap(self, emission: Emission, receiver: int, fate: Fate, _rssi_cdbm: int) -> None:
        if emission.source == self._source and receiver < len(self._world.gateways):
            self.sendings[emission.k].fates[receiver] = fate

    # --- in the portal's books --------------------------------------------------------------------------------------

    @property
    def addresses(self) -> list[Address]:
        """Of every meter in the recording, in the order in which they are heard."""
        found = (announced(one.played.telegram)[0] for one in self.sendings)
        return list(dict.fromkeys(address for address in found if address is not None))

    def enrol(self, keys: Mapping[Address, bytes]) -> None:
        """Register every meter of the recording, with its key where `keys` has one. Raises AlreadyThere."""
        enrol(self._world, [(entry, keys.get(entry.address)) for entry in self.entries()])

    def entries(self) -> list[MeterEntry]:
        """What an installer with no more than this recording would write down."""
        sent: dict[Address, list[Sending]] = defaultdict(list)
        pinned: dict[Address, Security] = {}
        for one in self.sendings:
            address, security = announced(one.played.telegram)
            if address is None:
                continue
            sent[address].append(one)
            strongest = max(SECURITIES.index(pinned.get(address, "none")), _rank(security))
            pinned[address] = SECURITIES[strongest]
        return [
            MeterEntry(
                address, security=pinned[address], interval_s=_interval_s([one.start_ns for one in own]),
                gateways=self._hearing(max(one.power_cdbm for one in own)), flat=None, house="recording",
            )
            for address, own in sent.items()
        ]  # fmt: skip

    def _hearing(self, power_cdbm: int) -> frozenset[str]:
        """Gateways that can hear this power, a fade of three sigmas included."""
        margin_cdb = round(300 * self._world.spec.site.fading_db)
        return frozenset(
            gateway.id
            for gateway, loss, least in zip(self._world.gateways, self._loss_cdb, self._sensitivity_cdbm, strict=False)
            if power_cdbm - loss + margin_cdb >= least
        )

    # --- what came of it --------------------------------------------------------------------------------------------

    def outcomes(self) -> list[Outcome]:
        """One a telegram, in the order of sending, read from the portal's tables after the world has run."""
        store = self._world.stored
        spec = self._world.spec
        offsets_ns = {
            id_: ns(group.clock_offset_s) for id_, group in zip(gateway_ids(spec), gateway_groups(spec), strict=True)
        }
        marks = self._world.truth.foreign
        readings: dict[tuple[str, int], Reading] = {}
        refusals: dict[tuple[str, int], Refusal] = {}
        for reading in store.readings():
            if reading.fingerprint in marks:
                readings[reading.fingerprint, reading.received_ns - offsets_ns.get(reading.gateway, 0)] = reading
        for refusal in store.refusals():
            if refusal.fingerprint in marks:
                at = (refusal.fingerprint, refusal.received_ns - offsets_ns.get(refusal.gateway, 0))
                refusals.setdefault(at, refusal)
        return [self._outcome(one, readings, refusals) for one in self.sendings]

    @staticmethod
    def _outcome(
        one: Sending, readings: Mapping[tuple[str, int], Reading], refusals: Mapping[tuple[str, int], Refusal]
    ) -> Outcome:
        address, security = announced(one.played.telegram)
        at = (fingerprint(one.played.telegram), one.end_ns)
        said = "" if address is None else str(address)
        if at in readings:
            return Outcome(one, said, security, "stored", "", "", readings[at])
        if at in refusals:
            return Outcome(one, said, security, "refused", refusals[at].reason, refusals[at].detail, None)
        if Fate.RECEIVED in one.fates.values():
            return Outcome(one, said, security, "copy", "copy", "the same bytes were taken from another gateway", None)
        fates = Counter(one.fates.values()).most_common(1)
        why = fates[0][0].label if fates else Fate.OUT_OF_RANGE.label
        return Outcome(one, said, security, "lost", why, "no gateway received it", None)


def _rank(security: str) -> int:
    """Place among the modes that can be pinned. What cannot be (an encrypted ELL, mode 10) ranks as none: the portal
    will say that it does not know it."""
    return next((i for i, known in enumerate(SECURITIES) if known == security), 0)


def _interval_s(starts_ns: Sequence[int]) -> float:
    gaps_ns = [later - sooner for sooner, later in pairwise(starts_ns)]
    if not gaps_ns:
        return HEARD_ONCE_S
    return min(max(median(gaps_ns) / NS_PER_S, INTERVAL_LEAST_S), INTERVAL_MOST_S)
