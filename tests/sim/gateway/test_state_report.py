"""What a gateway says of itself to its device shadow, and when."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.core.clock import NS_PER_S
from sim.core.settings import SpecError
from sim.gateway import state_report
from sim.gateway.state_report import StateReport
from sim.world import World
from tests.sim.gateway.kinds.test_virtual import SPEC, Bed
from tests.small_worlds import dozen

TOLD = replace(SPEC, shadow=True, firmware="2.7")


def said(report: StateReport) -> dict[str, Any]:
    document = json.loads(report.said(backlog=0, quarantined=0))
    assert set(document) == {"state"} and set(document["state"]) == {"reported"}
    reported: dict[str, Any] = document["state"]["reported"]
    return reported


def test_meters_are_counted_by_their_address_and_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_report, "_METERS_MOST", 3)
    report = StateReport("1", "gw.1")
    assert said(report) == {"firmware": "1", "boot": "gw.1", "meters": 0, "backlog": 0, "quarantined": 0}
    for at_ns, address in enumerate((b"12345678", b"12345678", b"abcdefgh")):
        report.heard(b"\x44\x44" + address + bytes([at_ns]) * 20, at_ns)
    report.heard(b"", 7)
    assert said(report)["meters"] == 3 and said(report)["last_heard_ns"] == 7
    report.heard(b"\x44\x44another.", 8)
    assert said(report)["meters"] == 3, "bounded"
    assert b"abcdefgh" not in report.said(backlog=0, quarantined=0)


class Told:
    """What a gateway's shadow was told, in order: (meters, backlog)."""

    def __init__(self, bed: Bed) -> None:
        self.updates: list[tuple[int, int]] = []
        bed.endpoint.taps.append(self._said)

    def _said(self, client: str, topic: str, payload: bytes) -> None:
        if topic == f"$aws/things/{client}/shadow/update":
            reported = json.loads(payload)["state"]["reported"]
            assert reported["firmware"] == "2.7" and reported["boot"].startswith("gw1.")
            self.updates.append((reported["meters"], reported["backlog"]))


def test_it_is_said_with_a_birth_an_acknowledgement_and_a_growing_backlog(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    told, gateway = Told(bed), bed.gateway("gw1", TOLD)
    assert bed.settle(0, lambda: gateway.session.connected and len(told.updates) == 1)
    assert told.updates == [(0, 0)]
    gateway.receive(bytes(range(40)), 5, -70.0)
    gateway.flush(10)
    assert bed.settle(20, lambda: not gateway.waiting and len(told.updates) == 2)
    assert told.updates[1:] == [(1, 0)], "one update a bundle where all is well"
    bed.portal.away = True
    for at_ns in (30, 40):
        gateway.receive(bytes(range(at_ns, at_ns + 40)), at_ns, -70.0)
        gateway.flush(at_ns + 1)
        bed.settle(at_ns + 2, lambda: gateway.session.unacknowledged == 0)
    assert told.updates[2:] == [(3, 2)], "the second bundle that waits is said, the first is not"
    bed.portal.away = False
    assert bed.settle(60, lambda: not gateway.waiting)
    bed.settle(70, lambda: told.updates[-1] == (3, 0))
    assert told.updates[-1] == (3, 0)


def test_it_is_silent_where_nobody_asked_for_it(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    told, gateway = Told(bed), bed.gateway("gw1")
    gateway.receive(bytes(range(40)), 5, -70.0)
    gateway.flush(10)
    assert bed.settle(20, lambda: not gateway.waiting and gateway.session.connected)
    assert told.updates == []


def test_a_power_cut_begins_a_new_count(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    told, gateway = Told(bed), bed.gateway("gw1", TOLD)
    gateway.receive(bytes(range(40)), 5, -70.0)
    assert bed.settle(6, lambda: len(told.updates) == 1) and told.updates == [(1, 0)]
    gateway.power_cut(NS_PER_S)
    gateway.power_on(2 * NS_PER_S)
    assert bed.settle(2 * NS_PER_S, lambda: len(told.updates) == 2)
    assert told.updates[1] == (0, 0)


def test_an_endpoint_without_shadows_is_named_before_anything_starts(tmp_path: Path) -> None:
    spec = dozen(tmp_path, gateway__shadow=True)
    with pytest.raises(SpecError, match=r"gateway\[0\]\.shadow: shadow = true needs an endpoint with shadows"):
        World(spec, 1, tmp_path / "world")
