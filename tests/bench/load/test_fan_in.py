"""What a broker accepts beside what it delivers: through a real Mosquitto, with our clients and those in C; and the
published failure put into it, which has to show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.load import fan_c_clients, fan_run, fan_text, fan_trial
from bench.load.fan_orders import Published, Taken, payload_of
from bench.load.fan_run import FanAsked, answer, shown
from bench.load.fan_trial import (
    ACCEPTS_DELIVERS_LATE,
    ACCEPTS_LATE,
    FALLS_BEHIND,
    KEEPS_UP,
    Driver,
    FanLoad,
    FanOutcome,
    FanSetting,
    FanStand,
    outcome,
)
from bench.load.processes import Used
from bench.run_errors import CannotRun
from reports import fan_page
from sim.endpoint import counted_session
from sim.endpoint.counted_session import CountedSession
from tests.bench.conftest import Here
from tests.bench.load.load_stand import NEEDS_C_CLIENT, Threaded

IDLE = {"broker": Used(0.5, 0.1, 0, 0.6), "publishers": Used(0.2, 0.1, 0, 0.3), "subscribers": Used(0.2, 0.1, 0, 0.3),
        "machine": Used(0.9, 0.0, 0), "other programs": Used(0.0, 0.0, 0)}  # fmt: skip
FULL = {**IDLE, "broker": Used(0.4, 0.58, 0, 0.98)}  # it waited for a processor more than it ran: full all the same


@pytest.mark.parametrize("clear", [True, False])
def test_what_is_published_is_accepted_and_delivered_once(
    clear: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fan_trial, "Spawned", Threaded)
    with FanStand(FanSetting(4, 1.0, 20.0, clear), tmp_path) as stand:
        found = stand.trial(3, 60.0)
    assert (found.never, found.doubled, found.endings) == (0, 0, Counter())
    assert found.delivered_s["mean"] > 0 and found.acknowledged_s["mean"] > 0
    assert found.over_time[-1][1] <= 60 and not list(tmp_path.glob("trial-*"))


@NEEDS_C_CLIENT
def test_clients_in_c_publish_and_take_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fan_trial, "Spawned", Threaded)
    with FanStand(FanSetting(3, 1.0, 20.0), tmp_path) as stand:
        found = stand.trial(2, 40.0, "c")
    assert (found.never, found.doubled, found.driver) == (0, 0, "c")
    assert found.delivered_s["mean"] > 0 and found.acknowledged_s == {}  # mosquitto_pub does not tell of PUBACKs


def test_subscribers_that_do_not_acknowledge_make_a_broker_that_accepts_and_delivers_late(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Mosquitto has twenty messages in flight to a subscriber; the rest it accepts and keeps."""
    monkeypatch.setattr(fan_trial, "Spawned", Threaded)
    original = CountedSession._send
    monkeypatch.setattr(
        CountedSession, "_send",
        lambda self, data: None if data.startswith(counted_session._PUBACK) else original(self, data),
    )  # fmt: skip
    with FanStand(FanSetting(4, 2.0, 0.5, clear=True), tmp_path) as stand:
        found = stand.trial(2, 100.0)
    assert found.never == 200 - 2 * 20 and found.waiting > 0
    assert found.verdict in (ACCEPTS_DELIVERS_LATE, FALLS_BEHIND)  # the latter where this machine was late itself


def made(
    accepted: float, delivered: float, used: dict[str, Used], driver: Driver = "ours", takers: int = 5
) -> FanOutcome:
    """Of 1 000 messages a second over 10 s, those shares of them."""
    due_s = np.arange(10_000) / 1_000

    def some(share: float) -> Any:
        """Each message waits for those before it: the share is what is served of a second."""
        return 7.0 + due_s / share + 0.001

    published = Published(7.0 + due_s, some(accepted))
    asked = FanLoad(takers, 1_000.0, driver, 7.0, due_s, 10.0)
    return outcome(asked, published, Taken(some(delivered)), used, {})


@pytest.mark.parametrize(
    ("accepted", "delivered", "verdict"),
    [(1.0, 1.0, KEEPS_UP), (1.0, 0.8, ACCEPTS_DELIVERS_LATE), (0.9, 0.6, FALLS_BEHIND), (0.8, 0.8, ACCEPTS_LATE)],
)
def test_the_two_rates_say_what_a_broker_does(accepted: float, delivered: float, verdict: str) -> None:
    found = made(accepted, delivered, FULL)
    assert found.verdict == verdict and found.limit == "broker"
    assert found.accepted_per_s == pytest.approx(1_000 * accepted, rel=0.01)
    assert found.delivered_per_s == pytest.approx(1_000 * delivered, rel=0.01)
    assert found.waiting == pytest.approx(10_000 * (accepted - delivered), abs=20)


