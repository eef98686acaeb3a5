"""`./wmbench city` as a planner uses it: what it prints, what it leaves, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import run_directory
from bench.cli import main
from bench.cli.city import plan_of
from bench.run_errors import CannotRun
from sim.city import plan as plan_module
from sim.city.conduct import run
from sim.city.plan import CityLimit
from sim.core.settings import SpecError
from tests.bench.sweep.test_sweep_command import WORLD


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(run_directory.PLACE, str(tmp_path / "runs"))
    path = tmp_path / "houses.toml"
    path.write_text(WORLD, encoding="utf-8")
    return path


def city(*words: object) -> int:
    arguments = main.make_parser().parse_args(["city", *map(str, words)])
    return int(arguments.command(arguments))


def left(world: Path, file: str) -> Any:
    return json.loads((world.parent / "runs" / "latest" / file).read_text(encoding="utf-8"))


def test_a_run_leaves_its_figures_and_a_page(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert city(world, "--hours", 1, "--set", "fleet.count=800", "--outages", 0.5) == 0
    said = capsys.readouterr().out
    result, run = left(world, "city.json")["result"], left(world, "run.json")
    assert f"digest      {result['received_digest']}" in said
    assert (world.parent / "runs" / "latest" / "report.html").exists()
    assert run["kind"] == "city" and run["outcome"] == "passed" and run["scenarios"] == []
    assert result["meters"] == 800 and 0 < result["delivery_ratio"] < 1
    assert sum(result["blocks"]["sent"]) == result["frames_sent"]
    figures = {row["name"]: row["value"] for row in left(world, "city.json")["figures"]}
    assert figures["telegrams heard"] == result["frames_heard"]

    # The command that the page gives makes the same again, quicker and without a page.
    words = run["command"].split()
    assert words[:2] == ["./wmbench", "city"]
    assert city(*words[2:], "--json", "--shards", 3) == 0
    assert json.loads(capsys.readouterr().out)["received_digest"] == result["received_digest"]
    assert not (world.parent / "runs" / "latest" / "report.html").exists()


def test_readings_are_stored_and_counted(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    out = world.parent / "kept"
    assert city(world, "--hours", 0.5, "--depth", "readings", "--out", out) == 0
    said, readings = capsys.readouterr().out, left(world, "city.json")["result"]["readings"]
    assert readings["stored"] > 1_000 and readings["altered"] == readings["missing"] == 0
    assert list(out.glob("**/*.parquet"))
    for word, count in (("stored", readings["stored"]), ("copies", readings["copies"]), ("altered", 0)):
        assert [word, f"{count:,}"] in [line.split()[:2] for line in said.splitlines()]
    page = (world.parent / "runs" / "latest" / "report.html").read_text(encoding="utf-8")
    assert "readings on disk" in page and "readings that are not what the meter said" in page

    assert city(world, "--hours", 0.5, "--depth", "readings", "--no-store", "--json") == 0
    counted = json.loads(capsys.readouterr().out)["readings"]
    assert counted["digest"] == readings["digest"] and counted["files"] == 0
    with pytest.raises(CannotRun, match="add --depth readings"):
        city(world, "--out", out)


def test_an_altered_reading_is_a_failure(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.cli import city as module

    def altered(plan: Any) -> Any:
        result = run(plan)
        assert result.readings is not None
        result.readings["altered"] = 1
        return result

    monkeypatch.setattr(module, "here", altered)
    assert city(world, "--hours", 0.1, "--depth", "readings", "--no-store", "--no-report") == 1
    assert left(world, "run.json")["outcome"] == "failed"


def test_a_page_can_be_made_later(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert city(world, "--hours", 0.1, "--no-report", "--depth", "radio") == 0
    assert "result: " in capsys.readouterr().out
    assert main.main(["report", "city-houses"]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert "A few houses" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--outages", "2"], CityLimit, "outages: a share of days from 0 to 1"),
        (["--set", "fleet.count=0"], SpecError, "--set: fleet.count: 0 is not between 1"),
        (["--scheduler", "tcp://127.0.0.1:9"], CannotRun, "--scheduler"),
    ],
)
def test_what_comes_to_nothing_leaves_nothing(
    world: Path, words: list[str], error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.cluster.CONNECT_S", 1)
    with pytest.raises(error, match=said):
        city(world, *words)
    assert not list((world.parent / "runs").glob("*/latest"))


def test_a_cluster_gives_the_same(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    distributed = pytest.importorskip("distributed")
    assert city(world, "--hours", 0.5, "--shards", 2, "--json") == 0
    here = json.loads(capsys.readouterr().out)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, host="127.0.0.1", protocol="tcp", dashboard_address=None,
        silence_logs=50, scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        local_directory=str(world.parent / "scratch"),
    ) as made:  # fmt: skip
        assert city(world, "--hours", 0.5, "--shards", 2, "--json", "--scheduler", made.scheduler_address) == 0
    there = json.loads(capsys.readouterr().out)
    for key in ("received_digest", "fates", "blocks", "telegram_bytes", "shards"):
        assert there[key] == here[key]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hours", "0"], "'0' is not a number above 0"),
        (["--hours", "nan"], "'nan' is not a number above 0"),
        (["--days", "inf"], "'inf' is not a number above 0"),
        (["--hours", "long"], "'long' is not a number above 0"),
        (["--workers", "0"], "'0' is not a whole number between 1 and 256"),
    ],
)
def test_a_number_that_cannot_be_is_refused_by_its_name(
    world: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        city(world, *words)
    assert ended.value.code == 2
    assert f"argument {words[0]}: {said}" in capsys.readouterr().err


def test_a_world_that_is_none_is_answered_with_those_that_are(world: Path) -> None:
    with pytest.raises(SpecError, match=r"there is no world 'quarter'; did you mean 'quarter-6400'\?"):
        city("quarter")


def test_what_stored_readings_take_is_told_before_and_refused_when_it_is_lacking(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    out = world.parent / "kept"
    assert city(world, "--hours", 0.5, "--depth", "readings", "--out", out, "--no-report") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("stored readings: up to ") and "free" in said[0] and "of memory" in said[0]
    figures = {row["name"]: row["value"] for row in left(world, "city.json")["figures"]}
    readings = left(world, "city.json")["result"]["readings"]
    assert figures["messages upstream"] == readings["upstream"]["messages"] / 1_800 > 0
    assert figures["connections"] == left(world, "city.json")["result"]["gateways"]
    assert readings["upstream"]["payload_bytes"] > readings["upstream"]["messages"] > 0
    assert readings["bytes"] < 24 * left(world, "city.json")["result"]["frames_sent"]  # as much as was told, at most
    usage = plan_module.shutil.disk_usage(world.parent)
    monkeypatch.setattr(plan_module.shutil, "disk_usage", lambda place: usage._replace(free=1_000))
    before = sorted((world.parent / "runs").rglob("*"))
    said_so = r"a sample hears 0\.\d+, need up to .* as stored readings, and 0\.0 GiB are free in"
    with pytest.raises(CityLimit, match=said_so):
        city(world, "--hours", 0.5, "--depth", "readings", "--out", world.parent / "more")
    assert sorted((world.parent / "runs").rglob("*")) == before
    assert not (world.parent / "more").exists()


def test_where_not_every_telegram_would_fit_a_sample_says_how_many_are_heard(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on what is heard, and more than is taken."""
    pytest.importorskip("pyarrow")
    out = world.parent / "kept"
    words = ("--hours", 2, "--depth", "readings", "--out", out, "--no-report", "--set", "gateway.count=1")
    bound = plan_of(main.make_parser().parse_args(["city", str(world), *map(str, words)])).disk_bytes()
    usage = plan_module.shutil.disk_usage(world.parent)
    monkeypatch.setattr(plan_module.shutil, "disk_usage", lambda place: usage._replace(free=bound - 1, total=100))
    assert city(world, *words) == 0
    said = capsys.readouterr().out.splitlines()
    result = left(world, "city.json")["result"]
    told = float(said[0].partition("a sample hears ")[2].split()[0])
    assert told == pytest.approx(result["delivery_ratio"], abs=0.05) and told < 0.9
    assert result["readings"]["bytes"] < told * bound


