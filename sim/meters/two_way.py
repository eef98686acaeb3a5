"""A meter that can be told something: commands to it, what it makes of them, its clock and its battery.

After each of its telegrams it listens for a moment (EN 13757-4 calls it the access window). In it another device may
send, with the meter's address in a long transport header and the sender's own in the link layer:

    SND-UD  C 53, CI 5B   "set your clock": a date and time (type F), in the security mode agreed for the meter
    REQ-UD2 C 5B, CI 80   "say your telegram again": nothing in it that could be secured

In mode 7 a command is under Lenc and Lmac (KDF-A with its own constants) and the sender's own message counter, which
must grow. Mode 5 has neither: a command that was good once is good always.

Bytes and seconds in, bytes out: when it listens and what reaches it is for the world to say (sim/two_way_air). Currents
are of the order of data sheets of transceivers for this band and of a lithium cell, were not measured here, and stand
in the settings; what is compared is a battery's life with an attack and without.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sim.core.vocabulary import MODE_OF, Security
from sim.radio.link_modes import Mode, air_time_ns
from wmbus.dates import encode_f
from wmbus.errors import BadTelegram
from wmbus.link import Address
from wmbus.records import parse_records
from wmbus.sender import profile_b
from wmbus.telegram import build, parse, seal, unlock
from wmbus.transport import CFG_A, CFG_B, Transport

SND_UD, REQ_UD2, RSP_UD, ACK = 0x53, 0x5B, 0x08, 0x00
CI_COMMAND, CI_REQUEST, CI_ANSWER = 0x5B, 0x80, 0x8A
CLOCK_RECORD: Final = bytes.fromhex("046d")
UNITS_RECORD: Final = bytes.fromhex("036e")
MODE: Final = Mode.T1
"""Both ways; EN 13757-4 has a channel of its own for the way back."""
SENSITIVITY_CDBM: Final = -10_000
POWER_CDBM: Final = 1_000
TURNAROUND_S: Final = 0.003
"""A meter's own answer comes so long after what it answers."""
SEEN_BEFORE: Final = "counter seen before"
_HOUR_S: Final = 3_600.0
_YEAR_H: Final = 8_766.0


def agreed(security: Security) -> str:
    """What a meter says of a command in another security mode than its own."""
    return f"agreed was {security}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWay:
    """A meter as it was bought. `takes_clear`: commands that nobody secured are obeyed too. `keeps_counter`: a
    command's counter must be greater than the last one's. `answers_an_hour`: how many requests it answers in any hour
    (None: all). Currents in mA, the cell in mAh."""

    address: Address
    security: Security
    key: bytes
    interval_s: float = 120.0
    listens_s: float = 0.05
    takes_clear: bool = False
    keeps_counter: bool = True
    answers_an_hour: int | None = 12
    sleeping_ma: float = 0.004
    listening_ma: float = 18.0
    sending_ma: float = 35.0
    cell_mah: float = 1_900.0