def test_it_is_seen_where_the_broker_alone_never_slept() -> None:
    assert shown([made(1.0, 0.8, FULL), made(1.0, 1.0, IDLE)])["state"] == "seen"
    starved = {**FULL, "subscribers": Used(0.3, 0.65, 0, 0.95)}
    assert shown([made(1.0, 0.8, starved)])["state"] == "not clear"
    assert shown([made(1.0, 0.8, IDLE)])["state"] == "not clear"
    assert shown([made(0.9, 0.9, FULL)])["state"] == "not seen"
    assert shown([made(1.0, 1.0, IDLE)])["state"] == "not reached"
    assert shown([])["state"] == "not asked"


def test_the_brokers_own_count_stands_in_where_no_publisher_tells() -> None:
    due_s = np.arange(1_000) / 100
    told = Published(due_s, np.full(1_000, np.nan))
    counted = {"accepted": [(4.0, 380), (6.0, 500), (8.0, 700), (10.0, 900)], "delivered": [(6.0, 400), (10.0, 800)]}
    asked = FanLoad(1, 100.0, "c", 0.0, due_s, 10.0)
    found = outcome(asked, told, Taken(due_s + 0.01), IDLE, counted)
    assert found.accepted_per_s == pytest.approx(100.0) and found.verdict == KEEPS_UP


def test_what_subscribers_in_c_write_is_read_and_first_words_are_left_out() -> None:
    from sim.core.clock import unix_ns, wall_ns

    offset_s = (unix_ns() - wall_ns()) / 1e9
    rows = [b"%.9f %s" % (offset_s + 5 + row, payload_of(row)) for row in (0, 1, 1)]
    found = fan_c_clients._taken(3, [b"1.0 ?\n" + b"\n".join(rows[:2]) + b"\n", bytearray(rows[2] + b"\n")])
    assert found.arrived_s[:2] == pytest.approx([5.0, 6.0], abs=0.01) and np.isnan(found.arrived_s[2])
    assert found.doubled == 1


def test_words_and_page_say_what_was_seen() -> None:
    asked = FanAsked(FanSetting(50), (5,), (1_000.0,))
    found = answer(asked, "Mosquitto 2.0.11", [made(1.0, 0.8, FULL), made(1.0, 1.0, IDLE, "c")], "stopped <b>")
    lines = list(fan_text.in_words(found))
    assert any("SEEN: 5 subscribers at 1000 messages/s" in one for one in lines)
    assert any("clients in C: not reached" in one for one in lines)
    page = fan_page.render(
        found | {"command": "x", "commit": "c", "python": "p", "machine": "m", "duration_s": 1.0}, lines
    )
    assert "Accepted beside delivered" in page and "<b>" not in page and page.count("<svg") == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--over", "10"), "--over is of --shape fan-in"),
        (("--shape", "fan-in", "--over", "10", "--at", "5"), "leave --at and --from out"),
        (("--shape", "fan-in", "--over", "10", "--endpoint", "aws_local"), "leave --endpoint and --broker out"),
        (("--shape", "fan-in", "--over", "10,x"), "'x' is not between"),
        (("--shape", "fan-in", "--takers", "5,6"), "several --takers go with --over"),
        (("--clear",), "--clear and --broker-nice go with --over"),
        (("--shape", "fan-in", "--over", "10", "--seconds", "2"), "the broker counts each two seconds"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], says: str, here: Here) -> None:
    done = here("load", *words)
    assert done.returncode == 2 and says in done.stderr


def test_more_than_fits_is_refused(tmp_path: Path) -> None:
    with FanStand(FanSetting(1), tmp_path) as stand, pytest.raises(CannotRun, match="take fewer, or shorter"):
        stand.trial(9_999, 10.0)


def test_what_was_measured_stays_where_the_rest_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def trial(self: FanStand, takers: int, per_s: float, driver: Driver = "ours") -> FanOutcome:
        if per_s > 1:
            raise CannotRun("the broker died")
        return made(1.0, 1.0, IDLE)

    monkeypatch.setattr(FanStand, "trial", trial)
    said = list[str]()
    found = fan_run.run(FanAsked(FanSetting(5), (3,), (1.0, 2.0), "none"), "Mosquitto", said.append)
    assert found["stopped"] == "the broker died" and len(found["trials"]) == len(said) == 1
