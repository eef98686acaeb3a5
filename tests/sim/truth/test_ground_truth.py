"""The truth: what it makes of a stored reading, and where it looks. Its verdict must change when the store is
doctored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.truth.ground_truth import Spoken, fingerprint
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
    tunnelled = Spoken(99, 3, 0, telegram, [("gw-0009", row.received_ns)])
    assert world.truth.changed_by(tunnelled) == 0, "received elsewhere: the record is the meter's own"


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


def test_who_was_never_heard_was_not_silenced(world: World) -> None:
    truth, middle_ns, end_ns = world.truth, 90 * NS_PER_S, 180 * NS_PER_S
    truth.sent = {mark: s for mark, s in truth.sent.items() if s.start_ns < middle_ns}
    meters, silenced = truth.silenced(middle_ns, end_ns, "mode5")
    assert meters == len(silenced) == 4
    truth.sent = {mark: s for mark, s in truth.sent.items() if s.meter != world.fleet.find(next(iter(silenced)))}
    assert len(truth.silenced(middle_ns, end_ns, "mode5")[1]) == 3


def test_delivery_counts_what_any_gateway_received(world: World) -> None:
    truth, end_ns = world.truth, 180 * NS_PER_S
    sent, heard = truth.delivery(0, end_ns, "mode7")
    assert 30 <= heard <= sent
    one = next(s for s in truth.sent.values() if world.fleet.security(s.meter) == "mode7")
    fewer, less = truth.delivery(0, end_ns, "mode7", but=[str(world.fleet.address(one.meter))])
    assert fewer < sent and less < heard
    truth.sent = {mark: s for mark, s in truth.sent.items() if s is not one}
    assert truth.delivery(0, end_ns, "mode7") == (sent, heard - 1)


def test_a_genuine_telegram_counts_as_refused_when_the_portal_said_so(world: World) -> None:
    row = world.truth.readings[0]
    received, refused = world.truth.judged(row.meter, 0, 180 * NS_PER_S)
    assert (received > 5, refused) == (True, 0)
    doctor(world, f"DELETE FROM readings WHERE rowid = {FIRST}")
    assert world.truth.judged(row.meter, 0, 180 * NS_PER_S) == (received, 0), "missing, and nobody refused it"
    world.portal.store.refusal_reasons = lambda mark: ["late"]  # type: ignore[method-assign]
    assert world.truth.judged(row.meter, 0, 180 * NS_PER_S) == (received, 1)


def test_whom_a_gateway_serves_is_told_before_and_since(world: World) -> None:
    gateway = world.gateways[0].id
    rows = [r for r in world.truth.readings if r.gateway == gateway and r.security == "mode5"]
    middle_ns = 90 * NS_PER_S
    _, before, since = world.truth.served(gateway, "mode5", middle_ns)
    assert (before, since) == (
        sum(r.stored_ns < middle_ns for r in rows), sum(r.stored_ns >= middle_ns for r in rows)
    )  # fmt: skip
    assert before + since > 0
    assert world.truth.bundled_bytes(0, 181 * NS_PER_S) > world.truth.bundled_bytes(0, middle_ns) > 0


def test_tampering_is_known_from_when_it_was_done(world: World) -> None:
    assert world.truth.tampered() == {}
    world.tamper(2, "removed")
    world.tamper(2, "opened")
    assert world.truth.tampered() == {str(world.fleet.address(2)): 180 * NS_PER_S}
