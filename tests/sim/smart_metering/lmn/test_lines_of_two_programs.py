"""A gateway and three meters as two programs on a line of two pseudo terminals, with a wire between them that is cut
and damaged, and programs that are killed in the middle: what a meter measured the gateway has."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from sim.core import clock
from sim.core.seeds import Seeds
from sim.meters.physics.household_power import Household
from sim.smart_metering.lmn import line_folders
from sim.smart_metering.lmn.on_line import main
from sim.smart_metering.lmn.tty_wire import set_raw

ROOT = Path(__file__).resolve().parents[4]
PATIENCE_S = 240.0
SEED = 7


class Wires:
    """Two pseudo terminals and whoever stands between them. `damage(number, data)`: what goes on instead of the
    number-th piece."""

    def __init__(self) -> None:
        self._ends = [pty.openpty() for _ in range(2)]
        for _, slave in self._ends:
            set_raw(slave)
        self.paths = [Path(os.ttyname(slave)) for _, slave in self._ends]
        self.damage: Callable[[int, bytes], bytes] = lambda _, data: data
        self.seen = bytearray()
        self.pieces = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        (one, _), (two, _) = self._ends
        while not self._stopped.is_set():
            for fd in select.select([one, two], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    data = os.read(fd, 4_096)
                    self.pieces += 1
                    self.seen += data
                    os.write(two if fd == one else one, self.damage(self.pieces, data))

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        for ends in self._ends:
            for fd in ends:
                os.close(fd)


class Programs:
    """The two programs; `kill` and `begin` as often as a test likes."""

    def __init__(self, folder: Path, wires: Wires) -> None:
        self._folder, self._wires = folder, wires
        self._running: dict[str, subprocess.Popen[str]] = {}
        self.said: list[str] = []

    def begin(self, what: str) -> None:
        tty = self._wires.paths[what == "meters"]
        words = [sys.executable, "-m", "sim.smart_metering.lmn.on_line", what, str(self._folder / what)]
        made = subprocess.Popen(
            [*words, "--tty", str(tty), "--period", "1"], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self._running[what] = made
        assert made.stdout is not None and made.stdout.readline() == "ready\n"
        threading.Thread(target=self._listen, args=(made.stdout,), daemon=True).start()

    def _listen(self, lines: IO[str]) -> None:
        with contextlib.suppress(ValueError):
            self.said.extend(lines)

    def kill(self, what: str) -> None:
        made = self._running.pop(what)
        made.send_signal(signal.SIGKILL)
        assert made.wait() == -signal.SIGKILL
        self._close(made)

    @staticmethod
    def _close(made: subprocess.Popen[str]) -> None:
        for file in (made.stdin, made.stdout):
            with contextlib.suppress(OSError, ValueError):
                assert file is not None
                file.close()

    def end(self) -> None:
        for made in self._running.values():
            made.kill()
            made.wait()
            self._close(made)
        self._running.clear()


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    made.close()


@pytest.fixture
def programs(tmp_path: Path, wires: Wires) -> Iterator[Programs]:
    made = Programs(tmp_path, wires)
    yield made
    made.end()


Rows = dict[tuple[str, int, str], int]


def rows(path: Path, name: str = "") -> Rows:
    """(meter, instant, code) -> value."""
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(path, timeout=10.0)) as db:
        found = db.execute("SELECT meter, at_s, obis, value FROM wired WHERE obis LIKE '%.8._*255'").fetchall()
    return {(name or meter, at_s, obis): value for meter, at_s, obis, value in found}


def measured(folder: Path) -> Rows:
    """What all meters have on their disks."""
    out: Rows = {}
    for path in (folder / "meters").glob("*/rows.sqlite"):
        out |= rows(path, path.parent.name)
    return out


def stored(folder: Path) -> Rows:
    return rows(folder / "gateway" / "wired.sqlite")


def wait_for(what: str, done: Callable[[], bool]) -> None:
    end_s = clock.wall_s() + PATIENCE_S
    while not done() and clock.wall_s() < end_s:
        clock.wall_sleep(0.1)
    assert done(), f"no {what} in {PATIENCE_S:.0f} s"


def wait_for_all(folder: Path, meters: int, least: int) -> Rows:
    """Until the gateway has, of each meter, at least so many instants, and all that was measured when this began."""
    must = measured(folder)

    def done() -> bool:
        has = stored(folder)
        instants = {(meter, at_s) for meter, at_s, _ in has}
        return must.keys() <= has.keys() and len(instants) >= meters * least

    wait_for("values", done)
    return must


def test_nothing_is_lost_by_whoever_is_killed(tmp_path: Path, wires: Wires, programs: Programs) -> None:
    """Both are killed in turn, the wire is cut, every ninth piece is damaged. In the end the gateway has every row that
    is on a meter's disk, as the house counted it, and not a word of SML stood on the wire."""
    line_folders.make(tmp_path, 3, SEED, clock.wall_now().replace(microsecond=0))
    programs.begin("meters")
    programs.begin("gateway")
    wait_for_all(tmp_path, 3, 2)
    programs.kill("gateway")
    before = len(stored(tmp_path))
    wait_for("rows that no gateway took", lambda: len(measured(tmp_path)) >= before + 3 * 4 * 2)
    wires.damage = lambda number, data: data[:-1] + bytes((data[-1] ^ 1,)) if number % 9 == 0 else data
    programs.begin("gateway")
    wait_for_all(tmp_path, 3, 5)
    programs.kill("meters")
    programs.begin("meters")
    wires.damage = lambda _, data: b""
    here = len(measured(tmp_path))
    wait_for("rows while the wire is cut", lambda: len(measured(tmp_path)) >= here + 3 * 4 * 2)
    wires.damage = lambda _, data: data
    must = wait_for_all(tmp_path, 3, 8)
    has = stored(tmp_path)
    assert {key: has[key] for key in must} == must
    for (meter, at_s, obis), value in has.items():
        house = Household(Seeds(SEED), int(meter[-3:]) - 1).registers(at_s)
        counted = {"1": house.high + house.low, "2": house.fed_in}
        if obis.endswith(".8.0*255"):
            assert value == counted[obis[4]] // 100
    assert b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" not in wires.seen


