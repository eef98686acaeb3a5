"""./wmbench fuzz by itself: a short one on every door, its corpus, its own growth, and defects that it must notice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.fuzz import broken_promises as findings
from bench.fuzz import campaign, corpus, mutations
from bench.fuzz.edges import Coverage
from bench.fuzz.target import SECRET, TARGETS, Found, Target, plain
from bench.fuzz.targets import command_input as command
from bench.fuzz.targets import recorded_logs as log
from sim.core.seeds import dice
from sim.gateway.in_flight import InFlight
from sim.portal import keyring as keyrings
from sim.portal import portal
from sim.portal.opener import Opener
from sim.portal.portal import Portal
from tests.bench.command_line import Rig
from tests.night import examples
from tests.steps import calls

NAMES = sorted(TARGETS.parts())
DOORS = {name: TARGETS.find(name) for name in NAMES}
CASES = {"command": 10, "world": 60, "telegram": 1_000}  # others 200


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    targets = {name: kind.make(tmp_path_factory.mktemp(name)) for name, kind in DOORS.items()}
    yield targets
    for target in targets.values():
        target.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_short_one_finds_nothing(opened: dict[str, Target], name: str) -> None:
    draws, target = dice(7, "test", name), opened[name]
    count = examples(CASES.get(name, 200))
    for _ in range(2):
        cases = [target.draw(draws) for _ in range(count)]
        target.play(cases)
        target.check()
    for case in cases[: count // 10]:
        assert len(target.play([target.change(case, draws)])) == 1
    target.check()


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_breaks_nothing(opened: dict[str, Target], name: str) -> None:
    """Findings that were mended, and cases that reach what no other does."""
    kept = corpus.load(name)
    assert kept, f"there is no corpus of {name}"
    for one in kept:
        opened[name].play([one.case])
    opened[name].check()


@pytest.mark.parametrize("name", sorted({*NAMES} - {"world", "command"}))
def test_work_grows_with_the_cases_and_no_faster(opened: dict[str, Target], name: str) -> None:
    """Counted in calls. Cases are drawn before, and one play goes first: what is made once is no growth."""
    draws, target = dice(9, "growth", name), opened[name]
    target.play([target.draw(draws) for _ in range(50)])
    work = []
    for count in (50, 500):
        cases = [target.draw(draws) for _ in range(count)]
        work.append(calls(lambda cases=cases: target.play(cases)))
        target.check()
    assert work[0] > 50
    assert work[1] < 13 * work[0]


# --- it notices ------------------------------------------------------------------------------------------------


def _broken(name: str, count: int, seed: int = 1) -> tuple[str | None, list[bytes]]:
    """What drawn cases break on a fresh target, and the cases."""
    draws = dice(seed, "defect", name)
    kind = DOORS[name]
    drawing = kind.make(Path(_FOLDER[0]))
    cases = [drawing.draw(draws) for _ in range(count)]
    drawing.close()
    return findings.broken(kind, cases), cases


_FOLDER: list[str] = []


@pytest.fixture(autouse=True)
def _a_folder(tmp_path: Path) -> None:
    _FOLDER[:] = [str(tmp_path / "drawing")]


def test_an_error_that_nobody_foresaw_is_found_and_made_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opener.open

    def fails(opener: Opener, raw: bytes) -> Any:
        if b"\xfd" in raw[12:]:
            raise ZeroDivisionError("nobody thought of this")
        return opened(opener, raw)

    monkeypatch.setattr(Opener, "open", fails)
    what, cases = _broken("telegram", 30)
    assert what == "a telegram had to be quarantined: ZeroDivisionError: nobody thought of this"
    monkeypatch.setattr(findings, "TRIALS", 25)
    small = findings.small(DOORS["telegram"], findings.Finding("telegram", what, tuple(c.hex() for c in cases)))
    assert len(small.cases) == 1
    path = tmp_path / "finding.json"
    small.save(path)
    assert findings.replay(path) == what
    monkeypatch.undo()
    assert findings.replay(path) is None
    assert str(path) in json.loads(path.read_text())["again"]


def test_lost_service_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that takes the first bundle of several only."""
    takes = Portal.take
    monkeypatch.setattr(Portal, "take", lambda portal, messages, now_ns: takes(portal, messages[:1], now_ns))
    what, _ = _broken("telegram", 20)
    assert what is not None
    assert "is no reading: no trace of it" in what


