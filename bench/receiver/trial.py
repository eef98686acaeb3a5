"""One recording of telegrams at one ratio, fed to a receiver program; which of them came out whole.

The rules kept here. The program is a process of its own that reads IQ (cu8, 1.6 MS/s) from a file or its standard
input and prints lines of a known format. A telegram counts when its very bytes were printed with CRCs that fit,
however often. Each has a serial number of its own, a random error of frequency, and a random place between samples.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.run_errors import CannotRun
from sim.core.seeds import Seeds
from sim.feeders.iq_signal import Signal
from sim.lines.codecs.port import CODECS
from sim.lines.reception import Reception
from wmbus.errors import BadTelegram
from wmbus.phy.iq import to_bytes
from wmbus.phy.modes import Mode

RATE_HZ: Final = 1_600_000
_PATIENCE_S: Final = 120.0
_PAYLOAD_BYTES: Final = 32
_HEADROOM_DB: Final = 6.0  # from the strongest telegram to full scale, as a stick's gain is set
_BLOCK: Final = 1 << 16


class Sending(NamedTuple):
    """A telegram: its number, its level over noise in dB, and when it begins in seconds."""

    number: int
    snr_db: float
    start_s: float


@dataclass(frozen=True, slots=True)
class Program:
    """How a receiver is asked. `command` has {iq} where the recording's path is to stand; without it the recording is
    its standard input. `line_format`: one of sim.lines.codecs."""

    command: str
    line_format: str

    def words(self, recording: Path) -> list[str]:
        """Raises CannotRun for a command that is none."""
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise CannotRun(f"{self.command!r} is no command: {error}") from None
        return [word.replace("{iq}", str(recording)) for word in words]

    @property
    def reads_input(self) -> bool:
        return "{iq}" not in self.command


KNOWN: Final = {
    "rtl_433": Program(
        "rtl_433 -s 1600k -R 104 -R 105 -Y minmax -M time:unix -r cu8:{iq} -F json", "rtl_433-json"
    ),
    "rtl_wmbus": Program("rtl_wmbus", "rtl_wmbus"),
}  # fmt: skip
"""Programs that need no more than their name."""


def telegram(number: int, seeds: Seeds) -> bytes:
    """A telegram as a meter with mode 5 sends it: plain header, and bytes that look encrypted."""
    payload = b"".join(seeds.one_bytes16("measured payload", 2 * number + i) for i in range(_PAYLOAD_BYTES // 16))
    body = bytes.fromhex("449344") + number.to_bytes(4, "little") + bytes.fromhex("37087a") + b"\x00\x00\x20\x05"
    return bytes([len(body) + len(payload)]) + body + payload


def heard(program: Program, mode: Mode, sendings: Sequence[Sending], seeds: Seeds) -> set[int]:
    """The numbers of the telegrams that the program printed. Raises CannotRun."""
    end_s = max(one.start_s for one in sendings) + 0.3
    air = Signal(RATE_HZ, mode.centre_hz, full_scale_dbm=0.0, noise_figure_db=0.0, spread_hz=5_000, seeds=seeds)
    air.full_scale_dbm = air.noise_dbm + max(one.snr_db for one in sendings) + _HEADROOM_DB
    air.tune()
    for one in sendings:
        level_dbm = air.noise_dbm + one.snr_db
        air.send(telegram(one.number, seeds), mode, level_dbm, round(one.start_s * RATE_HZ))
    with tempfile.TemporaryDirectory(prefix="wmbench-receiver-") as folder:
        recording = Path(folder, "air.cu8")
        with recording.open("wb") as file:
            while air.stream.position < end_s * RATE_HZ:
                file.write(to_bytes(air.take(_BLOCK), "cu8"))
        output = _output(program, recording)
    sent = {telegram(one.number, seeds): one.number for one in sendings}
    reader = CODECS.find(program.line_format).reader()
    found = set()
    for got in [*reader.feed(output), *reader.end()]:
        if isinstance(got.what, Reception) and got.what.crc_ok is not False:
            try:
                found.add(sent.get(got.what.frame))
            except BadTelegram:
                continue
    return {number for number in found if number is not None}


def _output(program: Program, recording: Path) -> bytes:
    words = program.words(recording)
    try:
        with recording.open("rb") as file:
            process = subprocess.Popen(
                words, stdin=file if program.reads_input else subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
    except FileNotFoundError:
        raise CannotRun(f"{words[0]} is not on the PATH; install it, or give the whole path") from None
    except (OSError, IndexError) as error:
        raise CannotRun(f"{program.command!r} cannot be started: {error}") from None
    try:
        out, err = process.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        late = f"{words[0]} did not end in {_PATIENCE_S:.0f} s"
        raise CannotRun(f"{late}; it must read {{iq}}, or its input, to the end and stop there") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it started
        process.communicate()
    if process.returncode:
        said = err.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise CannotRun(f"{words[0]} ended with {process.returncode}: {said[0][:200]!r}")
    return out
