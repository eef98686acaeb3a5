"""The truth: what it makes of a stored reading, and where it looks. Its verdict must change when the store is
doctored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_HOUR, NS_PER_S
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.portal.store import Reading
from sim.truth.bills import wrong_bills
from sim.truth.ground_truth import Truth, fingerprint
from sim.truth.ledger import Ledger
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import dozen, keyless


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(dozen(tmp_path), 1, tmp_path / "world") as made:
        made.run(180 * NS_PER_S)
        yield made


def doctor(world: World, sql: str) -> None:
    assert keyless(world).portal.store.connection.execute(sql).rowcount == 1


FIRST = "(SELECT min(rowid) FROM readings)"


def how(world: World) -> Counter[str]:
    return Counter(altered.how for altered in world.truth.altered())


def test_a_true_world_has_nothing_altered(world: World) -> None:
    assert world.truth.stored == len(world.truth.readings) > 50
    assert how(world) == {}
    assert world.truth.missing() == []


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (f"UPDATE readings SET fingerprint = '00' WHERE rowid = {FIRST}", "forged"),
        (f"INSERT INTO readings SELECT * FROM readings WHERE rowid = {FIRST}", "doubled"),
        (f"UPDATE readings SET stored_ns = stored_ns + 9000000000000 WHERE rowid = {FIRST}", "stale"),
        (f"UPDATE readings SET units = units + 1 WHERE rowid = {FIRST}", "wrong"),
        (f"UPDATE readings SET meter = 'QDS 1' WHERE rowid = {FIRST}", "wrong"),
    ],
)
def test_each_kind_of_altered_record_is_named(world: World, sql: str, named: str) -> None:
    doctor(world, sql)
    assert how(world) == {named: 1}


def test_a_reading_that_vanished_is_missing(world: World) -> None:
    doctor(world, f"DELETE FROM readings WHERE rowid = {FIRST}")
    assert len(world.truth.missing()) == 1


def test_a_record_is_a_shots_when_no_sending_explains_it_whatever_the_record_says_of_itself(world: World) -> None:
    row = world.truth.readings[0]
    sent = world.truth.known(row.fingerprint)
    assert sent is not None
    telegram = world.fleet.telegram(sent.meter, sent.k)
    assert fingerprint(telegram) == row.fingerprint
    assert world.truth.rows_of(telegram) == [], "the record is the meter's own"
    columns = ", ".join(name for name in Reading._fields if name not in ("gateway", "received_ns", "stored_ns"))
    doctor(world, f"INSERT INTO readings ({columns}, gateway, received_ns, stored_ns) SELECT {columns}, 'gw-0009', 7, "
                  f"stored_ns FROM readings WHERE rowid = {FIRST}")  # fmt: skip
    assert [one.gateway for one in world.truth.rows_of(telegram)] == ["gw-0009"]
    assert [one.how for one in world.truth.unexplained()] == ["doubled"], "nobody brought these bytes"
    world.truth.note_published([telegram])
    assert world.truth.unexplained() == []


def test_a_row_that_was_judged_and_is_changed_afterwards_is_seen_by_looking_again(world: World) -> None:
    assert world.truth.altered_readings == 0
    doctor(world, f"UPDATE readings SET set_date_units = set_date_units + 1 WHERE rowid = {FIRST}")
    world.truth.look_again()
    assert how(world) == {"wrong": 1}


def test_bills_are_held_against_what_meters_told_of_the_set_date(world: World) -> None:
    assert wrong_bills(world.truth) == []
    meter = next(row.meter for row in world.truth.readings if row.set_date_units is not None)
    sql = f"UPDATE readings SET set_date_units = 99999 WHERE meter = '{meter}'"
    assert keyless(world).portal.store.connection.execute(sql).rowcount > 0
    (wrong,) = wrong_bills(world.truth)
    assert (wrong.meter, wrong.billed) == (meter, 99_999)
    assert wrong.units != 99_999


@pytest.mark.parametrize("type_id", ["qundis-q-caloric", "sontex-868", "zenner-caltos-e", "vipa-c10"])
def test_a_bill_stands_under_the_last_day_that_counts(tmp_path: Path, type_id: str) -> None:
    """Some meters say 31 December and some 1 January, of the same units."""
    spec = replace(dozen(tmp_path), start=datetime(2025, 12, 31, 23, 50), window_s=300.0)  # noqa: DTZ001
    fleet = tuple(replace(group, type=type_id, interval_s=120.0) for group in spec.fleet[:1])
    with World(replace(spec, fleet=fleet), 1, tmp_path / "world") as world:
        world.run(1_800 * NS_PER_S)
        world.deliver()
        assert wrong_bills(world.truth) == []
        for meter in range(world.fleet.n):
            last = world.fleet.truth(meter, 12)
            assert last.set_date == date(2025, 12, 31)
            assert world.stored.billed_units(str(world.fleet.address(meter)), last.set_date) == last.set_date_units


def test_delivery_counts_what_any_gateway_received(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, end_ns = world.truth, 180 * NS_PER_S
    sent, heard = truth.delivery(0, end_ns, "mode7")
    assert 30 <= heard <= sent
    one = next(s for s in truth.sent() if world.fleet.security(s.meter) == "mode7")
    fewer, less = truth.delivery(0, end_ns, "mode7", but=[str(world.fleet.address(one.meter))])
    assert fewer < sent and less < heard
    others = [s for s in truth.sent() if s != one]
    monkeypatch.setattr(Truth, "sent", lambda _self, start_ns, end_ns: others)
    assert truth.delivery(0, end_ns, "mode7") == (sent, heard - 1)


def test_tampering_is_known_from_when_it_was_done(world: World) -> None:
    assert world.truth.tampered() == {}
    world.tamper(2, "removed")
    world.tamper(2, "opened")
    assert world.truth.tampered() == {str(world.fleet.address(2)): 180 * NS_PER_S}


# --- bytes that are sent again --------------------------------------------------------------------------------------


WRAPPED_NS = 95 * 60 * NS_PER_S


def summer(folder: Path) -> World:
    """Meters that send no time and count nothing in summer: after 85 minutes of telegrams the access number wraps, and
    the same bytes are sent again."""
    fleet = FleetSpec("timeless", "techem-radio-4", 3, security="mode5", interval_s=20.0)
    spec = WorldSpec(
        "summer", "Summer", (fleet,), (GatewaySpec(bundle_age_s=60.0),), start=datetime(2026, 7, 1),  # noqa: DTZ001
        window_s=60.0, endpoint=MemorySpec(),
    )  # fmt: skip
    return World(spec, 1, folder)


def test_bytes_sent_twice_may_be_stored_twice_and_no_more(tmp_path: Path) -> None:
    with summer(tmp_path / "world") as world:
        world.run(WRAPPED_NS)
        store = keyless(world).portal.store
        twice = store.connection.execute(
            "SELECT fingerprint, max(rowid) FROM readings GROUP BY fingerprint HAVING count(*) = 2"
        ).fetchall()
        assert len(twice) > 20
        assert (world.truth.altered(), world.truth.missing()) == ([], [])
        store.connection.execute("INSERT INTO readings SELECT * FROM readings WHERE rowid = ?", (twice[0][1],))
        (replayed,) = world.truth.altered()
        assert (replayed.how, replayed.row.fingerprint, world.truth.doubled()) == ("doubled", twice[0][0], 1)


def test_of_bytes_sent_twice_each_sending_can_be_missing(tmp_path: Path) -> None:
    with summer(tmp_path / "world") as world:
        world.run(WRAPPED_NS)
        store = keyless(world).portal.store
        (mark, first, second), *_ = store.connection.execute(
            "SELECT fingerprint, min(rowid), max(rowid) FROM readings GROUP BY fingerprint HAVING count(*) = 2"
        ).fetchall()
        store.connection.execute("DELETE FROM readings WHERE rowid = ?", (first,))
        (missing,) = world.truth.missing()
        (row,) = store.connection.execute("SELECT stored_ns FROM readings WHERE rowid = ?", (second,)).fetchall()
        assert missing.mark == mark
        assert missing.start_ns < row[0] - NS_PER_HOUR, "the first sending; what is left came of the second"
        assert world.truth.altered() == []


def test_a_replay_before_the_bytes_are_sent_again_is_doubled(tmp_path: Path) -> None:
    """Stored between two sendings of the same bytes: the second one has not begun."""
    with summer(tmp_path / "world") as world:
        world.run(WRAPPED_NS)
        store = keyless(world).portal.store
        (mark, first), *_ = store.connection.execute(
            "SELECT fingerprint, min(rowid) FROM readings GROUP BY fingerprint HAVING count(*) = 2"
        ).fetchall()
        store.connection.execute(
            "INSERT INTO readings SELECT meter, gateway, received_ns, stored_ns + ?, meter_time, units, set_date, "
            "set_date_units, acc, counter, security, fingerprint, rssi_dbm, status, tamper, volume_m3, energy_kwh "
            "FROM readings WHERE rowid = ?", (NS_PER_HOUR // 2, first),
        )  # fmt: skip
        assert [(one.how, one.row.fingerprint) for one in world.truth.altered()] == [("doubled", mark)]


def test_a_row_is_judged_once_and_the_next_look_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    judge = Truth._judge

    def counted(self: Truth, ledger: Ledger, places: list[int], rows: list[Reading]) -> None:
        judged.extend(places)
        judge(self, ledger, places, rows)

    monkeypatch.setattr(Truth, "_judge", counted)
    monkeypatch.setattr("sim.truth.ground_truth._ROWS_AT_ONCE", 7)
    assert world.truth.altered() == []
    stored = world.truth.stored
    assert len(judged) == stored
    assert world.truth.missing() == []
    assert len(judged) == stored
    world.run(60 * NS_PER_S)
    assert world.truth.altered_readings == 0
    assert len(judged) == len(set(judged)) == world.truth.stored > stored
