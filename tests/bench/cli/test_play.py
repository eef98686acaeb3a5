"""./wmbench run --play FILE, from the command line to the run directory, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace
from typing import Any

import pytest

from bench.cli import play
from tests.bench.command_line import PATIENCE_S
from tests.bench.conftest import Here
from tests.made_once import made_once

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "tests" / "data"
SAMPLE = DATA / "recording.log"
KEYS = {
    line.split(",")[1]
    for line in (DATA / "recording-keys.csv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
}


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))


def wmbench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return bench("run", "--endpoint", "memory", *words)


def bench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The sample, played once with its keys, which lie in a file that only its owner may read: a checkout cannot
    promise that."""

    def make(folder: Path) -> dict[str, Any]:
        keys = folder / "keys.csv"
        keys.touch(mode=0o600)
        keys.write_text((DATA / "recording-keys.csv").read_text(encoding="utf-8"), encoding="utf-8")
        done = wmbench("--play", SAMPLE, "--keys", keys, "--json", "--runs", folder / "runs")
        assert done.returncode == 0, done.stderr
        body: dict[str, Any] = json.loads(done.stdout)
        return body

    return made_once(tmp_path_factory, "the-sample-played", make)


def test_each_telegram_has_a_row_and_a_run_directory_is_left(played: dict[str, Any]) -> None:
    rows = {row["line"]: row for row in played["rows"]}
    assert list(rows) == [2, 4, 5, 7, 8, 9, 10, 11]
    assert played["summary"] == {"stored": 4, "refused": 4, "copy": 0, "lost": 0}
    assert (played["outcome"], played["broken"], played["seed"]) == ("passed", [], 1)

    assert rows[2] == {
        "line": 2,
        "time": "2026-02-09 04:01:02.345",
        "address": "ZRI 80081812 FC 08",
        "security": "mode5",
        "mode": "T1",
        "rssi_dbm": -70.0,
        "came": "stored",
        "reason": None,
        "detail": None,
        "values": {
            "units": 339, "set_date_units": 627, "set_date": "2025-12-31", "meter_time": None, "volume_m3": None,
            "energy_kwh": None,
        },
    }  # fmt: skip
    assert rows[4]["values"]["units"] == 2
    assert rows[7]["values"]["meter_time"] == "2019-02-20T11:32"
    assert [rows[line]["reason"] for line in (5, 9, 10, 11)] == [
        "no key", "no key", "replayed access number", "no value",
    ]  # fmt: skip
    notes = " / ".join(played["notes"])
    for said in ("ts and age are off", "marked them as broken: 1", "sent at -70 dBm: 2", "their times overlap: 1"):
        assert said in notes

    run = Path(played["run"])
    index = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (scenario,) = index["scenarios"]
    assert (index["name"], index["outcome"], scenario["id"]) == ("play", "passed", "play/recording.log")
    assert {measure["name"]: measure["value"] for measure in scenario["measures"]} == {
        "telegrams stored": 4, "telegrams refused": 4, "telegrams lost on the air": 0,
    }  # fmt: skip
    (world,) = scenario["worlds"]
    assert (run / world["directory"] / "events.jsonl").exists()
    assert world["meters"] == 50
    assert "recording.log" in (run / "report.html").read_text(encoding="utf-8")
    assert "play" in (run / "junit.xml").read_text(encoding="utf-8")
    assert not any(key in path.read_text("latin-1") for key in KEYS for path in run.rglob("*") if path.is_file())


