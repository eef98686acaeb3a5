"""What of a gateway's life goes into which log, and what each consumer's part of a delivery was.

Before values leave they stand in the log of each consumer whose they are, with receiver, count, period and the digest
of his part; the part itself is kept beside it. While one log that would have to be written is full nothing leaves, and
what is due stays due. Under a full calibration log no rule set is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sim.core.events import AlarmRaised
from sim.core.quoting import shown
from sim.smart_metering.gateway_logs import GatewayLogs
from sim.smgw.delivered_content import Delivery, Value
from sim.smgw.german_time import text as local_text
from sim.smgw.logs.hash_chain import Row
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM, Entry, Level, LogEvent, consumer, owner_of
from sim.smgw.refusals import RuleError


class SentPart(NamedTuple):
    """A consumer's own part of a delivery, as it left at `at_s` (since 1970, by the gateway's clock)."""

    number: int
    receiver: str
    at_s: int
    content: bytes


@dataclass(slots=True)
class Diary:
    """`owner_of`: meter -> whose it is."""

    gateway: str
    logs: GatewayLogs
    sent: Path
    owner_of: Callable[[str], str]
    owners: Callable[[], Iterable[str]]

    @classmethod
    def on_disk(
        cls, gateway: str, disk: Path, sign: Callable[[bytes], bytes], now_s: int, owner_of: Callable[[str], str],
        owners: Callable[[], Iterable[str]],
    ) -> Diary:  # fmt: skip
        """In a gateway's own folder."""
        return cls(gateway, GatewayLogs(disk / "logs", gateway, sign, now_s), disk / "sent", owner_of, owners)

    # --- system and calibration -------------------------------------------------------------------------------------

    def power_on(self, at_s: int, boots: int) -> None:
        self._system(at_s, Level.INFORMATION, LogEvent.POWER_ON, self.gateway, f"switched on, time {boots}")

    def alarm(self, at_s: int, alarm: AlarmRaised) -> None:
        """What the intake tells of a meter."""
        text = shown(f"{alarm.kind}: {alarm.detail}")[:400]
        self._system(at_s, Level.WARNING, LogEvent.METER_ALARM, shown(alarm.subject)[:80], text)

    def disturbed(self, at_s: int, what: str) -> None:
        """What a sensor of the housing noticed (housing.KINDS)."""
        self._system(at_s, Level.ERROR, LogEvent.DISTURBED, self.gateway, what)

    def firmware(self, at_s: int, what: str, detail: str, *, installed: bool) -> None:
        """What became of an image; one that runs now bears on what is measured."""
        level = Level.INFORMATION if installed else Level.ERROR
        text = shown(f"{what} ({detail})")[:400]
        self._system(at_s, level, LogEvent.FIRMWARE, self.gateway, text)
        if installed and self.logs.has_room(CALIBRATION, at_s):
            entry = Entry(at_s, level, LogEvent.FIRMWARE, self.gateway, "administrator", 0, text)
            self.logs.write(CALIBRATION, entry)

    def clock(self, at_s: int, off_s: float, tolerance_s: float) -> None:
        """The administrator's time says that the clock was off; beyond the tolerance that bears on bills."""
        text = f"the clock was {off_s:+.1f} s off"
        self._system(at_s, Level.WARNING, LogEvent.CLOCK_OFF, self.gateway, text)
        if abs(off_s) > tolerance_s:
            entry = Entry(at_s, Level.ERROR, LogEvent.CLOCK_OFF, self.gateway, "administrator", 1,
                          f"{text}, of at most {tolerance_s:g} s: values are marked")  # fmt: skip
            if self.logs.has_room(CALIBRATION, at_s):
                self.logs.write(CALIBRATION, entry)

    def rules(self, at_s: int, receiver: str, taf: int) -> None:
        """A rule set of this tariff use case is to be obeyed from now on. Raises RuleError (log-full)."""
        text = f"rule set of TAF {taf} for {shown(receiver)}"
        entry = Entry(at_s, Level.INFORMATION, LogEvent.RULES_CHANGED, receiver, "administrator", 0, text)
        self.logs.write(CALIBRATION, entry)
        for owner in sorted(set(self.owners())):
            self.logs.write(consumer(owner), entry)

    def _system(self, at_s: int, level: Level, event: LogEvent, subject: str, text: str) -> None:
        with contextlib.suppress(RuleError):  # it rolls; only a module that does not sign keeps it from that
            self.logs.write(SYSTEM, Entry(at_s, level, event, subject, self.gateway, 0, text))

    # --- consumers --------------------------------------------------------------------------------------------------

    def room(self, at_s: int) -> bool:
        """Every consumer's log takes another row."""
        own = {name for name in self.logs.names if owner_of(name) is not None}
        return all(self.logs.has_room(name, at_s) for name in own | {consumer(owner) for owner in self.owners()})

    def sealed(self, at_s: int, receiver: str, number: int, values: Sequence[Value]) -> list[str]:
        """Values that leave from now on; whose they are. Raises RuleError (log-full)."""
        by_owner = self._by_owner(values)
        for owner, own in by_owner.items():
            content = Delivery(self.gateway, receiver, number, tuple(own)).encode()
            first_s = min(one.until_s if one.from_s is None else one.from_s for one in own)
            last_s = max(one.until_s for one in own)
            tafs = ", ".join(str(taf) for taf in sorted({one.taf for one in own}))
            text = (f"delivery {number}: {len(own)} values for {local_text(first_s)} to {local_text(last_s)}, "
                    f"TAF {tafs}, to {shown(receiver)}")  # fmt: skip
            entry = Entry(at_s, Level.INFORMATION, LogEvent.VALUES_SENT, receiver, self.gateway, 0, text,
                          hashlib.sha256(content).hexdigest())  # fmt: skip
            self.logs.write(consumer(owner), entry)
            self._keep(owner, SentPart(number, receiver, at_s, content))
        return list(by_owner)

    def handed(self, at_s: int, receiver: str, number: int, owners: Iterable[str]) -> None:
        """A delivery is with its receiver."""
        for owner in owners:
            text = f"delivery {number} is with {shown(receiver)}"
            entry = Entry(at_s, Level.INFORMATION, LogEvent.HANDED_OVER, receiver, self.gateway, 0, text)
            if self.logs.has_room(consumer(owner), at_s):
                self.logs.write(consumer(owner), entry)

    def _by_owner(self, values: Iterable[Value]) -> dict[str, list[Value]]:
        parts: dict[str, list[Value]] = {}
        for one in values:
            parts.setdefault(self.owner_of(one.meter), []).append(one)
        return dict(sorted(parts.items()))

    def _keep(self, owner: str, part: SentPart) -> None:
        self.sent.mkdir(parents=True, exist_ok=True)
        line = json.dumps([part.number, part.receiver, part.at_s, part.content.decode()]) + "\n"
        with self._file(owner).open("a", encoding="utf-8") as file:
            file.write(line)

    def parts(self, owner: str) -> list[SentPart]:
        """All that ever left of a consumer's, oldest first."""
        path = self._file(owner)
        if not path.exists():
            return []
        lines = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
        return [SentPart(a, b, c, d.encode()) for a, b, c, d in map(json.loads, lines)]

    def log_of(self, owner: str) -> list[Row]:
        return self.logs.rows(consumer(owner))

    def _file(self, owner: str) -> Path:
        return self.sent / f"{quote(owner, safe='')}.jsonl"
