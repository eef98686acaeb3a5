"""Recorded logs as ./wmbench run --play reads them, in the three line formats; a case is the file.

A log is read or refused in one line; what is read has telegrams that the portal's enrolment can take apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.fuzz import mutations
from bench.fuzz.portal_bed import fleet_of_everything
from bench.fuzz.target import SECRET, Found, TargetKind, plain
from sim.core.seeds import Dice
from sim.recording.log import BadLog, read_log
from sim.recording.replayed_meters import announced
from wmbus.link import add_crcs_a, add_crcs_b

_TIMES = ("2026-02-09T04:01:02", "2026-02-09 04:01:02.345", "12.5", "0", "9999-12-31T23:59:59Z", "1e30", "-5", "now")
_LEVELS = ("-71", "-200", "50", "51", "nan", "", "inf", "65535")


class Logs:
    """See bench.fuzz.target.Target."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "case.log"
        fleet = fleet_of_everything(1)
        self._telegrams = [fleet.telegram(m, 3) for m in range(fleet.n)]

    def draw(self, dice: Dice) -> bytes:
        return b"\n".join(self._line(dice) for _ in range(dice.choice((1, 1, 2, 5))))

    def _line(self, dice: Dice) -> bytes:
        telegram = dice.choice(self._telegrams)
        if not dice.randrange(3):
            telegram = dice.choice((add_crcs_a, add_crcs_b))(telegram) if len(telegram) < 250 else telegram
        if not dice.randrange(3):
            telegram = mutations.mutate(telegram, dice)
        time, level, text = dice.choice(_TIMES[: dice.choice((1, 8))]), dice.choice(_LEVELS), telegram.hex()
        what = dice.randrange(5)
        if what == 0:
            line = f"T1;{dice.choice('01')};1;{time};97;{level};12345678;0x{text}"
        elif what == 1:
            line = json.dumps(
                {"time": time, "rssi": level, "telegram": text, "mode": dice.choice(("C1", "S1", "X", 7))}
            )
        elif what == 2:
            line = f"12345678,{SECRET}"
        else:
            line = dice.choice((",", ";", "\t", " ")).join((time, level, text))
        return mutations.changed_text(line.encode(), dice) if not dice.randrange(3) else line.encode()

    def change(self, case: bytes, dice: Dice) -> bytes:
        return mutations.changed_text(case, dice)

    def play(self, cases: Sequence[bytes]) -> list[str]:
        return [self._played(case) for case in cases]

    def _played(self, case: bytes) -> str:
        self._path.write_bytes(case)
        try:
            log = read_log(self._path)
        except BadLog as error:
            plain(str(error))
            if not str(error).startswith(str(self._path)):
                raise Found("a refused log is not named") from None
            return str(error).removeprefix(str(self._path)).lstrip(", line:0123456789")[:24]
        for one in log.played:
            announced(one.telegram)
        return "read"

    def check(self) -> None:
        self._path.write_text("".join(f"{at},-70,{one.hex()}\n" for at, one in enumerate(self._telegrams)))
        read = [one.telegram for one in read_log(self._path).played]
        if read != self._telegrams:
            raise Found("a genuine log is not read as it was written")

    def close(self) -> None:
        self._path.unlink(missing_ok=True)


TARGET = TargetKind(
    id="log",
    title="recorded logs (--play)",
    make=Logs,
    batches=1,
    together=400,
    guided=150,
    code=("sim/recording", "wmbus/link.py"),
)
