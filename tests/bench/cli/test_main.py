"""The command line as its hostile and its careless user meet it, in a process of its own where it runs a world."""

from __future__ import annotations

import functools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.cli import catalogue, tasks
from bench.cli.catalogue import KINDS
from bench.run_directory import ROOT
from tests.bench.command_line import PATIENCE_S, TRACE, Rig
from tests.bench.conftest import Here

SHORT = """
@scenario(world='dozen.toml')
def test_short(world: Stage) -> None:
    world.run(seconds=30)
"""
UNPROVEN = """
@scenario(world='dozen.toml')
def test_unproven(world: Stage) -> None:
    attack = world.attack(Staged(world, on=(0, 0)))
    world.run(seconds=30)
    world.expect(attack, 'v', on=(N, X, N), off=(N, S, N))
"""
LONG = """
@scenario(world='dozen.toml', settings={'endpoint.kind': 'mosquitto'})
def test_long(world: Stage) -> None:
    world.run(days=30)
"""


# --- looking ---------------------------------------------------------------------------------------------------


def test_list_gives_each_entry_an_id_of_its_own(here: Here) -> None:
    done = here("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    kinds = json.loads(done.stdout)
    assert tuple(kinds) == KINDS
    for kind, entries in kinds.items():
        assert entries, kind
        assert len({entry["id"] for entry in entries}) == len(entries)
        assert all(entry["id"] and entry["title"] for entry in entries)
    assert {entry["id"] for entry in kinds["endpoints"]} >= {"memory", "mosquitto"}
    assert len(kinds["attacks"]) >= 5
    assert all((ROOT / "scenarios" / entry["id"].partition("::")[0]).is_file() for entry in kinds["scenarios"])


def test_each_kind_is_listed_for_people_and_can_be_shown(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "entries", functools.cache(catalogue.entries))  # of each kind once, not at each show
    kinds = json.loads(here("list", "--json").stdout)
    table = here("list")
    assert table.returncode == 0
    for kind, entries in kinds.items():
        assert all(entry["id"] in table.stdout for entry in entries)
        shown = json.loads(here("show", entries[0]["id"], "--json").stdout)
        assert shown == {"kind": kind.removesuffix("s"), **entries[0]}
    assert json.loads(here("list", "meters", "--json").stdout) == kinds["meters"]
    assert kinds["attacks"][0]["title"] in here("show", kinds["attacks"][0]["id"]).stdout


def test_help_is_by_task_and_names_every_verb_once(here: Here) -> None:
    done = here("--help")
    assert done.returncode == 0
    verbs = re.findall(r"^  (\w+) ", done.stdout, re.M)
    asked = here("frobnicate").stderr
    known = set(re.findall(r"'(\w+)'", asked.partition("choose from")[2]))
    assert sorted(verbs) == sorted(known)
    assert "setup" in verbs and "test" in verbs
    assert "More:" not in done.stdout, "a new verb: give it a place in bench/cli/tasks.py"


@pytest.mark.parametrize("verb", [verb for verb, one in tasks.VERBS.items() if one.module])
def test_a_verb_has_its_parser_where_the_table_says(verb: str, here: Here) -> None:
    done = here(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.partition("\n\n")[0] != f"usage: ./wmbench {verb} [-h]", "its options are missing"


def test_a_command_imports_what_it_needs_and_no_more(rig: Rig) -> None:
    for words in (["--help"], ["frame", "decode", "--help"], ["frobnicate"]):
        code = f"import sys\nfrom bench.cli.main import main\ntry: main({words})\nexcept SystemExit: pass\n"
        code += "print(*{'numpy', 'numba', 'scapy', 'pytest', 'sim.world_spec', 'bench.cli.city'} & {*sys.modules})"
        done = subprocess.run(
            [sys.executable, "-c", code], env=rig.environment(), capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert done.stdout.splitlines()[-1] == "", (words, done.stdout)


def test_threats_and_worlds_can_be_shown(here: Here) -> None:
    assert "Exact replay" in here("show", "L08").stdout
    assert "6400" in here("show", "quarter-6400").stdout
    assert "quarter-6400" in here("list", "worlds").stdout


@pytest.mark.parametrize("words", [["city", "quarter-6400"], ["frame", "sample"], ["fuzz"]], ids=lambda words: words[0])
def test_a_second_seed_is_refused_where_one_is_taken(here: Here, words: list[str]) -> None:
    done = here(*words, "--seed", "1", "--seed", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --seed: is there twice; one is needed" in done.stderr


# --- running ---------------------------------------------------------------------------------------------------


def test_a_run_leaves_its_documents_and_prints_json_and_nothing_else(rig: Rig, here: Here) -> None:
    done = rig.run("run", rig.scenarios(SHORT), "--json", "--seed", "0x10")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run == rig.latest()
    assert (run["outcome"], run["version"], run["seed"]) == ("passed", 1, 16)
    (scenario,) = run["scenarios"]
    assert scenario["outcome"] == "passed"
    left = {path.name for path in (rig.runs / "latest").iterdir()}
    assert {"run.json", "report.html", "junit.xml"} <= left
    assert ".reserve" not in left
    (world,) = scenario["worlds"]
    directory = rig.runs / "latest" / world["directory"]
    assert (directory / "events.jsonl").stat().st_size > 0
    assert {path.name for path in (directory / "portal").iterdir()} == {"keys", "portal.sqlite.gz"}
    assert "Short" in done.stderr
    again = here("report", "latest")
    assert again.returncode == 0
    assert again.stdout.strip().endswith("report.html")


@pytest.mark.acceptance
def test_a_world_may_be_worked_out_by_its_file(rig: Rig) -> None:
    body = "import pathlib\nWORLD = str(pathlib.Path(__file__).with_name('dozen.toml'))\n"
    done = rig.run("run", rig.scenarios(body + SHORT.replace("'dozen.toml'", "WORLD")), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "passed"


def test_a_run_for_people_ends_with_its_outcome_and_its_report(rig: Rig) -> None:
    done = rig.run("run", rig.scenarios(UNPROVEN))
    assert done.returncode == 6
    assert "INCONCLUSIVE" in done.stdout
    assert "inconclusive: " in done.stdout
    assert "report.html" in done.stdout.splitlines()[-1]


@pytest.mark.acceptance
def test_two_runs_at_once_do_not_disturb_each_other(rig: Rig) -> None:
    path = rig.scenarios(SHORT)
    both = [rig.start("run", path, "--json") for _ in range(2)]
    digests = []
    for process in both:
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        (scenario,) = json.loads(out)["scenarios"]
        digests.append(scenario["worlds"][0]["digest"])
    assert digests[0] == digests[1]
    assert len(list(rig.runs.glob("*/2*/run.json"))) == 2


# --- what cannot be carried out --------------------------------------------------------------------------------


def broken_files(rig: Rig) -> None:
    rig.scenarios(SHORT)
    (rig.folder / "broken.toml").write_text("title = [", encoding="utf-8")
    (rig.folder / "wrong.toml").write_text("\ntitel = 'x'\n", encoding="utf-8")
    rig.scenarios(SHORT.replace("dozen", "broken"), name="test_broken_world.py")
    rig.scenarios(SHORT.replace("dozen", "wrong"), name="test_wrong_world.py")
    rig.scenarios("\ndef test_x(:\n", name="test_syntax.py")
    rig.scenarios(SHORT.replace("dozen.toml", "twelve"), name="test_no_world.py")
    (rig.folder / "typo.toml").write_text("title = 'x'\n[[fleet]]\nname = 'a'\ntype = 'vipa-c1'\n", encoding="utf-8")
    rig.scenarios(SHORT.replace("dozen", "typo"), name="test_no_type.py")
    rig.scenarios("import nowhere\n" + SHORT, name="test_import.py")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "no-such"], 2, "there is no scenario 'no-such'; ./wmbench list scenarios shows all"),
        (["run", "test_made.py::test_other"], 2, "holds no scenario test_other"),
        (["run", "--seed", "-1"], 2, "-1 is not between 0 and 2**64 - 1"),
        (["run", "--seed", "one"], 2, "'one' is not a whole number"),
        (["run", "--endpoint", "bus"], 2, "no endpoint 'bus'; known, nearest first"),
        (["run", "-n", "0"], 2, "'0' is not a whole number between 1 and 64"),
        (["run", "test_made.py", "--set", "portal.chekcs=[]"], 2, "did you mean 'checks'?"),
        (["run", "test_made.py", "--set", "portal"], 2, "KEY=VALUE is needed"),
        (["run", "test_made.py", "--set", "window_s=NaN"], 2, "nan is not between"),
        (["run", "test_made.py", "--set", "fleet.type=brick"], 2, "fleet.type: 'brick' is not one of '"),
        (["run", "test_broken_world.py"], 2, "broken.toml: not TOML"),
        (["run", "test_wrong_world.py"], 2, "wrong.toml, line 2: titel: unknown key; did you mean 'title'?"),
        (["run", "test_no_world.py"], 2, "test_no_world.py, line 7: there is no world 'twelve'"),
        (["run", "test_no_type.py"], 2, "typo.toml, line 4: fleet[0].type: 'vipa-c1' is not one of "),
        (["run", "test_syntax.py"], 2, "test_syntax.py, line 6: cannot be read"),
        (["run", "test_made.py", "--runs", "/dev/null/runs"], 2, "Not a directory"),
        (["show", "replay"], 2, "there is nothing called 'replay'; near it: radio.replay, "),
        (["show", "nothing-of-this-name"], 2, "there is nothing called 'nothing-of-this-name'"),
        (["list", "things"], 2, "invalid choice: 'things'"),
        (["report", "no-such"], 2, "there is no run 'no-such'"),
        (["replay", "no-such"], 2, "there is no run 'no-such'"),
        (["frobnicate"], 2, "invalid choice: 'frobnicate'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_an_error_names_its_cause_and_has_its_exit_code(
    rig: Rig, here: Here, words: list[str], code: int, message: str
) -> None:
    broken_files(rig)
    done = here(*words)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stdout == ""
    assert not list(rig.runs.glob("*/latest")), "a run that came to nothing leaves nothing"


@pytest.mark.acceptance
def test_a_good_scenario_is_run_beside_one_whose_world_there_is_not(rig: Rig) -> None:
    rig.scenarios(SHORT + SHORT.replace("dozen.toml", "dozne").replace("short", "astray"))
    done = rig.run("run", "test_made.py", "--seed", "2", "--seed", "3", "-n", "1")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert [line.partition(" (")[0] for line in lines if line.startswith("PASSED")] == [
        "PASSED: Short, seed 2", "PASSED: Short, seed 3"
    ]  # fmt: skip
    (at,) = [place for place, line in enumerate(lines) if line.startswith("ERROR: Astray, seed 2")]
    said, again = lines[at + 1 : at + 3]
    assert "test_made.py, line 10: there is no world 'dozne'" in said
    assert again.startswith("  again: ./wmbench run ") and again.endswith("::test_astray --seed 2")
    assert sum("--seed 2" in line for line in lines) == 1
    assert any(line.startswith("failed: ") and ", seeds 2, 3, " in line for line in lines)


def test_of_a_broken_file_that_a_scenario_imports_the_file_is_named(rig: Rig) -> None:
    (rig.folder / "ours_masked.py").write_text("X = 1\nY = (\n", encoding="utf-8")
    rig.scenarios("import ours_masked\n" + SHORT, name="test_masked.py")
    done = rig.run("run", "test_masked.py")
    assert done.returncode == 2
    assert f"cannot be imported: {rig.folder}/ours_masked.py, line 2: SyntaxError: '(' was never closed" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "test_made.py", "-k", "nothing"], 5, "no chosen scenario fits -k nothing"),
        (["run", "test_made.py", "-k", "a and ("], 4, "Wrong expression"),
        (["run", "test_import.py"], 2, "No module named 'nowhere'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_an_error_that_pytest_finds_is_told_the_same_way(rig: Rig, words: list[str], code: int, message: str) -> None:
    broken_files(rig)
    done = rig.run(*words)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stdout == ""
    assert not list(rig.runs.glob("*/latest")), "a run that came to nothing leaves nothing"


@pytest.mark.acceptance
def test_a_missing_broker_is_said_at_once_with_the_way_out(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(rig.folder))
    monkeypatch.setenv("PATH", str(rig.folder))
    path = rig.scenarios(LONG + SHORT)
    # What is under test is our words; that the distribution has no Mosquitto is made up.
    (rig.folder / "sitecustomize.py").write_text(
        "from sim.endpoint import mosquitto_program as m\nm.find_mosquitto = lambda **_: m.NotFound('none here')\n",
        encoding="utf-8",
    )
    environment = {**rig.environment(), "PYTHONPATH": f"{rig.folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "bench", "run"]
    done = subprocess.run([*command, f"{path}::test_long"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "endpoint 'mosquitto' cannot run here: none here" in done.stderr
    assert "--endpoint memory" in done.stderr
    done = subprocess.run([*command, f"{path}::test_short"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, "a world in memory needs none"


def test_an_account_that_is_not_named_leaves_a_run_inconclusive(
    rig: Rig, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOST", "IDENTITIES", "AUTHORITIES"):
        monkeypatch.delenv(f"WMBENCH_AWS_{variable}", raising=False)
    path = rig.scenarios(SHORT)
    done = here("run", path, "--endpoint", "aws_iot")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith(
        "wmbench: INCONCLUSIVE: endpoint aws_iot: no host; set endpoint.host or the variable WMBENCH_AWS_HOST"
    )
    done = here("run", path, "--endpoint", "aws_iot", "--set", "endpoint.host=localhost")
    assert done.returncode == 6
    assert "no identities; set endpoint.identities" in done.stderr, "what the world sets is not asked for again"


# --- machines that refuse --------------------------------------------------------------------------------------


@pytest.mark.acceptance
def test_a_full_disk_stops_the_run_and_what_was_finished_is_told(rig: Rig) -> None:
    body = SHORT + SHORT.replace("short", "large").replace("seconds=30", "hours=8") + SHORT.replace("short", "zlast")
    path = rig.scenarios(body)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    done = rig.run("run", path, "--json", preexec_fn=small_files)
    assert done.returncode != 0
    run = json.loads(done.stdout)
    assert run["outcome"] == "failed"
    outcomes = {s["id"].partition("::test_")[2]: s for s in run["scenarios"]}
    assert outcomes["short"]["outcome"] == "passed"
    assert outcomes["large"]["outcome"] == "error"
    assert outcomes["large"]["traceback"] == ""
    assert (rig.runs / "latest" / "report.html").exists()


@pytest.mark.parametrize("words", [["list", "--json"], ["run", "test_made.py"]], ids=["list", "run"])
@pytest.mark.acceptance
def test_a_reader_that_leaves_changes_neither_run_nor_exit_code(rig: Rig, words: list[str]) -> None:
    rig.scenarios(UNPROVEN)
    reader, writer = os.pipe()
    process = rig.start(*words, stdout=writer, stderr=writer)
    os.close(writer)
    os.close(reader)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (0 if words[0] == "list" else 6)
    if words[0] == "run":
        assert rig.latest()["outcome"] == "inconclusive"


def test_standard_output_that_is_full_is_an_error(rig: Rig) -> None:
    with Path("/dev/full").open("w") as full:
        done = rig.run("list", "threats", stdout=full)
    assert done.returncode == 2
    assert done.stderr.count("No space left on device") == 1


@pytest.mark.acceptance
def test_closed_standard_streams_are_no_error(rig: Rig) -> None:
    path = rig.scenarios(SHORT)
    command = f'"{sys.executable}" -m bench run "{path}" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], env=rig.environment(), cwd=rig.folder).returncode == 0
    assert rig.latest()["outcome"] == "passed"


# --- an early end ----------------------------------------------------------------------------------------------


def under_way(rig: Rig, process: subprocess.Popen[str]) -> Path:
    """Wait until the first scenario is finished and the second one's world runs; its run directory."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s and process.poll() is None:
        found = list(rig.runs.glob("*/2*/*long*/on/events.jsonl"))
        finished = list(rig.runs.glob("*/2*/*short*/scenario.json"))
        if finished and found and found[0].stat().st_size > 3_000:
            return found[0].parents[2]
        time.sleep(0.05)
    raise AssertionError(f"it did not get under way: {process.communicate()[1]}")


def processes_of(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in found if str(folder) in line]


def none_left(folder: Path) -> bool:
    end_s = time.monotonic() + 60
    while processes_of(folder) and time.monotonic() < end_s:
        time.sleep(0.05)
    return not processes_of(folder)


@pytest.mark.parametrize(
    ("how", "workers"), [(signal.SIGINT, 2), (signal.SIGTERM, 1), (signal.SIGHUP, 1)], ids=["INT", "TERM", "HUP"]
)
@pytest.mark.acceptance
def test_an_interrupted_run_tells_what_was_finished_and_leaves_no_process(
    rig: Rig, how: signal.Signals, workers: int
) -> None:
    process = rig.start("run", rig.scenarios(SHORT + LONG), "--json", "-n", str(workers))
    directory = under_way(rig, process)
    assert any("mosquitto" in line for line in processes_of(rig.folder))
    process.send_signal(how)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert none_left(rig.folder)
    assert TRACE not in err
    run: dict[str, Any] = json.loads(out)
    assert run["outcome"] == "interrupted"
    assert [s["outcome"] for s in run["scenarios"]] == ["passed", "interrupted"]
    assert (directory / "report.html").exists()
    last = (directory / run["scenarios"][1]["worlds"][0]["directory"] / "events.jsonl").read_text("utf-8").splitlines()
    assert json.loads(last[-1])["event"] == "RunEnded"
    assert json.loads(last[-1])["outcome"] == "interrupted"


@pytest.mark.parametrize("words", [["-n", "1"], ["-n", "2"]], ids=["alone", "workers"])
@pytest.mark.acceptance
def test_a_killed_run_leaves_no_process_and_can_still_be_reported(rig: Rig, words: list[str]) -> None:
    process = rig.start("run", rig.scenarios(SHORT + LONG), *words, stderr=subprocess.DEVNULL)
    directory = under_way(rig, process)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGKILL
    assert none_left(rig.folder)
    done = rig.run("report", directory)
    assert done.returncode == 0, done.stderr
    run = rig.latest()
    assert run["outcome"] == "interrupted"
    assert [s["outcome"] for s in run["scenarios"]] == ["passed"]
