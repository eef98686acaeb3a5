"""A broker that is killed while gateways publish, and that forgets who was subscribed: whose births those were is known
all the same, and the alarm does not depend on which socket was faster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.core.clock import NS_PER_S
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Message
from sim.faults.broker_killed import BrokerKilled
from sim.systems.keyless import keyless
from sim.world import World
from tests.sim.faults.test_broker_faults import world_with_a_broker
from tests.sim.faults.test_faults import MINUTE


def killed_four_times(folder: Path) -> list[tuple[str, str, int]]:
    """Alarms as (kind, subject, second)."""
    with world_with_a_broker(folder) as world:
        world.run(2 * MINUTE)
        for _ in range(4):
            world.fault(BrokerKilled(phase="publish"))
            world.run(MINUTE)
        world.run(2 * MINUTE)
        return [(one.kind, one.subject, one.time_ns // NS_PER_S) for one in world.truth.alarms(["twin", "gap", "jam"])]


def test_births_are_told_of_in_the_window_of_the_fourth_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restart = Mosquitto.restart

    def forgetful(broker: Mosquitto, **how: Any) -> None:
        (broker.directory / "mosquitto.db").unlink(missing_ok=True)
        restart(broker, **how)

    monkeypatch.setattr(Mosquitto, "restart", forgetful)
    assert killed_four_times(tmp_path) == [("twin", "gw-0001", 360), ("twin", "gw-0002", 360)]


def test_births_that_never_reach_the_portal_cost_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second and the third connection's births are lost; what is said of the later ones tells of them."""
    lost: list[bytes] = []

    def losing(world: World, messages: list[Message]) -> list[Message]:
        gone = [one for one in messages if one.topic.endswith("/birth") and b'"n":2' in one.payload.replace(b"3", b"2")]
        lost.extend(one.payload for one in gone)
        return [one for one in messages if one not in gone]

    made = World.__init__

    def with_a_loss(world: World, *given: Any, **more: Any) -> None:
        made(world, *given, **more)
        keyless(world.system).delivers = lambda messages: losing(world, list(messages))

    monkeypatch.setattr(World, "__init__", with_a_loss)
    assert killed_four_times(tmp_path) == [("twin", "gw-0001", 360), ("twin", "gw-0002", 360)]
    assert len(lost) >= 4
