"""What a gateway's program prints, in a format of sim.lines: its standard output, or a file that it appends to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.core.clock import Calendar, wall_ns
from sim.core.settings import name_from
from sim.lines.codecs.port import CODECS, Bad, Got
from sim.readers.port import Delivered, Reader, ReaderKind, ReaderSpec, ReadGround
from wmbus.errors import BadTelegram

_READ_BYTES: Final = 1 << 20
_UNIX: Final = Calendar.since_1970()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedSpec(ReaderSpec):
    """`format`: one of sim.lines.codecs. `file`: below the gateway's directory; its standard output unless named.
    What is no line of the format is passed over: programs print other things too."""

    kind: str = "printed"
    format: str = name_from(lambda: tuple(CODECS.parts()))
    file: str = ""


class PrintedReader:
    """See port.Reader. `passed_over`: lines that were no telegram."""

    place = ""

    def __init__(self, spec: PrintedSpec, ground: ReadGround) -> None:
        self._path: Path = ground.directory / spec.file if spec.file else ground.stdout
        self._reader = CODECS.find(spec.format).reader()
        self._at = 0
        self.passed_over = 0

    @property
    def problem(self) -> str | None:
        return None

    def start(self) -> None:
        """What stands in the file already is of an earlier run."""
        self._at = self._path.stat().st_size if self._path.exists() else 0

    def take(self) -> list[Delivered]:
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._at:  # begun anew by its writer
                    self._at = 0
                file.seek(self._at)
                came = file.read(_READ_BYTES)
        except OSError:
            return []
        self._at += len(came)
        return [row for got in self._reader.feed(came) if (row := self._row(got, wall_ns())) is not None]

    def _row(self, got: Got, now_ns: int) -> Delivered | None:
        one = got.what
        if isinstance(one, Bad):
            self.passed_over += 1
            return None
        try:
            frame = one.frame
        except BadTelegram as error:
            return Delivered(self._path.name, one.data, now_ns, unreadable=str(error))
        stamp = _UNIX.at(one.stamp.ns) if one.stamp is not None and one.stamp.dated else None
        return Delivered(
            self._path.name, one.data, now_ns, frame, meter=one.id, rssi_dbm=one.rssi_dbm, stamp=stamp,
            stamp_of="reception" if stamp is not None else None,
        )  # fmt: skip

    def stop(self) -> None:
        """It holds nothing open."""


def _make(spec: PrintedSpec, ground: ReadGround) -> Reader:
    return PrintedReader(spec, ground)


KIND = ReaderKind("printed", "What its program prints, line by line", PrintedSpec, _make)
