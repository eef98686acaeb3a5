"""Hours of ordinary work with what happens in hours: the broker is away, the connection breaks. Nothing is lost, and
memory does not grow."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Failed, Row, Undecided
from bench.desk.stand import Stand, Stopped
from sim.core.clock import wall_s

_HOUR_S: Final = 3_600.0
_ROUND_S: Final = 60.0
_GROWN_MOST: Final = 1.5
_GROWN_BYTES: Final = 32 << 20


@dataclass
class _Soak:
    """What was seen so far. `sizes`: resident bytes of its program after each round, 0 where none runs here."""

    rounds: int = 0
    telegrams: int = 0
    sizes: list[int] = field(default_factory=list)

    @property
    def memory(self) -> tuple[int, int]:
        """The most of the first quarter, the least of the last."""
        quarter = max(1, len(self.sizes) // 4)
        return max(self.sizes[:quarter], default=0), min(self.sizes[-quarter:], default=0)

    def words(self, hours: float) -> str:
        early, late = self.memory
        return f"{self.telegrams} telegrams in {hours:.3g} h came, memory {early >> 20} to {late >> 20} MiB"


def _play(stand: Stand) -> str:
    stand.hello()
    begun_s, soak = wall_s(), _Soak()
    end_s = begun_s + stand.depth.soak_h * _HOUR_S
    try:
        while wall_s() < end_s or not soak.rounds:
            _minute(stand, soak, end_s)
    except Stopped:
        hours = (wall_s() - begun_s) / _HOUR_S
        raise Undecided(f"stopped before its {stand.depth.soak_h:g} h were over: {soak.words(hours)}") from None
    early, late = soak.memory
    if early and late > _GROWN_MOST * early + _GROWN_BYTES:
        raise Failed(f"its memory grew from {early >> 20} to {late >> 20} MiB in {soak.rounds} minutes")
    return soak.words(stand.depth.soak_h)


def _minute(stand: Stand, soak: _Soak, end_s: float) -> None:
    """One round, judged and noted. Raises Failed, Stopped."""
    fed = _round(stand, min(_ROUND_S, max(1.0, end_s - wall_s())), soak.rounds)
    soak.rounds, soak.telegrams = soak.rounds + 1, soak.telegrams + len(fed)
    stand.needs_alive()
    stand.refuse_loss(fed, f"telegrams of minute {soak.rounds}")
    stand.refuse_strangers()
    soak.sizes.append(_resident_bytes(stand.box.pid))
    noted = {"minute": soak.rounds, "fed": len(fed), "resident_bytes": soak.sizes[-1],
             "bench_resident_bytes": _resident_bytes(os.getpid())}  # fmt: skip
    with (stand.directory / "soak.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(noted) + "\n")
    stand.forget()


def _round(stand: Stand, seconds_s: float, number: int) -> list[Fed]:
    """A minute: two telegrams a second; each tenth with a broken connection, each thirtieth with a broker away."""
    fed: list[Fed] = []
    end_s = wall_s() + seconds_s
    if number % 30 == 29 and stand.switch is not None and stand.claims.buffer != "none":
        stand.path.refuse()
        fed += stand.feed_all(stand.traffic.several(20), paced=False)
        stand.turn(min(20.0, seconds_s / 2))
        stand.back("a broker that was away")
    elif number % 10 == 9 and stand.switch is not None:
        stand.quiet(1.0)
        stand.path.cut()
        stand.turn(1.0)
        stand.recovers("a broken connection")
    while wall_s() < end_s:
        fed.append(stand.feed(stand.traffic.next()))
        stand.turn(0.5)
    stand.await_all(fed)
    return fed


def _resident_bytes(pid: int | None) -> int:
    """Of its program and no other's; 0 where none runs here."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(found[0]) * 1_024 if found else 0


ROW = Row("soak", "Hours of work (--soak)", _play, waits=True)
