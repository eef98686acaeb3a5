"""What the portal makes of gateways: those that were never installed, clones that are quiet, clocks that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.core.bundle import Birth
from sim.endpoint.port import Message
from sim.portal import evidence_quota, reasons
from sim.portal.alarms import freshness, twin
from sim.portal.checks import ts
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from sim.portal.store_port import BOOTS_KEPT
from tests.sim.portal.bed import INTERVAL_S, METER, Bed, acked, telegram
from wmbus.link import Address

METERS = [Address("QDS", f"5000{n:04d}", 0x36, 0x08) for n in range(80)]


def many(path: Path, count: int, spec: PortalSpec | None = None, **more: object) -> Bed:
    bound = frozenset({"gw1", "gw2"})
    return Bed(path, spec, entries=[MeterEntry(one, "mode7", INTERVAL_S, bound) for one in METERS[:count]], **more)


def birth(b: Bed, boot: str, connects: int, now_s: float) -> None:
    b.take(Message("gw/gw1/birth", Birth("gw1", boot, connects).encode()), now_s=now_s)


# --- the list of gateways (A13) -------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [True, False])
def test_a_certificate_that_no_gateway_uses_is_evidence_and_not_acknowledged(tmp_path: Path, listed: bool) -> None:
    b = Bed(tmp_path, PortalSpec(gateway_list=listed), gateways=("gw1", "gw2"))
    acks = b.take(b.message("spare", [(telegram(1), 900.0)]), b.message("gw1", [(telegram(2), 1_800.0)]), now_s=1_805.0)
    assert [ack.topic for ack in acks] == (["gw/gw1/ack"] if listed else ["gw/spare/ack", "gw/gw1/ack"])
    assert [row.reason for row in b.portal.store.evidence()] == ([reasons.UNKNOWN_GATEWAY] if listed else [])
    assert b.portal.store.count_readings() == 1


# --- twins (A5, A10) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "kinds"), [(twin.SEQUENCES, []), (twin.SEQUENCES + 1, ["twin"])])
def test_a_sequence_far_ahead_is_another_device(tmp_path: Path, ahead: int, kinds: list[str]) -> None:
    b = Bed(tmp_path)
    assert b.hear(telegram(1), 900.0) is None
    b.restart()
    b.take(b.message("gw1", [], 1 + ahead), now_s=1_000.0)
    assert b.kinds() == kinds


def test_a_quiet_clone_shows_once_and_is_told_of(tmp_path: Path) -> None:
    """One session, three forgeries, away: no reconnect tells, the sequence does."""
    b = Bed(tmp_path, security="none")
    b.run([1, 2], security="none")
    for n in range(3):
        forged = [(telegram(3 + n, security="none"), (3 + n) * INTERVAL_S)]
        b.take(b.message("gw1", forged, 900_000_000 + n), now_s=(3 + n) * INTERVAL_S)
    assert b.kinds() == ["twin"]


def test_a_boot_of_another_device_and_a_count_that_falls(tmp_path: Path) -> None:
    for name, boots, kinds in (
        ("on", ["gw1.9", "gw1.10"], []), ("fell", ["gw1.10", "gw1.9"], ["twin"]), ("other", ["gw1.1", "x.2"], ["twin"]),
    ):  # fmt: skip
        b = Bed(tmp_path / name)
        for at, boot in enumerate(boots):
            birth(b, boot, 1, at * 5_000.0)
        assert b.kinds() == kinds, name


def test_births_without_end_are_bounded_and_told_of(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    messages = [Message("gw/gw1/birth", Birth("gw1", f"gw1.{n}", 1).encode()) for n in range(1, 501)]
    b.take(*messages, now_s=10.0)
    assert b.kinds() == ["twin"]
    kept = b.portal.store.births("gw1")
    assert {one.boot for one in kept} == {f"gw1.{n}" for n in range(501 - BOOTS_KEPT, 501)}


# --- floods (A9, A11) -----------------------------------------------------------------------------------------------


def test_junk_for_every_meter_is_one_alarm_beyond_some(tmp_path: Path) -> None:
    b = many(tmp_path, 80)
    junk = [(telegram(1, meter=one, security="mode7", key=bytes(16)), 900.0) for one in METERS]
    b.take(b.message("gw1", junk), now_s=905.0)
    alarms = [event for event in b.events if type(event).__name__ == "AlarmRaised"]
    assert len(alarms) == freshness.MOST + 1
    assert [event.subject for event in alarms][-1] == "gw1"
    b.portal.watch(round(1e9 * 9_000))
    assert b.portal.alarms.open("freshness") == {}


def test_empty_telegrams_do_not_make_a_database(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    heard = [(b"", 900.0)] * 5_000 + [(telegram(1), 900.0)]
    message = b.message("gw1", heard)
    assert acked(b.take(message, now_s=905.0)[0]) == [1]
    [row] = b.portal.store.evidence()
    assert (row.reason, row.detail) == (reasons.TOO_SHORT, "5000 telegrams of fewer than 11 bytes")
    assert row.payload == message.payload
    assert b.portal.store.refusals() == [] and b.portal.store.count_readings() == 1


# --- clocks (A12) ---------------------------------------------------------------------------------------------------


def hour(b: Bed, k: int, off_s: float, *, meters: int = 6, gateway: str = "gw1") -> None:
    heard = [(telegram(k, meter=one, security="mode7"), k * INTERVAL_S + off_s) for one in METERS[:meters]]
    b.take(b.message(gateway, heard), now_s=k * INTERVAL_S + 5)


@pytest.mark.parametrize("off_s", [400.0, -700.0, 90_000.0])
def test_a_wrong_clock_is_the_gateways_and_costs_nothing(tmp_path: Path, off_s: float) -> None:
    b = many(tmp_path, 6)
    for k in (1, 2):
        hour(b, k, 0.0, gateway="gw2")  # the same telegrams, at a gateway whose clock is right: copies
        hour(b, k, off_s)
    hour(b, 3, off_s)
    assert [(event.kind, event.subject) for event in b.events] == [("clock", "gw1")]  # type: ignore[attr-defined]
    assert b.portal.store.count_readings() == 18 and b.portal.counts["copies"] == 12
    hour(b, 4, 0.0)
    assert b.portal.alarms.open("clock") == {}


def test_without_that_defence_the_meters_are_blamed(tmp_path: Path) -> None:
    b = many(tmp_path, 6, PortalSpec(gateway_clocks=False, alarms=("freshness",)))
    hour(b, 1, -700.0)
    assert {row.reason for row in b.portal.store.refusals()} == {ts.TIME_OFF}
    assert b.kinds() == ["freshness"] * 6


def test_four_meters_or_one_that_differs_prove_nothing(tmp_path: Path) -> None:
    b = many(tmp_path, 4)
    hour(b, 1, -700.0, meters=4)
    assert "clock" not in b.kinds() and b.portal.store.count_readings() == 0


# --- completeness (A8) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "kinds"), [(1, []), (2, []), (3, ["completeness"])])
def test_two_of_three_telegrams_withheld_are_told_of_after_a_day(tmp_path: Path, every: int, kinds: list[str]) -> None:
    b = Bed(tmp_path, security="mode7")
    b.portal.watch(0)
    for k in range(1, 100):
        if k % every == 0:
            assert b.hear(telegram(k, security="mode7"), k * INTERVAL_S) is None
        b.portal.watch(round((k * INTERVAL_S + 10) * 1e9))
    assert b.kinds() == kinds
    assert list(b.portal.alarms.open("completeness")) == [str(METER)] * len(kinds)


# --- evidence (A11) -------------------------------------------------------------------------------------------------


def test_a_retained_message_is_evidence_once(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    for now_s in (1.0, 2.0, 3.0):
        b.take(Message("gw/gw1/up", b"garbage"), now_s=now_s)
        b.restart()
    assert len(b.portal.store.evidence()) == 1


def test_evidence_of_one_sender_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_quota, "ROWS_MOST", 5)
    monkeypatch.setattr(evidence_quota, "BYTES_MOST", 100)
    b = Bed(tmp_path)
    b.take(*(Message("gw/gw1/up", b"%d" % n) for n in range(20)), now_s=1.0)
    b.take(*(Message("gw/gw2/up", b"%060d" % n) for n in range(3)), now_s=2.0)
    assert [row.topic for row in b.portal.store.evidence()] == ["gw/gw1/up"] * 5 + ["gw/gw2/up"]
    assert b.portal.counts["evidence dropped"] == 17 and b.portal.counts["bad messages"] == 23
    b.restart()
    b.take(Message("gw/gw1/up", b"more"), now_s=3.0)
    assert len(b.portal.store.evidence()) == 6