def test_a_value_that_is_not_the_meters_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that counts one unit more once it was attacked."""
    written = portal.written

    def more(intake: Any, entries: Any, heard: Any, marks: Any, taken: Any) -> Any:
        rows = written(intake, entries, heard, marks, taken)
        if len(heard.telegrams) > 90:
            rows.readings[:] = [row._replace(units=(row.units or 0) + 1) for row in rows.readings]
        return rows

    monkeypatch.setattr(portal, "written", more)
    assert "is stored with other values" in str(_broken("telegram", 20)[0])


def test_a_key_in_a_message_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "quoted", repr)
    assert _broken("keys", 300)[0] == "a message repeats a key"


def test_a_bundle_deleted_without_its_content_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = InFlight.__init__
    monkeypatch.setattr(InFlight, "__init__", lambda self, waiting, match: made(self, waiting, match=False))
    assert "left the outbox, and its content was not named" in str(_broken("acknowledgement", 100)[0])


def test_a_fault_of_ours_on_the_command_line_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_words: list[str]) -> int:
        raise KeyError("a fault")

    monkeypatch.setattr(command.command_line, "main", lambda _argv: print("a\x1b[31m") or 0)
    case = json.dumps({"argv": ["list"], "stdin": "", "files": {}}).encode()
    assert findings.broken(DOORS["command"], [case]) == "a message holds '\\x1b', raw"
    monkeypatch.setattr(command.command_line, "main", fails)
    assert "KeyError" in str(findings.broken(DOORS["command"], [case]))


def test_what_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(_path: Path) -> Any:
        while True:
            pass

    monkeypatch.setattr(campaign, "STUCK_S", 0.02)
    monkeypatch.setattr(log, "read_log", forever)
    out = Path(_FOLDER[0])
    out.mkdir()
    worker = campaign.Worker([DOORS["log"]], 1, 0, out, out)
    worker._draw(worker._lanes[0])
    worker.close()
    assert [what for what in worker.tally.found if "not through after" in what]


def test_a_plain_message_is_one_line_without_a_key() -> None:
    plain("world.toml, line 3: fleet.count: 0 is not between 1 and 10")
    for bad in (f"the key {SECRET}", SECRET.upper(), "a\x07b", "one\ntwo", "x" * 5_000):
        with pytest.raises(Found):
            plain(bad)


# --- coverage and structure ------------------------------------------------------------------------------------


def deep(data: bytes) -> int:
    """Bits that must be right one after the other: all of them once in 16 million by chance."""
    reached = 0
    if data[0] & 0xF0 == 0x90:
        reached += 1
        if data[0] & 0x0F == 0x06:
            reached += 1
            if data[1] & 0xF0 == 0x90:
                reached += 1
                if data[1] & 0x0F == 0x09:
                    reached += 1
                    if data[2] & 0xF0 == 0x60:
                        reached += 1
                        if data[2] & 0x0F == 0x09:
                            raise ZeroDivisionError
    return reached


def _edges(coverage: Coverage, data: bytes) -> int:
    return coverage.of(lambda: deep(data))[1]


def test_an_edge_is_new_once() -> None:
    coverage = Coverage(("tests/bench",))
    try:
        found = [_edges(coverage, data) for data in (b"aaa", b"bbb", b"\x99aa", b"\x98aa")]
    finally:
        coverage.close()
    assert found[0] > 0 and found[1] == 0 and found[2] > 0 and found[3] == 0


def test_coverage_leads_where_chance_does_not() -> None:
    draws = dice(3, "deep")
    coverage = Coverage(("tests/bench",))
    pool = [b"aaaa"]

    def search() -> None:
        for _ in range(100_000):
            case = mutations.changed(draws.choice(pool[-3:]), draws)
            if len(case) > 3 and _edges(coverage, case):
                pool.append(case)

    try:
        with pytest.raises(ZeroDivisionError):
            search()
    finally:
        coverage.close()


def test_one_seed_is_one_campaign(tmp_path: Path) -> None:
    tallies = []
    for name in ("a", "b"):
        out = tmp_path / name
        out.mkdir()
        kinds = [DOORS["keys"], DOORS["acknowledgement"]]
        tallies.append(campaign.play(kinds, 5, 0, out, lambda tally: tally.cases >= 700, lambda _: None))
    assert tallies[0].edges == tallies[1].edges
    assert tallies[0].drawn == tallies[1].drawn == Counter({"keys": 300, "acknowledgement": 300})
    corpora = [sorted(p.read_bytes() for p in (tmp_path / name / "corpus").glob("keys*")) for name in ("a", "b")]
    assert corpora[0] == corpora[1]


@pytest.mark.acceptance
def test_from_the_command_line(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    ran = rig.run("fuzz", "--cases", "60", "--target", "keys", "-n", "2")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "alive, and genuine service kept" in ran.stdout
    assert "cases/s by structure" in ran.stdout
    finding = tmp_path / "finding.json"
    finding.write_text('{"target": "keys"}')
    refused = rig.run("fuzz", "--replay", finding)
    assert refused.returncode == 2
    assert "no finding of ./wmbench fuzz" in refused.stderr