@pytest.mark.acceptance
def test_a_played_run_is_replayed_to_the_same_digest(played: dict[str, Any]) -> None:
    done = bench("replay", played["run"], "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    (world,) = body["worlds"]
    assert body["same"]
    assert world["old"] == world["new"] != ""
    assert world["scenario"] == "play/recording.log"


@pytest.mark.acceptance
def test_for_people_a_line_each_and_a_summary() -> None:
    done = wmbench("--play", SAMPLE)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rmtree((ROOT / lines[-1].removeprefix("report: ")).resolve().parent)
    assert lines[0].split() == ["time", "address", "security", "mode", "dBm", "what", "came", "of", "it"]
    assert lines[1].endswith("T1       -70  refused, no key: key-missing at byte 15: mode 5 and no key")
    assert lines[4].endswith("stored, 127 units, 145 at set date 2018-12-31, meter's time 2019-02-20T11:32")
    assert lines[-2] == "8 telegrams of 6 meters: 2 stored, 6 refused (no key 4, replayed access number 1, no value 1)"


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (None, "bad.log: No such file or directory"),
        ("12,-71,zz\n", "bad.log, line 1: 'z' is no hex digit: 'zz'"),
        ("# nothing\n", "bad.log: no telegram in it; a line is TIME,RSSI,HEX"),
    ],
)
def test_a_log_that_cannot_be_read_is_one_line_and_exit_code_2(
    tmp_path: Path, here: Here, log: str | None, message: str
) -> None:
    path = tmp_path / "bad.log"
    if log is not None:
        path.write_text(log, encoding="utf-8")
    done = here("run", "--endpoint", "memory", "--play", path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("wmbench: ")
    assert message in line


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("80081812,00\n", 0o600, "keys.csv, line 1: the key of 80081812 is not 32 hex digits"),
        ("8008,00\n", 0o600, "keys.csv, line 1: '8008' is not an address"),
        ("", 0o644, "others may read it (mode 0644); run: chmod 600"),
    ],
)
def test_keys_that_cannot_be_read_are_one_line_and_exit_code_2(
    tmp_path: Path, here: Here, text: str, mode: int, message: str
) -> None:
    path = tmp_path / "keys.csv"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    done = here("run", "--endpoint", "memory", "--play", SAMPLE, "--keys", path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert message in line


@pytest.mark.acceptance
def test_whole_addresses_serve_as_well_as_ids(tmp_path: Path) -> None:
    key = next(
        line.split(",")[1]
        for line in (DATA / "recording-keys.csv").read_text().splitlines()
        if line.startswith("80081812")
    )
    path = tmp_path / "keys.csv"
    path.touch(mode=0o600)
    path.write_text(f"ZRI 80081812 FC 08,{key}\n", encoding="utf-8")
    body = json.loads(wmbench("--play", SAMPLE, "--keys", path, "--json").stdout)
    rmtree(body["run"])
    assert body["rows"][0]["came"] == "stored"


@pytest.mark.acceptance
def test_a_log_as_receivers_leave_it(tmp_path: Path) -> None:
    """Two demodulators' copies, a torn line, a stamp of 1970, a maker's own payload: each is told, none stops the rest,
    and no control character of the file reaches the terminal."""
    telegram = "314493447813512735087ab%s0000200b6e2200004b6e250200426cbf2ccb086e250200c2086cbf2c326cffff046d1f11c421"
    techem = "32446850066056416980a0119f310800b024000059074e07000000010500000000000000000000000000000000000000000002"
    path = tmp_path / "field.log"
    path.write_text(
        "\n".join(
            [
                "C1;1;1;1970-01-01 00:00:09.000;94;83;27511378;0x" + telegram % "e",
                *(f"C1;1;1;2021-12-29 13:50:57.000;{level};83;27511378;0x" + telegram % "e" for level in (94, 96)),
                "C1;1;1;2021-12-29 13:51:57.000;57;60;27511378;0x" + telegram % "f" + "T1;0;0;2022",
                "C1;1;1;2021-12-29\x1b[2J13:58:27.000;94;83;27511378;0x" + telegram % "f",
                "T1;1;1;2021-12-29 13:59:27.000;26;27;41566006;0x" + techem,
            ]
        )
        + "\n",
        encoding="utf-8",
    )
    done = wmbench("--play", path)
    assert done.returncode == 0, done.stderr
    assert "2 telegrams of 2 meters: 1 stored, 1 refused (no value 1)" in done.stdout
    assert "CI A0: the payload is Techem (TCH)'s own format, not data records" in done.stdout
    assert "lines set aside, because they cannot be read: 3 (line 1: stamp '1970-01-01 00:00:09.000'" in done.stdout
    assert "line 4: 'T' is no hex digit: 'c421T1'" in done.stdout
    assert "note: second copies of a reception set aside: 1 (line 3)" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("lost", "of", "way"),
    [(0, 8, ""), (2, 200, "another --seed has other collisions"), (155, 200_000, "cut it into parts of 1290 lines")],
)
def test_what_is_lost_on_the_air_is_said_with_a_way_out_that_is_one(lost: int, of: int, way: str) -> None:
    """No seed brings a log of 200 000 lines past the simulated meters."""
    played = object.__new__(play._Play)
    played.outcomes = [SimpleNamespace(came="lost" if n < lost else "stored") for n in range(of)]  # type: ignore[misc]
    said = played.unjudged
    assert said.endswith(way) and bool(said) == bool(lost)
    assert ("--seed has other" in said) == (0 < lost <= play.LOST_BY_CHANCE)