def test_dead_and_jammed_gateways_are_in_the_command_that_repeats_it(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--days", 2, "--depth", "radio", "--set", "fleet.interval_s=7200", "--set", "fleet.count=200")
    assert city(world, *words, "--dead", "1:1.5", "--jam", "1:0.5") == 0
    said = capsys.readouterr().out
    command = left(world, "run.json")["command"]
    assert "--dead 1:1.5 --jam 1:0.5" in command
    result = left(world, "city.json")["result"]
    assert result["fates"]["gateway down"] > 0
    days = list(result["missed"]["without_a_reading"].values())
    assert len(days) == 2 and days[0] >= days[1]
    assert f"{result['missed']['never']:,}   meters of which no gateway received anything" in said
    page = (world.parent / "runs" / "latest" / "report.html").read_text(encoding="utf-8")
    assert "The meters that were missed most" in page and "without a reading, worst day" in page
    for option in ("--dead", "--jam"):
        for wrong in ("0", "x", "1:0", "1:y"):
            with pytest.raises(SystemExit):
                city(world, option, wrong)
        with pytest.raises(CityLimit, match="there is no gateway 99; this world has 1 to "):
            city(world, option, "99")
    with pytest.raises(CityLimit, match="13 weeks"):
        city(world, "--outages", 0.5, "--outage-s", 92 * 86_400)
