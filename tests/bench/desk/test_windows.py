"""When a gateway that sleeps is fed: on a clock of its own, against a gateway that listens 10 s of each 60."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.desk import windows
from bench.desk.rows.port import Undecided
from bench.desk.windows import Windows
from sim.core.clock import NS_PER_S
from sim.desk.inventory import Claims

AWAKE_S, PERIOD_S, OPENS_S = 10.0, 60.0, 17.0


class Desk:
    """A stand whose time passes only when it is told to. `awake_s`: how long its gateway listens in truth."""

    def __init__(self, awake_s: float) -> None:
        self.now_s, self.awake_s = 100.0, awake_s
        self.entry, self.traffic = SimpleNamespace(name="sleeper"), SimpleNamespace(next=lambda: None)

    def listens(self) -> bool:
        return (self.now_s - OPENS_S) % PERIOD_S < self.awake_s

    def feed(self, *_: Any, mode: Any, awake: bool) -> Any:
        assert not awake
        return SimpleNamespace(at_ns=round(self.now_s * NS_PER_S), came=["it"] if self.listens() else [])

    def turn(self, seconds_s: float) -> None:
        self.now_s += seconds_s

    def quiet(self) -> None:
        self.now_s += 1.0

    def why_silent(self) -> str:
        return "nothing is known to be wrong"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(AWAKE_S)
    monkeypatch.setattr(windows, "wall_ns", lambda: round(made.now_s * NS_PER_S))
    return made


def test_a_window_is_found_and_then_waited_for(desk: Desk) -> None:
    found = Windows(Claims(awake_s=AWAKE_S, period_s=PERIOD_S))
    heard = found.find(desk, None)  # type: ignore[arg-type]
    assert heard and all(one.came for one in heard)
    for pause_s in (0.0, 3.0, 17.3, 31.0, 55.0, 119.0):
        desk.turn(pause_s)
        found.wait(desk)  # type: ignore[arg-type]
        assert desk.listens(), pause_s
        found.wait(desk, begin=True)  # type: ignore[arg-type]
        desk.turn(0.7 * AWAKE_S)
        assert desk.listens(), "what takes a while was begun with the window"


def test_one_that_listens_for_less_than_it_claims_is_fed_while_it_does(desk: Desk) -> None:
    desk.awake_s = AWAKE_S / 2
    found = Windows(Claims(awake_s=AWAKE_S, period_s=PERIOD_S))
    found.find(desk, None)  # type: ignore[arg-type]
    for pause_s in (0.0, 1.3, 2.6, 3.9, 5.2, 6.5, 7.8, 59.0):
        desk.turn(pause_s)
        found.wait(desk)  # type: ignore[arg-type]
        assert desk.listens(), pause_s


@pytest.mark.parametrize("awake_s", [0.0, PERIOD_S])
def test_a_gateway_without_windows_is_undecided(desk: Desk, awake_s: float) -> None:
    desk.awake_s = awake_s
    with pytest.raises(Undecided, match="sleeper opened no window within its period of 60 s"):
        Windows(Claims(awake_s=AWAKE_S, period_s=PERIOD_S)).find(desk, None)  # type: ignore[arg-type]


def test_one_that_listens_always_is_not_waited_for(desk: Desk) -> None:
    before_s = desk.now_s
    Windows(Claims()).wait(desk)  # type: ignore[arg-type]
    assert desk.now_s == before_s