def test_a_meter_without_a_key_gets_its_first_one_and_keeps_it(
    tmp_path: Path, wires: Wires, programs: Programs
) -> None:
    """Under its maker's key; after a power cut on both sides the pair is the same, and the maker's key is no more."""
    line_folders.make(tmp_path, 2, SEED, clock.wall_now().replace(microsecond=0), crc="KERMIT", pairing="meter key")
    programs.begin("meters")
    programs.begin("gateway")
    wait_for_all(tmp_path, 2, 2)
    first = {one.name: one.certificate for one in line_folders.paired_in(tmp_path / "gateway")}
    assert all(first.values())
    assert all(one.makers == b"" and one.counter >= 1 for one in line_folders.paired_in(tmp_path / "gateway"))
    assert not any("makers" in path.read_text("utf-8") for path in (tmp_path / "meters").glob("*/meter.json"))
    programs.kill("meters")
    programs.kill("gateway")
    programs.begin("meters")
    programs.begin("gateway")
    wait_for_all(tmp_path, 2, 4)
    assert {one.name: one.certificate for one in line_folders.paired_in(tmp_path / "gateway")} == first


def test_a_terminal_that_is_none_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line_folders.make(tmp_path, 1, SEED, clock.wall_now())
    assert main(["gateway", str(tmp_path / "gateway"), "--tty", str(tmp_path / "none")]) == 2
    assert "name a serial port" in capsys.readouterr().err
    assert main(["gateway", str(tmp_path / "nothing"), "--tty", "/dev/ptmx"]) == 2
    assert "lmn.json" in capsys.readouterr().err
