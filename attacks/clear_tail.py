"""Clear tails: read what a meter left outside its encrypted blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.errors import BadTelegram
from wmbus.records import parse_records
from wmbus.telegram import parse

TAIL = "units read behind the encrypted blocks"


@attack(
    id="radio.tails",
    title="Read the clear tail behind too few encrypted blocks",
    threats=["L03"],
    can=Can.HEAR,
    ics=["T0887"],
    weakness={"portal.strict": False},
    seen_as="refused: clear tail (the meter, not the listener, is seen)",
)
@dataclass
class Tails:
    """The header says how many blocks are encrypted, none in mode 0; what follows them is in clear, whatever else the
    header says. Read its records. `sent`: telegram -> the units in it, for scoring only; a value counts when it is
    exactly that."""

    sent: Mapping[bytes, int] = field(default_factory=dict)
    read: list[tuple[bytes, str, int | None]] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "reading tails")
        reach.listen(self._listen)
        yield reach.wait(0)

    def _listen(self, heard: Heard) -> None:
        try:
            telegram = parse(heard.telegram)
            tail = telegram.payload[16 * telegram.encrypted_blocks :]
            records = parse_records(tail)
        except BadTelegram:
            return
        units = [record.value for record in records if record.unit == "HCA" and isinstance(record.value, int)]
        self.read.append((heard.telegram, telegram.security, units[0] if units else None))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        mine = [(frame, security, units) for frame, security, units in self.read if frame in self.sent]
        found = []
        for security in sorted({security for _, security, _ in mine}):
            right = [self.sent[frame] == units for frame, mode, units in mine if mode == security]
            found.append(
                Outcome(
                    TAIL,
                    security,
                    reached=len(right),
                    achieved=sum(right),
                    why=f"{sum(right)} of {len(right)} values read without a key",
                    evidence={"telegrams heard": len(right), "values recovered exactly": sum(right)},
                    heard=frozenset(fingerprint(frame) for frame, mode, _ in mine if mode == security),
                )
            )
        return found
