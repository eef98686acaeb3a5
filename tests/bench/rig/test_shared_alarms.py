"""An alarm is one attack's own only where nobody else acted about the same gateway before it came."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from attacks.attack import Watch
from bench.rig.clauses import alarmed
from bench.rig.verdict import Terms
from sim.core.events import AlarmRaised, AttackActed, Event
from sim.core.history import History
from sim.truth.ground_truth import Truth

AT_NS = 10_900_000_000_000
ALARM = AlarmRaised(AT_NS, "twin", "gw-1", "more than 3 reconnects")


def act(detail: str, attack: str = "gateway.clone") -> AttackActed:
    return AttackActed(AT_NS, attack, "publish", detail)


def judged(*events: Event, places: tuple[int, int] | None) -> Any:
    """World time stands still: only the order of the history tells what came first."""
    history = History()
    for event in events:
        history.record(event)
    spec = SimpleNamespace(window_s=60.0)
    world = SimpleNamespace(history=history, spec=spec, system=SimpleNamespace(registry=[]))
    truth = SimpleNamespace(
        world=world, tolerance_ns=600 * 10**9, alarms=lambda kinds, since_ns: history.of(AlarmRaised)
    )
    watch = Watch(("twin",), ("gw-1",), AT_NS, places=places)
    return alarmed(watch, Terms(), cast(Truth, truth), (), "gateway.clone")


@pytest.mark.parametrize(
    ("events", "places", "shared"),
    [
        ((act("login"), act("login: over"), ALARM), (0, 1), ""),
        ((act("login"), act("login: over"), act("gw/gw-1/up"), ALARM), (0, 1), "gateway.clone acted before it came"),
        ((act("login"), act("login: over"), ALARM, act("gw/gw-1/up")), (0, 1), ""),
        ((act("login"), act("as gw-1", "wan.borrowed_name"), ALARM), (0, 1), "wan.borrowed_name acted before it came"),
        ((act("login"), act("as gw-2", "wan.borrowed_name"), ALARM), (0, 1), ""),
        ((ALARM, act("login")), (1, 2), "gateway.clone had raised it before"),
        ((act("a: begun"), act("a: over"), act("b: begun"), ALARM), (2, 3), "gateway.clone acted before it came"),
        ((act("a: begun"), act("a: over"), act("b: begun"), ALARM), (0, 1), "gateway.clone acted before it came"),
        ((act("gw/gw-1/up"), act("gw/gw-1/up"), ALARM), None, ""),  # no episode
    ],
)
def test_an_alarm_after_another_act_is_named_as_shared(
    events: tuple[Event, ...], places: tuple[int, int] | None, shared: str
) -> None:
    found = judged(*events, places=places)
    assert found.enough and found.first == ALARM
    assert found.shared.startswith(shared) and bool(found.shared) == bool(shared)
    assert ("shared: " in str(found)) == bool(shared)
    assert "at the instant of world time of its first act" in str(found)
    assert found.limit_says == "3 intervals of 0 s, 600 s that a telegram may be under way, a window of 60 s"
