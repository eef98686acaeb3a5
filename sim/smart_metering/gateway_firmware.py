"""A gateway's firmware on its disk: the one that runs, and one that is being installed.

    firmware/<slot>.bin      the program, in one of two slots
    firmware/<slot>.new      one that is being written
    firmware/current.json    which slot runs: version, digest, whether it was noted; replaced whole or not at all

Each write is complete before the next one begins, and current.json is replaced after them. So a power cut at any
instant leaves the old one or the new one; what was half written is thrown away when the power is back. Of each image
the administrator is told what became of it; what he was not told yet lies on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from sim.smgw.firmware_image import Expected, Firmware, FirmwareRefused, Version, judge, version_text

DEVICE: Final = "wmbench-smgw"
FIRST: Final = Firmware(DEVICE, (1, 0, 0), b"the firmware that the gateway left its maker with\n")
PIECE_BYTES: Final = 4_096
SLOTS: Final = ("a", "b")
INSTALLED, REFUSED = "firmware installed", "firmware refused"


class Told(NamedTuple):
    """What became of an image. `what`: "firmware installed: 1.1.0", or "firmware refused: " with the reason."""

    what: str
    at_s: int


class GatewayFirmware:
    """`tell(what, detail, installed)` is called once for each image. `open` before anything else, and after each power
    cut."""

    def __init__(self, folder: Path, expected: Expected, tell: Callable[[str, str, bool], None]) -> None:
        self._folder, self._expected, self._tell = folder, expected, tell
        self.version: Version = FIRST.version
        self.digest = FIRST.digest
        self._slot = SLOTS[0]

    def open(self) -> None:
        """What runs, by the disk; a fresh one has the maker's. Raises OSError, and ValueError where what runs is not
        whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        current = self._folder / "current.json"
        if not current.exists():
            self._write(self._path(SLOTS[0]), FIRST.program)
            self._point(SLOTS[0], FIRST, unnoted_s=None)
        found = json.loads(current.read_text("utf-8"))
        self._slot, self.digest = found["slot"], found["digest"]
        first, second, third = found["version"]
        self.version = first, second, third
        if hashlib.sha256(self._path(self._slot).read_bytes()).hexdigest() != self.digest:
            raise ValueError(f"{self._folder}: the firmware that runs is not whole")
        for path in (*self._folder.glob("*.new"), self._path(self._other)):
            path.unlink(missing_ok=True)  # half written, or not begun to run
        if found["unnoted"] is not None:
            self._installed(found["unnoted"])

    @property
    def program(self) -> bytes:
        """What runs."""
        return self._path(self._slot).read_bytes()

    @property
    def untold(self) -> tuple[Told, ...]:
        """What the administrator was not told yet, oldest first."""
        path = self._folder / "untold.json"
        return tuple(Told(*one) for one in json.loads(path.read_text("utf-8"))) if path.exists() else ()

    def told(self, count: int) -> None:
        """The administrator has so many of `untold`, the oldest."""
        self._write(self._folder / "untold.json", json.dumps(self.untold[count:]).encode())

    def install(self, image: bytes, at_s: int) -> bool:
        """At once. True: it runs."""
        steps = self.steps(image, at_s)
        with contextlib.suppress(StopIteration):
            while True:
                next(steps)
        return bool(self.untold) and self.untold[-1].what.startswith(INSTALLED)

    def steps(self, image: bytes, at_s: int) -> Iterator[str]:
        """The same, a write at a time: what was done last. Whoever stops in between has cut the power."""
        try:
            found = judge(image, self._expected, self.version)
        except FirmwareRefused as error:
            self._note(f"{REFUSED}: {error.reason}", error.detail, at_s, installed=False)
            return
        slot = self._other
        path = self._path(slot).with_suffix(".new")
        with path.open("wb") as file:
            for at in range(0, max(1, len(found.program)), PIECE_BYTES):
                file.write(found.program[at : at + PIECE_BYTES])
                file.flush()
                yield f"{min(len(found.program), at + PIECE_BYTES)} of {len(found.program)} bytes written"
            os.fsync(file.fileno())
        if hashlib.sha256(path.read_bytes()).hexdigest() != found.digest:
            self._note(f"{REFUSED}: integrity", "the disk does not give back what was written", at_s, installed=False)
            return
        path.replace(self._path(slot))
        yield "the slot is whole"
        self._point(slot, found, unnoted_s=at_s)
        self._slot, self.version, self.digest = slot, found.version, found.digest
        yield "it runs"
        self._installed(at_s)

    def _installed(self, at_s: int) -> None:
        """A power cut in here: it is told again."""
        self._note(f"{INSTALLED}: {version_text(self.version)}", self.digest, at_s, installed=True)
        self._point(self._slot, Firmware(DEVICE, self.version, self.program), unnoted_s=None)

    @property
    def _other(self) -> str:
        return SLOTS[1 - SLOTS.index(self._slot)]

    def _path(self, slot: str) -> Path:
        return self._folder / f"{slot}.bin"

    def _point(self, slot: str, firmware: Firmware, *, unnoted_s: int | None) -> None:
        """`unnoted_s`: when its image came, where nobody was told yet."""
        told = {"slot": slot, "version": list(firmware.version), "digest": firmware.digest, "unnoted": unnoted_s}
        self._write(self._folder / "current.json", json.dumps(told).encode())

    def _note(self, what: str, detail: str, at_s: int, *, installed: bool) -> None:
        self._write(self._folder / "untold.json", json.dumps([*self.untold, Told(what, at_s)]).encode())
        self._tell(what, detail, installed)

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        """Whole or not at all."""
        beside = path.with_suffix(".part")
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