class TwoWayMeter:
    """`said`: what became of what it heard -> how often. `clock_offset_s`: its clock, against the right time."""

    def __init__(self, spec: TwoWay) -> None:
        self.spec = spec
        self.clock_offset_s = 0.0
        self.said: Counter[str] = Counter()
        self.answered_at_s: list[float] = []
        self._acc = 0
        self._counter = 1_000
        self._command_counter = 0
        self._used: list[tuple[float, float]] = [(0.0, 0.0)]  # (until, mAh awake)

    # --- what it says -----------------------------------------------------------------------------------------------

    def telegram(self, now: datetime, now_s: float, *, c_field: int = 0x44) -> bytes:
        """Its next telegram: units, and its clock. It says that it is bidirectional and can be accessed now."""
        self._acc = (self._acc + 1) % 256
        self._counter += 1
        shown = (now + timedelta(seconds=self.clock_offset_s)).replace(tzinfo=None)
        records = UNITS_RECORD + int(now_s // 60).to_bytes(3, "little") + CLOCK_RECORD + encode_f(shown)
        spec = self.spec
        return build(
            spec.address, self._acc, 0, records, security=spec.security, key=spec.key, counter=self._counter,
            c_field=c_field, cfg_flags=0 if spec.security == "mode7" else CFG_A | CFG_B,
        )  # fmt: skip

    # --- what it is told --------------------------------------------------------------------------------------------

    def hear(self, frame: bytes, now: datetime, now_s: float) -> bytes:
        """What it answers at once; b"": nothing."""
        try:
            telegram = parse(frame)
        except BadTelegram:
            return b""
        transport = telegram.transport
        if transport is None or transport.address != self.spec.address:
            return b""  # another meter's, or somebody's who names no receiver
        c_field = frame[1]
        if c_field == REQ_UD2:
            return self._answer(now, now_s)
        if c_field != SND_UD or transport.ci != CI_COMMAND:
            self.said["refused: no command"] += 1
            return b""
        word = self._obey(frame, now)
        self.said[word] += 1
        return self._acknowledgement() if word == "clock set" else b""

    def _answer(self, now: datetime, now_s: float) -> bytes:
        self.answered_at_s = [at_s for at_s in self.answered_at_s if now_s - at_s < _HOUR_S]
        most = self.spec.answers_an_hour
        if most is not None and len(self.answered_at_s) >= most:
            self.said["refused: answers of this hour used up"] += 1
            return b""
        self.answered_at_s.append(now_s)
        self.said["answered"] += 1
        return self.telegram(now, now_s, c_field=RSP_UD)

    def _obey(self, frame: bytes, now: datetime) -> str:
        spec, telegram = self.spec, parse(frame)
        if telegram.mode != MODE_OF[spec.security] and not (telegram.mode == 0 and spec.takes_clear):
            return f"refused: {telegram.security}, {agreed(spec.security)}"
        try:
            unlocked = unlock(telegram, spec.key, to_meter=True)
            records = parse_records(unlocked.plaintext)
        except BadTelegram as error:
            return f"refused: {error.reason.value}"
        if telegram.mode == 7:
            counter = unlocked.counter or 0
            if spec.keeps_counter and counter <= self._command_counter:
                return f"refused: {SEEN_BEFORE}"
            self._command_counter = max(self._command_counter, counter)
        told = next((one.value for one in records if isinstance(one.value, datetime)), None)
        if told is None:
            return "refused: no clock in it"
        self.clock_offset_s = (told - now.replace(tzinfo=None)).total_seconds()
        return "clock set"

    def _acknowledgement(self) -> bytes:
        self._acc = (self._acc + 1) % 256
        return seal(ACK, self.spec.address, b"", Transport(CI_ANSWER, self._acc, 0, 0))

    # --- its battery ------------------------------------------------------------------------------------------------

    def sent(self, length_bytes: int, mode: Mode, now_s: float) -> None:
        """It was on the air with that many bytes, until now."""
        self._use(self.spec.sending_ma * air_time_ns(mode, length_bytes) / 1e9, now_s)

    def listened(self, seconds: float, now_s: float) -> None:
        """It listened so long, until now."""
        self._use(self.spec.listening_ma * seconds, now_s)

    def _use(self, charge_mas: float, now_s: float) -> None:
        self._used.append((now_s, self._used[-1][1] + charge_mas / _HOUR_S))

    def used_mah(self, until_s: float) -> float:
        """From the beginning of the world, asleep as well."""
        at = bisect_right(self._used, until_s, key=lambda one: one[0])
        return self._used[at - 1][1] + self.spec.sleeping_ma * until_s / _HOUR_S

    def use(self, until_s: float) -> tuple[tuple[float, float], ...]:
        """(hours, mAh used by then), at 60 equal steps."""
        at_s = [until_s * step / 60 for step in range(61)]
        return tuple((round(one / _HOUR_S, 3), round(self.used_mah(one), 4)) for one in at_s)

    def own_life_years(self) -> float:
        """How long a new cell lasts while nobody asks: asleep, and by its interval a telegram and a moment's
        listening."""
        spec = self.spec
        sending_s = air_time_ns(Mode.T1, len(self.telegram(datetime(2026, 1, 1), 0.0))) / 1e9  # noqa: DTZ001
        each_mas = spec.sending_ma * sending_s + spec.listening_ma * spec.listens_s
        return self.life_years((spec.sleeping_ma * spec.interval_s + each_mas) / _HOUR_S, spec.interval_s)

    def life_years(self, used_mah: float, over_s: float) -> float:
        """How long a new cell lasts at what was used over a time."""
        return self.spec.cell_mah / (used_mah / (over_s / _HOUR_S)) / _YEAR_H


# --- the other side: commands ----------------------------------------------------------------------------------------


def clock_command(
    meter: Address, sender: Address, at: datetime, acc: int, *, security: Security, key: bytes | None = None,
    counter: int | None = None,
) -> bytes:  # fmt: skip
    """SND-UD: "set your clock to this". Raises CannotEncode."""
    records = CLOCK_RECORD + encode_f(at)
    if security == "mode7":
        transport, afl, plaintext = profile_b(acc, 0, records, counter or 0, ci=CI_COMMAND, address=meter)
        return seal(SND_UD, sender, plaintext, transport, key=key, afl=afl, to_meter=True)
    if security == "mode5":
        plaintext = b"\x2f\x2f" + records + b"\x2f" * (-(len(records) + 2) % 16)
        transport = Transport(CI_COMMAND, acc, 0, 0x0500 | len(plaintext) // 16 << 4, meter)
        return seal(SND_UD, sender, plaintext, transport, key=key, to_meter=True)
    return seal(SND_UD, sender, records, Transport(CI_COMMAND, acc, 0, 0, meter))


def request(meter: Address, sender: Address, acc: int) -> bytes:
    """REQ-UD2: "say your telegram". Raises CannotEncode."""
    return seal(REQ_UD2, sender, b"", Transport(CI_REQUEST, acc, 0, 0, meter))
