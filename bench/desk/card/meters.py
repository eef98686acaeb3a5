"""Meters with a history, and what a gateway with their keys tells of them.

A meter's readings rise with each telegram, so a value names the telegram that it was read from, and an older one that
comes after a newer is a step back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.desk.fed import Fed
from bench.desk.rows.port import Undecided
from bench.desk.stand import Stand
from bench.desk.traffic import MAKER, VERSION, WATER, Telegram
from sim.core.vocabulary import SECURITIES, Security
from wmbus.link import Address
from wmbus.sender import build

_VOLUME: Final = bytes.fromhex("0413")  # 32 bits of litres (EN 13757-3, table 10), behind 2F2F bytes 4 to 7
_FABRICATION: Final = bytes.fromhex("0c78")
_FIRST_LITRES: Final = 20_000_001
_LITRES_APART: Final = 1_000_000
_DIGIT: Final = dict(zip(SECURITIES, "012", strict=True))


@dataclass(slots=True)
class Meter:
    """`sent`: its telegrams so far, oldest first."""

    id: str
    security: Security
    litres: int
    sent: list[Telegram] = field(default_factory=list)

    @property
    def key(self) -> bytes | None:
        """Its own; None of a meter in clear."""
        return None if self.security == "none" else bytes.fromhex(self.id) * 4

    @property
    def address(self) -> Address:
        return Address(MAKER, self.id, VERSION, WATER)

    @property
    def acc(self) -> int:
        """Of its next telegram."""
        return (len(self.sent) + 1) & 255

    def records(self, litres: int) -> bytes:
        """Two blocks of them."""
        return _VOLUME + litres.to_bytes(4, "little") + 2 * (_FABRICATION + bytes.fromhex(self.id)[::-1])

    def next(self) -> Telegram:
        """A genuine telegram, one litre above the last."""
        self.litres += 1
        counter = len(self.sent) + 1
        frame = build(self.address, self.acc, 0, self.records(self.litres), security=self.security, key=self.key,
                      counter=counter if self.security == "mode7" else None)  # fmt: skip
        self.sent.append(Telegram(frame, self.id, self.litres))
        return self.sent[-1]


class Meters:
    """Meters of each cell, made before the gateway is started: it is given their keys then."""

    def __init__(self) -> None:
        self.all: list[Meter] = []

    def some(self, security: Security, count: int) -> list[Meter]:
        """New ones, a million litres apart from each other."""
        made = []
        for _ in range(count):
            number = len(self.all)
            made.append(Meter(f"9{_DIGIT[security]}{number:06d}", security, _FIRST_LITRES + number * _LITRES_APART))
            self.all.append(made[-1])
        return made


def say(stand: Stand, meters: Iterable[Meter], *, times: int = 1) -> list[Fed]:
    """Each of these sends so many telegrams, by turns; all must be told of. Raises Undecided."""
    meters, fed = list(meters), []
    for _ in range(times):
        part = stand.feed_all([meter.next() for meter in meters], paced=False)
        stand.await_all(part)
        fed += part
    if silent := [one for one in fed if not one.came]:
        known = {meter.id: meter.security for meter in meters}
        first = silent[0].telegram
        raise Undecided(f"no value came of {len(silent)} of {len(fed)} genuine telegrams, first of meter {first.meter} "
                        f"({known[first.meter]}): {stand.why_silent()}")  # fmt: skip
    return fed


def shoot(stand: Stand, frames: Mapping[str, bytes]) -> dict[str, list[float]]:
    """Meter -> a frame in its name; meter -> the volumes that were told of it since, in litres. Then the meters'
    next telegrams show that silence was the gateway's answer: see `say`."""
    before = len(stand.values)
    for meter, frame in frames.items():
        stand.feed(Telegram(frame, meter, None))
    stand.quiet(stand.depth.patience_s)
    return {meter: told(stand, meter, since=before) for meter in frames}


def told(stand: Stand, meter: str, *, since: int = 0) -> list[float]:
    """What it told of this meter since so many values of all: every volume, in litres, in the order in which it
    came."""
    name = volume_name(stand)
    rows = (row.values for row in stand.values[since:] if row.meter == meter and row.values)
    return [value * 1_000 for values in rows if isinstance(value := values.get(name), int | float)]


def volume_name(stand: Stand) -> str:
    """What it calls a volume: the name under which a genuine one stood. Raises Undecided."""
    for one in stand.fed:
        for row in one.came:
            for name, value in (row.values or {}).items():
                if isinstance(value, int | float) and round(value * 1_000) == one.telegram.litres:
                    return name
    raise Undecided("no value of a genuine telegram came; see read in the inventory")
