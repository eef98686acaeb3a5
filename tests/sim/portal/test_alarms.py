"""Each alarm: raised once an episode, cleared when it ends, kept across a restart, and silent when nothing is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bed import INTERVAL_S, METER, Bed, telegram

from sim.core.bundle import Birth
from sim.core.clock import NS_PER_S
from sim.core.events import AlarmRaised
from sim.endpoint.port import Message
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from wmbus.link import SND_IR, Address
from wmbus.telegram import build

NAME = str(METER)


def birth(b: Bed, boot: str, connects: int, now_s: float, gateway: str = "gw1") -> None:
    b.take(Message(f"gw/{gateway}/birth", Birth(gateway, boot, connects).encode()), now_s=now_s)


def watch(b: Bed, now_s: float) -> None:
    b.portal.watch(round(now_s * NS_PER_S))


def alarm(b: Bed, kind: str) -> list[AlarmRaised]:
    return [event for event in b.events if isinstance(event, AlarmRaised) and event.kind == kind]


# Those that the bed can raise at once; the others need a gateway of their own, or a water meter for a week:
# test_gateways.py, test_leak_alarm.py. Of an alarm that somebody adds nothing is known here.
DRIVEN = ("tamper", "gap", "completeness", "freshness", "onboarding", "set date", "twin", "custody", "jam")
QUIET = ("clock", "leak")


@pytest.mark.parametrize("kind", DRIVEN)
def test_an_alarm_that_is_switched_off_stays_silent(tmp_path: Path, kind: str) -> None:
    on = {*DRIVEN} - {kind}
    b = _everything_wrong(tmp_path, PortalSpec(alarms=tuple(k for k in PortalSpec().alarms if k in on | {*QUIET})))
    assert set(b.kinds()) == on


def _everything_wrong(path: Path, spec: PortalSpec) -> Bed:
    meters = [Address("QDS", f"4000000{i}", 0x36, 0x08) for i in range(6)]
    b = Bed(path, spec, entries=[MeterEntry(m, "mode5", INTERVAL_S, frozenset({"gw1"})) for m in [METER, *meters]])
    watch(b, 0)
    assert b.hear(telegram(1, sts=0x08), INTERVAL_S) is None
    b.hear(telegram(1), INTERVAL_S + 10)
    assert b.hear(telegram(2, set_units=7), 1_790) is None
    told = Message("gw/gw1/birth", Birth("gw1", "gw1.1", 1, refused=1).encode())
    announced = build(METER, 9, 0, b"", security="none", c_field=SND_IR)
    b.take(b.message("gw1", [], 9), b.message("gw1", [(telegram(3), 1_800)], 9), told, now_s=1_900)
    b.hear(announced, 1_950)
    watch(b, 3_000)
    watch(b, 86_400)
    return b


def test_tamper_by_error_flags_error_date_and_status(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    flags = {"more": bytes.fromhex("02fd170800")}
    steps: list[dict[str, Any]] = [{}, {"sts": 0x08}, {"sts": 0x08}, {}, flags, {}]
    for k, more in enumerate(steps, start=1):
        assert b.hear(telegram(k, **more), k * INTERVAL_S) is None
    assert [event.subject for event in alarm(b, "tamper")] == [NAME, NAME]
    assert b.portal.alarms.open("tamper") == {}
    assert [row.tamper for row in b.portal.store.readings()] == [0, 1, 1, 0, 1, 0]
    sql = "SELECT occasions, cleared_ns IS NULL FROM alarms WHERE kind = 'tamper' ORDER BY raised_ns"
    assert b.sql(sql) == [(2, 0), (1, 0)]


def test_gap_after_three_intervals_and_over_with_the_next_reading(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    for now_s in (1_000, 2_000, INTERVAL_S + 5 + 3 * INTERVAL_S):
        watch(b, now_s)
    assert b.kinds() == []
    for now_s in (3_700, 5_000, 9_000):
        watch(b, now_s)
    assert [(event.kind, event.subject) for event in alarm(b, "gap")] == [("gap", NAME)]
    b.restart()
    watch(b, 9_100)
    assert len(alarm(b, "gap")) == 1
    b.run([12])
    assert b.portal.alarms.open("gap") == {}
    watch(b, 12 * INTERVAL_S + 2_000)
    assert len(alarm(b, "gap")) == 1
    watch(b, 12 * INTERVAL_S + 3_000)
    assert len(alarm(b, "gap")) == 2


def test_gap_of_a_meter_that_was_never_heard_counts_from_the_start(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    watch(b, 0)
    watch(b, 2_700)
    assert b.kinds() == []
    b.restart()
    watch(b, 2_701)
    assert b.kinds() == ["gap"]


def test_planned_silence_is_no_gap(tmp_path: Path) -> None:
    entry = MeterEntry(METER, "mode5", INTERVAL_S, frozenset({"gw1"}), planned_silence_s=62 * 3_600)
    b = Bed(tmp_path, entries=[entry])
    b.run([1])
    watch(b, 62 * 3_600)
    assert b.kinds() == []
    watch(b, 63 * 3_600 + 2_000)
    assert b.kinds() == ["gap"]


def test_a_thousand_replays_are_one_alarm(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    raw = telegram(1)
    b.take(b.message("gw1", [(raw, 910 + i * 3) for i in range(1_000)]), now_s=4_000)
    assert len(alarm(b, "freshness")) == 1
    assert len(b.portal.store.refusals()) == 1_000
    assert b.sql("SELECT occasions FROM alarms") == [(1_000,)]
    watch(b, 4_000 + 3_500)
    assert b.portal.alarms.open("freshness")
    watch(b, 4_000 + 3_700)
    assert not b.portal.alarms.open("freshness")
    assert b.hear(raw, 8_000) is not None
    assert len(alarm(b, "freshness")) == 2


def test_a_power_cycle_is_no_twin_and_boots_that_alternate_are(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    birth(b, "A", 1, 0)
    birth(b, "A", 1, 1)  # delivered twice
    birth(b, "B", 1, 5_000)  # power cut
    birth(b, "B", 2, 9_000)
    birth(b, "A", 1, 9_001)  # an old one, late
    assert b.kinds() == []
    b.restart()
    birth(b, "A", 2, 12_000)
    assert [(event.kind, event.subject) for event in alarm(b, "twin")] == [("twin", "gw1")]
    birth(b, "B", 3, 12_010)
    assert len(alarm(b, "twin")) == 1
    watch(b, 12_010 + 86_401)
    birth(b, "B", 4, 12_010 + 90_000)
    assert len(alarm(b, "twin")) == 1
    assert b.portal.alarms.open("twin") == {}


def test_reconnects_of_a_shaky_network_and_of_a_displaced_gateway(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    for connects in range(1, 5):  # the first, and after each of three broken brokers
        birth(b, "A", connects, 100)
    for connects in range(5, 30):
        birth(b, "A", connects, connects * 1_000)
    assert b.kinds() == []
    birth(b, "A", 30, 29_001)
    birth(b, "A", 31, 29_002)
    birth(b, "A", 32, 29_003)
    assert b.kinds() == ["twin"]


@pytest.mark.parametrize("lost", [(), (3,), (2, 3), (2, 3, 4)])
def test_births_that_a_killed_broker_lost_count_as_reconnects(tmp_path: Path, lost: tuple[int, ...]) -> None:
    b = Bed(tmp_path)
    for connects in (1, 2, 3, 4):
        if connects not in lost:
            birth(b, "A", connects, connects * 60)
    assert b.kinds() == []
    birth(b, "A", 5, 300)
    assert b.kinds() == ["twin"]


def test_births_lost_in_an_hour_without_a_portal_are_no_twin(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    birth(b, "A", 1, 0)
    birth(b, "A", 9, 3_600)
    b.restart()
    birth(b, "A", 20, 3_660)
    assert b.kinds() == []


def test_a_twin_that_knows_the_boot_name_counts_for_itself(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    for connects in (1, 2, 3, 4, 5, 6):
        birth(b, "A", connects, connects * 5_000)
    birth(b, "A", 1, 31_000)
    assert b.kinds() == ["twin"]


def test_jam_needs_many_meters_of_one_gateway(tmp_path: Path) -> None:
    def meters(first: int, gateway: str) -> list[MeterEntry]:
        return [
            MeterEntry(Address("QDS", f"5000{first + i:04d}", 0x36, 0x08), "mode5", INTERVAL_S, frozenset({gateway}))
            for i in range(10)
        ]

    here, there = meters(0, "gw1"), meters(100, "gw2")
    b = Bed(tmp_path, entries=[*here, *there])

    def heard(k: int, entries: list[MeterEntry]) -> None:
        for gateway in ("gw1", "gw2"):
            rows = [(telegram(k, meter=e.address), k * INTERVAL_S) for e in entries if gateway in e.gateways]
            b.take(b.message(gateway, rows), now_s=k * INTERVAL_S + 5)
        watch(b, k * INTERVAL_S + 10)

    for k in range(1, 5):
        heard(k, here + there)
    for k in range(5, 10):
        heard(k, here[4:] + there[9:])
    assert sorted(event.subject for event in alarm(b, "jam")) == ["gw2"]  # nine of ten; four of ten are too few
    assert len(alarm(b, "gap")) == 4 + 9
    for k in range(10, 12):
        heard(k, here + there)
    assert b.portal.alarms.open("jam") == {}
    assert len(alarm(b, "jam")) == 1


def test_nothing_wrong_nothing_raised(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    for k in range(1, 50):
        b.run([k])
        watch(b, k * INTERVAL_S + 10)
    assert b.events == []


@pytest.mark.parametrize(("under_way_s", "limit_s"), [(0.0, 2_700), (1_800.0, 2_700), (5_000.0, 5_900)])
def test_what_gateways_hold_back_is_no_gap(tmp_path: Path, under_way_s: float, limit_s: float) -> None:
    entry = MeterEntry(METER, "mode5", INTERVAL_S, frozenset({"gw1"}), under_way_s=under_way_s)
    b = Bed(tmp_path, PortalSpec(alarms=("gap",)), entries=[entry])
    b.run([1])
    watch(b, INTERVAL_S + 5 + limit_s)
    assert b.kinds() == []
    watch(b, INTERVAL_S + 6 + limit_s)
    assert b.kinds() == ["gap"]
