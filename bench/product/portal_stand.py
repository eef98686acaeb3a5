"""A product at work under attack: telegrams go in as the inventory says, readings come out as the inventory says, and
what was stored is a set of values of one meter between two genuine telegrams."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.product.portal_meters import Meter, key_list
from sim.core.clock import wall_ns, wall_s
from sim.core.vocabulary import Link
from sim.desk.box import Box
from sim.desk.inventory import GatewayEntry
from sim.feeders.port import Sent
from sim.readers.port import Delivered

RSSI_DBM: Final = -68.5
FOR_EACH: Final = "[id]"
"""In the name of a file of `run.files`: one file a meter, with [id], [key] and [mode] in it."""
LIST: Final = "[keys]"
"""In a file: the list of keys, as `keys import` reads it."""
_LOOK_S: Final = 0.02
_FACTORS: Final = {"_m3": 1_000.0, "_l": 1.0}


def with_keys(entry: GatewayEntry, meters: Sequence[Meter]) -> GatewayEntry:
    """The entry with the meters' keys in the files that its program reads."""
    files: dict[str, str] = {}
    for name, content in entry.run.files.items():
        if FOR_EACH in name:
            for meter in meters:
                files[_of(name, meter)] = _of(content, meter)
        else:
            files[name] = content.replace(LIST, key_list(meters))
    return dataclasses.replace(entry, run=dataclasses.replace(entry.run, files=files))


def _of(text: str, meter: Meter) -> str:
    key = meter.key.hex() if meter.key is not None else ""
    return text.replace("[id]", meter.id).replace("[key]", key).replace("[mode]", meter.mode)


class PortalStand:
    """`fed.jsonl` and `stored.jsonl` in the directory are written as it happens."""

    def __init__(self, box: Box, directory: Path, patience_s: float) -> None:
        self.box, self.patience_s = box, patience_s
        self.stored: list[tuple[str, int]] = []
        """(meter, litres) of each reading that has a volume, in the order in which they came."""
        self.came = 0
        self.unreadable: list[str] = []
        self._fed_log = (directory / "fed.jsonl").open("w", encoding="utf-8")
        self._stored_log = (directory / "stored.jsonl").open("w", encoding="utf-8")
        self._mode: Link = next(iter(box.entry.claims.modes), "T1")

    def feed(self, frame: bytes, what: str) -> None:
        handed = self.box.feed(Sent(frame, self._mode, RSSI_DBM, wall_ns()))
        self._note(self._fed_log, what=what, frame=frame.hex(), handed=handed)

    def wait_for(self, meter: str, litres: int, since: int = 0, *, times: int = 1) -> bool:
        """Whether this reading came, within our patience."""
        end_s = wall_s() + self.patience_s
        while True:
            self.take()
            if self.stored[since:].count((meter, litres)) >= times:
                return True
            if wall_s() > end_s or (self.box.pid is None and self.box.entry.run.command):
                return False
            self.box.turn(_LOOK_S)

    def take(self) -> None:
        for row in self.box.take():
            self.came += 1
            if row.unreadable:
                self.unreadable.append(row.unreadable)
            litres = volume_of(row)
            if row.meter is not None and litres is not None:
                self.stored.append((row.meter, litres))
            self._note(self._stored_log, meter=row.meter, litres=litres, values=row.values, unreadable=row.unreadable)

    def close(self) -> None:
        self._fed_log.close()
        self._stored_log.close()

    @staticmethod
    def _note(file: Any, **facts: Any) -> None:
        file.write(json.dumps({key: value for key, value in facts.items() if value is not None}, default=str) + "\n")
        file.flush()


def volume_of(row: Delivered) -> int | None:
    """Litres, of a value whose name begins with `total` or `volume` and ends with its unit (`_m3`, `_l`); None of a
    reading without one."""
    for name, value in (row.values or {}).items():
        if not name.startswith(("total", "volume")) or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for end, factor in _FACTORS.items():
            if name.endswith(end) and abs(value) < 1e12:
                return round(value * factor)
    return None
