"""The contract suite: the reference gateway keeps every promise, and one made worse breaks exactly its own."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.cli.main import main
from bench.desk import contract_suite as suite
from bench.desk.contract_suite import Check, Result, rows_named
from bench.desk.depth import Depth
from bench.desk.fed import Fed, TornFrames
from bench.desk.rows.port import ROWS, Failed, Row, Undecided
from bench.desk.stand import Stand
from bench.desk.traffic import Telegram
from bench.run_errors import CannotRun
from sim.desk.inventory import Claims, GatewayEntry, ListenSpec, RunSpec
from sim.feeders.handed import Torn
from sim.feeders.kinds.codec import CodecFeeder, CodecSpec
from sim.feeders.lines.named_pipe import PathSpec
from sim.feeders.lines.pty import PtySpec
from sim.feeders.lines.serial import SerialSpec
from sim.feeders.lines.stdin import StdinSpec
from sim.pki.authority import Authority
from sim.readers.kinds.stdout import StdoutSpec
from tests.bench.desk.small_gateway import AWAKE_S, PERIOD_S, THINNING_S, WORSE
from tests.bench.desk.worsened import FAILS
from tests.sim.desk.boxes import expired_client, reference

QUICK = Depth(outage_s=2.0, frames=300, patience_s=4.0)
SMALL = Depth(outage_s=8.0, frames=300, patience_s=2.0)
NIGHTLY = Depth(outage_s=16.0, frames=3_600, patience_s=6.0)
BY_DAY = ("once", "order", "plaintext", "power-cut", "reconnect", "verifies-server")
WORSE_BY_DAY = ("reorders", "doubles_after_reconnect", "trusts_any_broker", "decrypts_and_leaks")
NEVER_HERE = {
    "awake", "field-names", "foreign-field", "log-place", "no-key-no-value", "parts", "silent-dongle", "thinning",
    "unplugged",
}  # fmt: skip
"""Of a gateway that forwards everything and is fed on its standard input."""
WITH_A_DONGLE = {"silent-dongle", "unplugged"}


def entry_of(change: Callable[[], None] | None = None) -> GatewayEntry:
    entry = reference()
    run = entry.run
    if change is not None:
        at = run.command.index("sim.gateway")
        command = (*run.command[:at], "tests.bench.desk.worsened", change.__name__, *run.command[at + 1 :])
        run = dataclasses.replace(run, command=command)
    claims = dataclasses.replace(entry.claims, gathers_s=0.3)
    return dataclasses.replace(entry, run=run, claims=claims)


def checked(entry: GatewayEntry, folder: Path, *rows: str, depth: Depth = QUICK, times: int = 1) -> dict[str, Result]:
    check = Check(entry, rows_named(rows, soak=False), folder, depth, times=times)
    threads = threading.active_count()
    check.run()
    assert threading.active_count() == threads
    return check.results


def failed(results: dict[str, Result]) -> set[str]:
    undecided = [one for one in results.values() if one.answer == "INCONCLUSIVE"]
    assert not undecided, undecided
    return {one.row for one in results.values() if one.answer == "FAIL"}


def test_the_reference_gateway_keeps_what_it_promises(tmp_path: Path) -> None:
    results = checked(entry_of(), tmp_path, *BY_DAY)
    assert {one.row: one.answer for one in results.values()} == dict.fromkeys(BY_DAY, "PASS"), results
    fed = [json.loads(line) for line in (tmp_path / "once" / "fed.jsonl").read_text().splitlines()]
    came = [json.loads(line) for line in (tmp_path / "once" / "delivered.jsonl").read_text().splitlines()]
    assert sorted(one["frame"] for one in fed) == sorted(one["frame"] for one in came)
    assert json.loads((tmp_path / "once" / "row.json").read_text())["answer"] == "PASS"


@pytest.mark.parametrize("change", [one for one in FAILS if one.__name__ in WORSE_BY_DAY])
def test_a_gateway_made_worse_breaks_its_row(tmp_path: Path, change: Callable[[], None]) -> None:
    assert failed(checked(entry_of(change), tmp_path, *FAILS[change])) == set(FAILS[change])


@pytest.mark.night
def test_the_reference_gateway_keeps_every_promise(tmp_path: Path) -> None:
    results = checked(entry_of(), tmp_path, depth=NIGHTLY)
    assert {one.row for one in results.values() if one.answer != "PASS"} == NEVER_HERE, results
    assert {one.answer for one in results.values()} == {"PASS", "NOT APPLICABLE"}


@pytest.mark.night
@pytest.mark.parametrize("change", FAILS)
def test_a_gateway_made_worse_breaks_no_other_row(tmp_path: Path, change: Callable[[], None]) -> None:
    results = checked(entry_of(change), tmp_path, depth=NIGHTLY)
    assert failed(results) == set(FAILS[change]), results


@pytest.mark.night
def test_a_gateway_with_a_dongle_finds_it_again(tmp_path: Path) -> None:
    entry = reference(feed=(CodecSpec(format="im871a", line=PtySpec(link="stick")),))
    run = dataclasses.replace(entry.run, command=(*entry.run.command, "--dongle", "{feed}"))
    claims = dataclasses.replace(entry.claims, modes=("T1", "C1"))
    results = checked(dataclasses.replace(entry, run=run, claims=claims), tmp_path, "silent-dongle", "unplugged",
                      depth=NIGHTLY)  # fmt: skip
    assert {one.answer for one in results.values()} == {"PASS"}, results


def test_every_row_that_can_break_is_broken_by_a_gateway_made_worse() -> None:
    seen = {row for rows in FAILS.values() for row in rows}
    seen |= {row for rows in WORSE.values() for row in rows}
    assert set(ROWS.parts()) - seen == WITH_A_DONGLE | {"once", "soak"}


# --- gateways that the reference is not ----------------------------------------------------------------------------


def small(kind: str, worse: str = "") -> GatewayEntry:
    """A program of tests.bench.desk.small_gateway and what its manual says."""
    claims = Claims(forwards="decoded" if kind == "decoder" else "encrypted", modes=("T1",), **SMALL_CLAIMS[kind])
    command = ("{python}", "-m", "tests.bench.desk.small_gateway", kind, *([worse] if worse else []))
    run = RunSpec(command=command, env={"PYTHONPATH": "{root}"}, ready_line="ready", ready_s=60.0, settle_s=0.0)
    feed = CodecSpec(format="rtl_wmbus", line=StdinSpec())
    if kind == "follower":
        feed = CodecSpec(format="wmbusmeters", line=PathSpec(path="log", is_a="file"))
    return GatewayEntry(
        name=kind, feed=(feed,), read=(SMALL_READ.get(kind, HEX),), run=run,
        listen=ListenSpec(broker=False), claims=claims,
    )  # fmt: skip


HEX = StdoutSpec(telegram="$.data")
SMALL_READ = {
    "decoder": StdoutSpec(values="$", meter="$.id", means={"total_m3": "volume_l m3"}),
    "parts": StdoutSpec(telegram="$.data", transform=("base64", "Lobaro parts"), port="$.fPort", counter="$.fCnt"),
}
SMALL_CLAIMS: dict[str, dict[str, Any]] = {
    "sleeper": {"awake_s": AWAKE_S, "period_s": PERIOD_S},
    "thinner": {"thinning_s": THINNING_S},
    "decoder": {"compact": "also after a power cut"},
    "parts": {"longest_bytes": 251},
    "follower": {},
}
SMALL_ROWS = {
    kind: tuple(dict.fromkeys(row for (of, _), rows in WORSE.items() if of == kind for row in rows))
    for kind in SMALL_CLAIMS
}
SMALL_BY_DAY = ("decoder renames", "parts joins")


@pytest.mark.parametrize("kind", ["decoder", "parts"])
def test_a_small_gateway_keeps_its_rows(tmp_path: Path, kind: str) -> None:
    results = checked(small(kind), tmp_path, *SMALL_ROWS[kind], depth=SMALL)
    assert {one.answer for one in results.values()} == {"PASS"}, results


@pytest.mark.parametrize(("kind", "worse"), [one for one in WORSE if " ".join(one) in SMALL_BY_DAY])
def test_a_small_gateway_made_worse_breaks_its_row(tmp_path: Path, kind: str, worse: str) -> None:
    assert failed(checked(small(kind, worse), tmp_path, *SMALL_ROWS[kind], depth=SMALL)) == set(WORSE[kind, worse])


@pytest.mark.night
@pytest.mark.parametrize("kind", SMALL_ROWS)
def test_a_small_gateway_keeps_all_that_it_claims(tmp_path: Path, kind: str) -> None:
    results = checked(small(kind), tmp_path, depth=NIGHTLY)
    assert {results[row].answer for row in SMALL_ROWS[kind]} == {"PASS"}, results
    assert {one.answer for one in results.values()} == {"PASS", "NOT APPLICABLE"}, results


@pytest.mark.night
@pytest.mark.parametrize(("kind", "worse"), WORSE, ids=[" ".join(one) for one in WORSE])
def test_a_small_gateway_made_worse_breaks_no_other_row(tmp_path: Path, kind: str, worse: str) -> None:
    results = checked(small(kind, worse), tmp_path, depth=NIGHTLY)
    assert failed(results) == set(WORSE[kind, worse]), results


# --- answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_what_fails_while_the_bench_was_late_is_not_the_gateways(tmp_path: Path, fails: bool, late: bool) -> None:
    telegram = Telegram(bytes.fromhex("0e4493444433221135087a5500000003"), "11223344", None)
    fed = Fed(telegram, "T1", -70.0, 5, True, True)
    torn = TornFrames(tmp_path / "torn.jsonl")
    torn.look([Torn(telegram.frame, 5, "a reason", late)], {telegram.frame: [fed]})
    assert (fed.handed, fed.torn, torn.late) == (False, "a reason", [fed] if late else [])
    torn.look([Torn(telegram.frame, 5, "a reason", late)], {})
    [line] = (tmp_path / "torn.jsonl").read_text().splitlines()
    assert json.loads(line) == {"wall_ns": 5, "frame": telegram.frame.hex(), "why": "a reason", "late": late}

    def play(_: Any) -> str:
        if fails:
            raise Failed("one never came")
        return "all came"

    no_box = SimpleNamespace(feeders=[])
    row, stand = Row("row", "A row", play), cast("Any", SimpleNamespace(late=torn.late, broker=None, box=no_box))
    if not fails:
        answer, words = suite._in_time(row, stand)
        assert answer == "PASS" and ("a reason" in words) is late
        return
    with pytest.raises(Undecided if late else Failed, match="one never came"):
        suite._in_time(row, stand)


def test_what_fails_once_the_benchs_own_port_is_gone_is_not_the_gateways(tmp_path: Path) -> None:
    """A line from one pseudo terminal to another, as two adapters and a crossed cable; one is unplugged meanwhile."""
    ours, theirs = os.openpty()
    feed = CodecSpec(format="rtl_wmbus", line=SerialSpec(path=os.ttyname(theirs)))
    run = RunSpec(command=("sleep", "60"), settle_s=0.0)
    entry = reference(run=run, feed=(feed,), listen=ListenSpec(broker=False), read=(StdoutSpec(format="rtl_wmbus"),))

    def play(stand: Stand) -> str:
        fed = stand.feed_all(stand.traffic.several(1))
        os.close(theirs)
        os.close(ours)
        stand.await_all(fed)
        stand.refuse_loss(fed)
        return "it came"

    check = Check(entry, [Row("row", "A row", play)], tmp_path, Depth(patience_s=0.5))
    check.run()
    found = check.results["row"]
    assert found.answer == "INCONCLUSIVE"
    assert "plug it in and start again; until then: 1 of 1 telegrams never came" in found.words


def result(answer: suite.Answer) -> Result:
    return Result("r", "R", answer, "", 0.0, "", (answer,))


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ("P", "passed"), ("PN", "passed"), ("PF", "failed"), ("PI", "inconclusive"), ("PFI", "failed"),
        ("PFII", "failed"), ("PFIII", "inconclusive"), ("I", "inconclusive"), ("N", "inconclusive"),
        ("", "inconclusive"),
    ],
)  # fmt: skip
def test_mostly_inconclusive_is_no_answer(answers: str, outcome: str) -> None:
    letters = {"P": "PASS", "F": "FAIL", "I": "INCONCLUSIVE", "N": "NOT APPLICABLE"}
    assert suite.outcome_of([result(letters[one]) for one in answers]) == outcome  # type: ignore[arg-type]


def test_what_is_not_claimed_is_not_applicable(tmp_path: Path) -> None:
    entry = entry_of()
    silent = dataclasses.replace(entry.claims, order="none", buffer="none", survives_power_cut=False,
                                 verifies_server=False, stamp_of="none", retains=True)  # fmt: skip
    none = dataclasses.replace(entry, claims=silent)
    rows = ("order", "backlog-order", "outage", "power-cut", "verifies-server", "stamps", "thinning", "retained")
    results = checked(none, tmp_path, *rows)
    assert {one.answer for one in results.values()} == {"NOT APPLICABLE"}
    assert "claims no order" in results["order"].words
    assert not list(tmp_path.iterdir()), "nothing was started"


@pytest.mark.night
def test_a_filter_of_duplicates_is_held_to_its_own_claim(tmp_path: Path) -> None:
    def claiming(entry: GatewayEntry, last: int) -> GatewayEntry:
        claims = dataclasses.replace(entry.claims, duplicates="equal among the last", duplicates_last=last)
        return dataclasses.replace(entry, claims=claims)

    filters = next(change for change in FAILS if change.__name__ == "swallows_repeats")
    assert checked(claiming(entry_of(filters), 10), tmp_path / "a", "repeats")["repeats"].answer == "PASS"
    over = checked(claiming(entry_of(), 10), tmp_path / "b", "repeats")["repeats"]
    assert over.answer == "FAIL" and "3 receptions of the same bytes came 3 times" in over.words


def test_a_row_tried_several_times_keeps_each_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Stand] = []

    def play(stand: Stand) -> str:
        tried.append(stand)
        if len(tried) == 2:
            raise Undecided("now and then")
        return "well"

    row = Row("sometimes", "Sometimes", play)
    monkeypatch.setattr(ROWS, "_parts", {"sometimes": row})
    check = Check(entry_of(), [row], tmp_path, QUICK, times=3)
    check.run()
    found = check.results["sometimes"]
    assert found.answers == ("PASS", "INCONCLUSIVE", "PASS")
    assert (found.answer, found.words) == ("INCONCLUSIVE", "now and then")


# --- bad input ---------------------------------------------------------------------------------------------------


def running(script: str, **changes: object) -> GatewayEntry:
    return dataclasses.replace(entry_of(), run=RunSpec(command=("sh", "-c", script), ready_s=3.0), **changes)


GARBAGE = "while read line; do mosquitto_pub -h {host} -p {port} --cafile {ca} --cert {certificate} --key {key} \
-i {name} -t gw/{name}/up -q 1 -m garbage; done"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (running("cat >/dev/null"), "it never dialled the broker; see host and port in its settings"),
        (running(GARBAGE), "messages that its reader cannot read (not JSON"),
        (running("while read l; do echo pure noise; done", read=(StdoutSpec(format="rtl_wmbus"),),
                 listen=ListenSpec(broker=False)), "is nothing that read describes; its last line is: pure noise"),
        (running("echo no licence >&2; exit 3"), "ended with 3: no licence"),
        (running("sleep 30", feed=(CodecSpec(format="im871a", line=PtySpec(link="stick")),)), "nobody has opened"),
        (dataclasses.replace(entry_of(), run=RunSpec(command=("no-such-gateway",))), "no program 'no-such-gateway'"),
    ],
    ids=["nothing", "garbage", "noise", "ends", "unplugged", "no program"],
)
def test_what_cannot_be_decided_says_why_in_a_sentence(tmp_path: Path, entry: GatewayEntry, says: str) -> None:
    found = checked(entry, tmp_path, "once", depth=Depth(patience_s=0.5))["once"]
    assert found.answer == "INCONCLUSIVE"
    assert says in found.words and "\n" not in found.words
    assert (tmp_path / "once" / "fed.jsonl").exists()


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        ("old", "gave a client no TLS session: its certificate has expired, was revoked, or is of another authority"),
        ("stranger", "gave a client no TLS session: its certificate has expired, was revoked, or is of another"),
        ("", "the broker gave a client no TLS session: it showed no certificate"),
        ("distrusts", "the broker gave a client no TLS session: it does not trust our authority; give it the ca.crt"),
        ("elsewhere", "it never dialled the broker; see host and port in its settings"),
    ],
)
def test_a_certificate_that_the_broker_or_the_box_refuses_is_named(tmp_path: Path, shown: str, says: str) -> None:
    ours, other = Authority(tmp_path / "pki"), Authority(tmp_path / "other")
    good = ours.device("reference")
    with_certificate = {"old": expired_client(tmp_path / "pki"), "stranger": other.device("x"), "": None}
    pair = with_certificate.get(shown, good)
    trusted = other.certificate if shown == "distrusts" else ours.certificate
    port = "1" if shown == "elsewhere" else "{port}"
    words = f"--cert {pair.certificate} --key {pair.key}" if pair is not None else ""
    script = f"while read line; do mosquitto_pub -h {{host}} -p {port} --cafile {trusted} {words} -t a -m b; done"
    entry = running(script, listen=ListenSpec(pki=str(tmp_path / "pki"), topics=("a",)))
    found = checked(entry, tmp_path / "run", "once", depth=Depth(patience_s=0.5))["once"]
    assert found.answer == "INCONCLUSIVE"
    assert says in found.words and "\n" not in found.words


def test_a_mute_dongle_is_named(tmp_path: Path) -> None:
    entry = reference(feed=(CodecSpec(format="im871a", line=PtySpec(link="stick")),))
    run = dataclasses.replace(entry.run, command=(*entry.run.command, "--dongle", "{feed}"))
    with Stand(dataclasses.replace(entry, run=run), tmp_path, Depth(patience_s=0.2)) as stand:
        feeder = stand.box.feeders[0]
        assert isinstance(feeder, CodecFeeder)
        feeder.mute = True
        with pytest.raises(Undecided, match="is mute: it neither speaks nor answers"):
            stand.hello()


def test_a_port_in_use_and_an_unknown_row_are_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        entry = dataclasses.replace(entry_of(), listen=ListenSpec(port=taken.getsockname()[1]))
        found = checked(entry, tmp_path, "once")["once"]
    assert found.answer == "INCONCLUSIVE" and "stop the program that has it, or name another" in found.words
    with pytest.raises(CannotRun, match="no row of the contract suite 'onec'; known, nearest first: once"):
        rows_named(["onec"], soak=False)


# --- the command line ----------------------------------------------------------------------------------------------


def test_a_check_leaves_a_table_junit_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["gateway", "check", "reference", "--rows", "rssi,thinning", "--runs", str(tmp_path / "runs")]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "PASS           rssi             15 levels are those of its interface" in out
    assert "passed: 1 PASS, 0 FAIL, 0 INCONCLUSIVE, 1 NOT APPLICABLE" in out
    run = tmp_path / "runs" / "latest"
    suite_ = ET.parse(run / "junit.xml").getroot()
    assert (suite_.get("tests"), suite_.get("failures"), suite_.get("skipped")) == ("2", "0", "1")
    page = (run / "report.html").read_text()
    assert 'href="rssi/fed.jsonl"' in page and "it claims no thinning" in page
    assert main(["report", str(run), "--against", str(run), "--runs", str(tmp_path / "runs")]) == 0
    assert "2 same" in capsys.readouterr().out


def test_a_wrong_inventory_line_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.toml").write_text('[[gateway]]\nname = "x"\nentry = "reference"\nclaim = 3\n')
    assert main(["gateway", "check", "x"]) == 2
    assert "inventory.toml" in (said := capsys.readouterr().err) and "did you mean 'claims'" in said


def test_a_gateway_that_never_falls_silent_is_judged(tmp_path: Path) -> None:
    doubling = 'read first; (while sleep 0.1; do echo "$first"; done) & echo "$first"; cat'
    entry = running(doubling, read=(StdoutSpec(format="rtl_wmbus"),), listen=ListenSpec(broker=False))
    entry = dataclasses.replace(entry, claims=dataclasses.replace(entry.claims, gathers_s=0.1))
    found = checked(entry, tmp_path, "once", depth=Depth(patience_s=1.0))
    assert found["once"].answer == "FAIL" and "came more than once" in found["once"].words
