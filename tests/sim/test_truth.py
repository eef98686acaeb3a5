"""The truth: what it makes of a stored reading, and where it looks. Its verdict must change when the store is
doctored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.clock import NS_PER_S
from sim.truth import Spoken, fingerprint
from sim.world import World
from tests.small_worlds import dozen


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(dozen(tmp_path), 1, tmp_path / "world") as made:
        made.run(180 * NS_PER_S)
        yield made


def doctor(world: World, sql: str) -> None:
    assert world.portal.store.connection.execute(sql).rowcount == 1
    world.truth._readings_at = -1


FIRST = "(SELECT min(rowid) FROM readings)"


def how(world: World) -> Counter[str]:
    return Counter(altered.how for altered in world.truth.altered())


def test_a_true_world_has_nothing_altered(world: World) -> None:
    assert len(world.truth.readings) > 50
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


def test_a_spoken_frame_changed_a_record_only_when_a_gateway_took_it(world: World) -> None:
    row = world.truth.readings[0]
    sent = world.truth.sent[row.fingerprint]
    telegram = world.fleet.telegram(sent.meter, sent.k)
    assert fingerprint(telegram) == row.fingerprint
    lost = Spoken(99, 0, 0, telegram)
    assert world.truth.changed_by(lost) == 0, "nobody received it: the record is the meter's own"
    taken = Spoken(99, 1, 0, telegram, [(row.gateway, row.received_ns)])
    assert world.truth.changed_by(taken) == 1
    later = Spoken(99, 2, 0, telegram, [(row.gateway, row.received_ns + 10 * NS_PER_S)])
    assert world.truth.changed_by(later) == 0, "received at another time: not this record"


def test_silence_counts_what_was_sent_and_not_stored(world: World) -> None:
    meter = str(world.fleet.address(0))
    before = world.truth.silence(0, 120 * NS_PER_S, only=meter)
    assert before.sent >= 4
    assert before.lost <= 1  # a telegram may be lost on the air
    rows = f"(SELECT min(rowid) FROM readings WHERE meter = '{meter}')"
    doctor(world, f"DELETE FROM readings WHERE rowid = {rows}")
    assert world.truth.silence(0, 120 * NS_PER_S, only=meter).lost == before.lost + 1


def test_billing_is_held_against_the_meters_own_set_date_value(world: World) -> None:
    meter = str(world.fleet.address(5))
    assert world.truth.billing_error(meter) == 0
    world.portal.store.connection.execute("UPDATE readings SET set_date_units = set_date_units + 3")
    assert world.truth.billing_error(meter) == 3
    world.portal.store.connection.execute("DELETE FROM readings")
    assert world.truth.billing_error(meter) == float("inf")
