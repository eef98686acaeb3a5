"""A client of the companion, before and after its CONNECT."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.endpoint.mqtt_wire import CONNECT
from tests.sim.endpoint.aws.client_desk import Desk, connect


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def online(desk: Desk) -> Desk:
    desk.say(connect())
    assert [packet.kind for packet in desk.passed] == [CONNECT] and not desk.closed
    desk.broker.clear()
    return desk
