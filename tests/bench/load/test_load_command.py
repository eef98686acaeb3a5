"""`./wmbench load` from the command line: what it refuses, what it says, what it leaves."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.cli import load
from bench.load import generator, knee_run, load_text, load_trial
from bench.load.accounts import Accounts
from bench.load.brokers import GivenBroker, OwnBroker
from bench.load.fleet_bundles import Sent
from bench.load.knee import Knee, search
from bench.load.knee_run import Searched
from bench.load.latencies import Latencies
from bench.load.load_orders import GeneratorOrder
from bench.load.outcome import Outcome
from bench.load.processes import Used, children
from bench.load.schedule import Load
from bench.load.shapes.port import SHAPES
from bench.run_errors import CannotRun
from bench.spawned import Spawned
from reports import load_page
from sim.core.clock import wall_s, wall_sleep
from sim.endpoint.aws.aws_limits import PUBLISHES_A_SECOND
from sim.endpoint.aws.connection import Connection
from sim.endpoint.port import Address
from sim.pki.authority import Authority
from tests.bench.conftest import Here
from tests.bench.load.load_stand import NEEDS_C_CLIENT, Threaded

SMALL = ("--gateways", "3", "--telegrams", "2", "--seconds", "0.5", "--within-s", "20", "--beside", "none")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--p99-s", "5", "--share", "0.9"), "leave --share and --within-s out"),
        (("--shape", "stead"), "no load shape 'stead'; known, nearest first: steady"),
        (("--type", "toaster"), "toaster"),
        (("--at", "5", "--from", "5"), "give one of them"),
        (("--from", "500", "--most", "100"), "--from 500 is above --most 100"),
        (("--gateways", "20000", "--telegrams", "400"), "over 500000 meters"),
        (("--takers", "5"), "steady has the portal"),
        (("--pairs", "1", "--gateways", "15"), "take --gateways 16 or more"),
        (("--pairs", "1", "--shape", "fan-in"), "and --shape fan-in has none; leave it out"),
        (("--shape", "fan-in", "--endpoint", "aws_local"), "aws_local has no policy for them"),
        (("--shape", "fan-in", "--over", "100", "--scheduler", "tcp://127.0.0.1:9"), "leave --scheduler out"),
        (("--scheduler", "tls://127.0.0.1:9", "--beside", "none"), "name a tcp:// scheduler on a network of your own"),
        (("--ca", "x.pem"), "--ca is of a broker that is given"),
        (("--broker", "127.0.0.1:1"), "needs --ca and --identities"),
        (("--broker", "127.0.0.1"), "is no HOST:PORT"),
        (("--gateways", "0"), "is not a whole number between 1 and 20000"),
        (("--share", "1.5"), "is not between 1e-06 and 1"),
        (("--lost", "few"), "'few' is not a whole number"),
        (("--seconds", "nan"), "is not between"),
        (("--at", "0.01", "--gateways", "1", "--seconds", "0.2", "--beside", "none"), "take longer --seconds"),
        (("--at", "100000", "--seconds", "3600", "--beside", "none"), "does not fit: take shorter --seconds"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_the_way_out(
    here: Here, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.setattr(load_trial, "Spawned", Threaded)
    done = here("load", *words)
    assert done.returncode == 2 and says in done.stderr


@pytest.fixture
def given(tmp_path: Path) -> tuple[str, ...]:
    authority = Authority(tmp_path / "pki")
    for name in ("portal", "gw0"):
        authority.device(name)
    return "--ca", str(tmp_path / "pki" / "ca.crt"), "--identities", str(tmp_path / "pki")


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("192.0.2.1:8883", "no private network; what others share is not attacked"),
        ("10.1.2.3:8883", "say so with --i-own-this"),
        ("nobody.invalid:8883", "name a host that is known"),
    ],
)
def test_a_broker_that_is_not_ones_own_is_not_loaded(here: Here, given: tuple[str, ...], where: str, says: str) -> None:
    done = here("load", *SMALL, "--broker", where, *given)
    assert done.returncode == 2 and says in done.stderr


def test_a_broker_that_does_not_answer_is_named(here: Here, given: tuple[str, ...]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{unused.getsockname()[1]}"
        done = here("load", *SMALL, "--at", "5", "--broker", where, *given)
    assert done.returncode == 2 and f"the broker at {where} gives no session to 'portal'" in done.stderr


def test_an_identity_that_is_missing_is_named(here: Here, given: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pki" / "gw0.key").unlink()
    done = here("load", *SMALL, "--broker", "127.0.0.1:1", *given)
    assert done.returncode == 2 and "gw0.key: cannot be read; --identities is a folder with" in done.stderr


def test_one_load_is_tried_and_no_process_stays(here: Here, tmp_path: Path) -> None:
    before = set(children(os.getpid()))
    done = here("load", *SMALL, "--at", "20", "--workers", "2", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    one = answer["at_knee"]
    assert (answer["knee_per_s"], one["lost"], one["holds"], answer["stopped"]) == (20.0, 0, True, "")
    assert one["readings_stored"] == one["due"] == one["timely"] == one["latency"]["count"]
    (run,) = (path for path in (tmp_path / "runs").glob("load-steady/*") if not path.is_symlink())
    kept = json.loads((run / "load.json").read_text(encoding="utf-8"))
    assert kept["searches"] == answer["searches"] and "20.0 bundles/s" in done.stderr
    assert "holds" in (run / "report.html").read_text(encoding="utf-8")
    end_s = wall_s() + 10
    while set(children(os.getpid())) - before and wall_s() < end_s:
        wall_sleep(0.05)
    left = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in set(children(os.getpid())) - before}
    assert not [words for words in left.values() if "resource_tracker" not in words]


def test_a_given_broker_is_loaded_and_stays(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_trial, "Spawned", Threaded)
    own = OwnBroker("mosquitto", tmp_path / "pki")
    own.start(tmp_path / "broker")
    try:
        for name in ("portal", "gw0", "gw1", "gw2"):
            own.identity(name)
        pid = own.processes()["broker"]
        words = ("--broker", f"localhost:{own.address.port}", "--ca", str(tmp_path / "pki" / "ca.crt"),
                 "--identities", str(tmp_path / "pki"), "--pid", str(pid))  # fmt: skip
        done = here("load", *SMALL, "--at", "20", *words)
        assert done.returncode == 0, done.stderr
        assert "the sentence holds" in done.stdout and "broker 0." in done.stdout
        assert own.processes()["broker"] == pid
    finally:
        own.stop()
    broker = GivenBroker(Address("localhost", 1), "localhost", tmp_path / "pki", tmp_path / "pki" / "ca.crt", pid)
    assert broker.died() == f"process {pid} ended"


# --- the knee of a quota ---------------------------------------------------------------------------------------


def discarded_of(load: Load) -> int:
    """What the companion's own rule refuses of one gateway's schedule, on a clock that goes by it."""
    clock = SimpleNamespace(now_s=0.0)
    account = SimpleNamespace(enforce_rates=True, now_s=lambda: clock.now_s)
    connection = SimpleNamespace(_account=account, _window=(-10.0, 0, 0))
    refused = 0
    for clock.now_s in SHAPES.find("steady").schedule(load).due_s.tolist():
        refused += bool(Connection._rate(connection, 663))  # type: ignore[arg-type]
    return refused


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_knee_of_a_quota_is_the_quota(seed: int) -> None:
    knee = search(lambda per_s: not discarded_of(Load(1, per_s, 10.0, seed)), 10.0, 1e4, to=0.005)
    assert knee.holds_per_s == pytest.approx(PUBLISHES_A_SECOND, rel=0.02)


@NEEDS_C_CLIENT
def test_a_quota_is_named_where_it_breaks_the_sentence(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_trial, "Spawned", Threaded)
    words = ("--seconds", "1.5", "--within-s", "2", "--from", "60", "--most", "960", "--to", "1", "--tries", "1")
    done = here("load", "--endpoint", "aws_local", "--gateways", "1", "--telegrams", "1", "--json", *words)
    assert done.returncode in (0, 6), done.stderr  # 6: a busy machine, whose generator was late as well
    answer = json.loads(done.stdout)
    assert answer["knee_per_s"] < answer["breaks_per_s"] <= 960
    beyond = answer["beyond"]
    assert beyond["full"]["id"] == "quota publish-rate" and beyond["discarded"] > 0
    assert answer["gateways_at_interval"] is None and answer["generator"]["by_c"][-1]["driver"] == "c"


# --- the answer ------------------------------------------------------------------------------------------------


def outcome(per_s: float, *, holds: bool, driver: Any = "ours", own_s: float = 0.001, core: float = 0.2,
            died: str = "") -> Outcome:  # fmt: skip
    found = Accounts(40, 2, np.full(20, 0.1 if holds else 9.0), 0, 0, Counter(), Counter(), [], 0, 0, 0)
    found.latencies.record(found.latency_s, 2)
    found.own.record(np.full(20, own_s))
    used = {"broker": Used(0.95, 0, 1), "generator 1": Used(core, 0, 1), "machine": Used(1.5, 0, 0),
            "other programs": Used(0.1, 0, 0)}  # fmt: skip
    broken = () if holds else ("0.000 % within 5 s, not 99 %",)
    return Outcome(per_s, driver, per_s, found, [], used, died, "", Counter(), 0.0, 20, 0, 1, 1, 4_000, 40, broken)


def asked() -> knee_run.Asked:
    from bench.cli.main import make_parser

    found: knee_run.Asked = load.asked(make_parser().parse_args(["load"]))
    return found


def told(*trials: Outcome, by_c: tuple[Outcome, ...] = (), stopped: str = "") -> dict[str, Any]:
    one = Searched(1, Knee(100.0, 120.0), list(trials), list(by_c), stopped=stopped)
    answer = knee_run.answer(asked(), "Mosquitto", 3_000, [one])
    return answer | {"command": "./wmbench load", "duration_s": 1.0, "commit": "x", "python": "3", "machine": "m"}


HELD, BROKE = outcome(100.0, holds=True), outcome(120.0, holds=False)


@pytest.mark.parametrize(
    ("trials", "by_c", "why"),
    [
        ((HELD, BROKE), (outcome(120.0, holds=False, driver="c"),), ""),
        ((HELD, BROKE), (outcome(120.0, holds=True, driver="c"),), "the clients in C hold 120.0"),
        ((HELD, outcome(120.0, holds=False, own_s=0.6)), (), "late by the generator itself"),
        ((HELD, outcome(120.0, holds=False, core=0.97)), (), "took 0.97 of a core"),
    ],
)
def test_a_generator_that_was_the_limit_is_not_believed(
    trials: tuple[Outcome, ...], by_c: tuple[Outcome, ...], why: str
) -> None:
    answer = told(*trials, by_c=by_c)
    assert answer["generator"]["was_the_limit"] is bool(why) and why in answer["generator"]["why"]
    assert load.exit_code(answer) == (6 if why else 0)
    text = "\n".join(load_text.in_words(answer))
    assert ("THE GENERATOR may be the limit" in text) is bool(why)
    assert ("the generator was not the limit" in text) is not bool(why)
    assert load_page.state(answer) == ("amber" if why else "green")
    assert load_page.headline(answer) == ("at least 100.0 bundles/s" if why else "100.0 bundles/s")


def test_what_was_measured_before_a_broker_died_is_told_and_marked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Stand:
        bundle_bytes, trials = 3_000, 0

        def trial(self, per_s: float, driver: str = "ours") -> Outcome:
            if per_s > 300:
                return outcome(per_s, holds=False, died='the broker process ended; the last that it wrote: "\x1b[2J"')
            return outcome(per_s, holds=True)

    said: list[str] = []
    one = knee_run._searched(asked(), asked().setting, Stand(), said.append)  # type: ignore[arg-type]
    assert (one.knee.holds_per_s, one.knee.breaks_per_s) == (200.0, 400.0) and "the broker process ended" in one.stopped
    answer = told(*one.trials, stopped=one.stopped) | {"knee_per_s": 200.0}
    assert load.exit_code(answer) == 6
    text = "\n".join(load_text.in_words(answer))
    assert "NOT FINISHED: the broker process ended" in text
    page = load_page.render(answer)
    assert "not finished" in page and "\x1b" not in page and "<script" not in page


def test_a_trial_that_broke_while_the_generator_was_late_is_repeated() -> None:
    class Stand:
        def __init__(self) -> None:
            self.tried: list[float] = []

        def trial(self, per_s: float, driver: str = "ours") -> Outcome:
            self.tried.append(per_s)
            late = self.tried.count(per_s) <= 3
            return outcome(per_s, holds=per_s < 150 and not late, own_s=0.6 if late else 0.001)

    stand = Stand()
    one = knee_run._searched(asked(), asked().setting, stand, lambda words: None)  # type: ignore[arg-type]
    assert one.knee.holds_per_s is not None and one.knee.holds_per_s == pytest.approx(150, rel=0.03)
    assert stand.tried.count(100.0) == 4 and stand.tried.count(200.0) == 5  # broke fairly twice


@pytest.mark.parametrize(("own_s", "discarded", "unfair"), [(0.3, 8, True), (0.001, 8, False), (0.03, 100, False)])
def test_a_burst_of_the_generators_own_is_no_quota_that_is_full(own_s: float, discarded: int, unfair: bool) -> None:
    found = outcome(95.0, holds=False, own_s=own_s)
    found.accounts.discarded = discarded
    assert ("burst" in found.late_by_itself(5.0)) is unfair


def test_an_interrupted_search_keeps_what_it_measured(tmp_path: Path) -> None:
    class Stand:
        def trial(self, per_s: float, driver: str = "ours") -> Outcome:
            if per_s > 150:
                raise KeyboardInterrupt
            return outcome(per_s, holds=True)

    one = knee_run._searched(asked(), asked().setting, Stand(), lambda words: None)  # type: ignore[arg-type]
    assert (one.knee, one.stopped) == (Knee(100.0, None), "interrupted")
    assert load.exit_code(told(*one.trials, stopped=one.stopped)) == 130


@NEEDS_C_CLIENT
def test_clients_in_c_end_with_the_generator_that_started_them(tmp_path: Path) -> None:
    own = OwnBroker("mosquitto", tmp_path / "pki")
    own.start(tmp_path / "broker")
    process = Spawned(generator.serve)
    try:
        sent = Sent(2, 1)
        schedule = SHAPES.find("steady").schedule(Load(2, 4.0, 1.0))
        identities = {one: own.identity(f"gw{one}") for one in range(2)}
        order = GeneratorOrder(
            sent, schedule, np.arange(len(schedule)), identities, own.address, "c", own.identity("reader")
        )
        process.pipe.send(order)
        assert process.pipe.poll(60) and process.pipe.recv() == "ready"
        clients = children(process.pid)
        assert len(clients) == 2
        process.stop()
        end_s = wall_s() + 20
        while any(Path(f"/proc/{pid}/stat").exists() for pid in clients) and wall_s() < end_s:
            wall_sleep(0.02)
        assert not [pid for pid in clients if Path(f"/proc/{pid}/stat").exists()]
    finally:
        process.stop()
        own.stop()


def test_a_broker_that_never_started_is_an_error_and_no_answer() -> None:
    class Stand:
        bundle_bytes = 1

        def trial(self, per_s: float, driver: str = "ours") -> Outcome:
            raise CannotRun("no broker")

    with pytest.raises(CannotRun, match="no broker"):
        knee_run._searched(asked(), asked().setting, Stand(), lambda words: None)  # type: ignore[arg-type]


def test_a_busy_machine_is_told() -> None:
    busy = outcome(120.0, holds=False)
    busy.used["other programs"] = Used(1.1, 0, 0)
    assert "MARKED: other programs took up to 1.10 cores" in "\n".join(load_text.in_words(told(HELD, busy)))
    assert "MARKED" not in "\n".join(load_text.in_words(told(HELD, BROKE)))


def test_the_ratio_to_clients_in_c_is_that_of_the_knees() -> None:
    one = Searched(1, Knee(100.0, 120.0), [HELD, BROKE], [outcome(125.0, holds=True, driver="c")], Knee(125.0, 130.0))
    answer = knee_run.answer(asked(), "Mosquitto", 3_000, [one])
    assert answer["generator"]["ratio"] == 0.8
    assert "the clients in C hold 125.0 bundles/s: ours 0.80 of it" in "\n".join(load_text.in_words(answer))
    assert isinstance(HELD.accounts.latencies, Latencies)
