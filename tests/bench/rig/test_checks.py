"""Each invariant is green on a true world and red on one that was doctored to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.rig import checks
from bench.rig.checks import (
    bundled_once,
    custody,
    fates_add_up,
    faults_witnessed,
    given_true,  # of real gateways: tests/sim/gateway/kinds/test_box_that_decodes.py
    heard_as_stored,
    in_time,
    no_key_on_disk,
    nothing_altered,
    of_the_system,  # of others: tests/sim/systems/test_second_system.py, test_smgw*.py
    real_at_work,  # of real gateways, as given_true
    unchanged_bytes,
    values_true,
)
from bench.rig.checks.port import INVARIANTS
from sim.core.clock import NS_PER_S
from sim.core.events import BundleClosed
from sim.core.wall_clock import WallClock
from sim.faults.portal_restarted import PortalRestarted
from sim.portal import intake
from sim.portal.store_port import Message, Refusal
from sim.world import World
from tests.small_worlds import dozen, keyless


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(dozen(tmp_path), 1, tmp_path / "world") as made:
        made.run(120 * NS_PER_S)
        yield made


def execute(world: World, sql: str) -> None:
    done = keyless(world).portal.store.connection.execute(sql)
    assert done.rowcount > 0, "the doctored row is there"
    keyless(world).portal.store.connection.commit()


def lose_a_message(world: World) -> None:
    execute(world, "DELETE FROM messages WHERE sequence = (SELECT max(sequence) FROM messages)")


def close_a_bundle_nobody_has(world: World) -> None:
    world.history.record(BundleClosed(world.now_ns, world.gateways[0].id, 999, 3, 100))


def miscount_a_fate(world: World) -> None:
    world.history.fates["received"] += 1


def delete_a_reading(world: World) -> None:
    execute(world, "DELETE FROM readings WHERE rowid = (SELECT min(rowid) FROM readings)")


def double_a_reading(world: World) -> None:
    execute(world, "INSERT INTO readings SELECT * FROM readings WHERE rowid = (SELECT min(rowid) FROM readings)")


def forge_a_reading(world: World) -> None:
    execute(world, "UPDATE readings SET fingerprint = 'ff00' WHERE rowid = (SELECT min(rowid) FROM readings)")


def change_the_units(world: World) -> None:
    execute(world, "UPDATE readings SET units = units + 1 WHERE rowid = (SELECT min(rowid) FROM readings)")


def give_it_to_another_meter(world: World) -> None:
    execute(
        world,
        "UPDATE readings SET meter = (SELECT max(meter) FROM readings) WHERE rowid = "
        "(SELECT min(rowid) FROM readings WHERE meter < (SELECT max(meter) FROM readings))",
    )


def name_another_gateway(world: World) -> None:
    execute(world, "UPDATE readings SET gateway = 'gw-9' WHERE rowid = (SELECT min(rowid) FROM readings)")


def name_another_time(world: World) -> None:
    second = "received_ns + 1000000000"
    execute(world, f"UPDATE readings SET received_ns = {second} WHERE rowid = (SELECT min(rowid) FROM readings)")


def hear_it_stronger(world: World) -> None:
    stronger = "rssi_dbm + 0.01"
    execute(world, f"UPDATE readings SET rssi_dbm = {stronger} WHERE rowid = (SELECT min(rowid) FROM readings)")


def leave_out_how_strong_it_was(world: World) -> None:
    execute(world, "UPDATE readings SET rssi_dbm = NULL WHERE rowid = (SELECT max(rowid) FROM readings)")


def store_it_between_two_takes(world: World) -> None:
    later = "stored_ns + 1"
    execute(world, f"UPDATE readings SET stored_ns = {later} WHERE rowid = (SELECT max(rowid) FROM readings)")


def keep_a_refusal_with_other_bytes(world: World) -> None:
    store, row = keyless(world).portal.store, world.truth.readings[0]
    times = row.received_ns, row.stored_ns
    with store.transaction():
        store.add_refusals([Refusal(row.meter, row.gateway, *times, "late", "", row.fingerprint, b"other", None)])


def write_a_key(world: World) -> None:
    key = world.fleet.key(world.fleet.n - 1)
    assert key is not None
    (world.directory / "portal" / "debug.log").write_text(f"key {key.hex()}", encoding="ascii")


def inject_a_fault_that_never_strikes(world: World) -> None:
    world.fault(PortalRestarted(after_s=3_600.0))


def fall_behind_the_wall(world: World) -> None:
    clock = WallClock(late_most_ns=5)
    clock.close()
    clock.lateness.note(6)
    world.clock = clock


def test_a_true_world_breaks_no_invariant(world: World) -> None:
    assert world.truth.stored > 30
    assert checks.apply(world, attacked=False) == []
    assert checks.apply(world, attacked=True) == []


def test_every_check_in_the_folder_is_tested_here() -> None:
    assert INVARIANTS.parts() == {
        one.INVARIANT.id: one.INVARIANT for one in (
        bundled_once, custody, fates_add_up, faults_witnessed, given_true, heard_as_stored, in_time, no_key_on_disk,
        nothing_altered, of_the_system, real_at_work, unchanged_bytes, values_true)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("doctor", "check"),
    [
        (lose_a_message, custody),
        (close_a_bundle_nobody_has, custody),
        (close_a_bundle_nobody_has, bundled_once),
        (miscount_a_fate, fates_add_up),
        (write_a_key, no_key_on_disk),
        (inject_a_fault_that_never_strikes, faults_witnessed),
        (delete_a_reading, nothing_altered),
        (double_a_reading, nothing_altered),
        (forge_a_reading, nothing_altered),
        (forge_a_reading, unchanged_bytes),
        (keep_a_refusal_with_other_bytes, unchanged_bytes),
        (change_the_units, values_true),
        (give_it_to_another_meter, values_true),
        (name_another_gateway, heard_as_stored),
        (name_another_time, heard_as_stored),
        (hear_it_stronger, heard_as_stored),
        (leave_out_how_strong_it_was, heard_as_stored),
        (store_it_between_two_takes, heard_as_stored),
        (fall_behind_the_wall, in_time),
    ],
    ids=lambda value: getattr(value, "__name__", "").rpartition(".")[2],
)
def test_a_check_goes_red_when_its_invariant_is_broken(
    world: World, doctor: Callable[[World], None], check: object
) -> None:
    doctor(world)
    problems = check.check(world, False)  # type: ignore[attr-defined]
    assert problems
    assert all(isinstance(problem, str) and problem for problem in problems)
    assert check.INVARIANT.title in {title for title, _ in checks.apply(world, attacked=False)}  # type: ignore[attr-defined]


def test_altered_records_are_the_scenarios_business_when_there_is_an_attacker(world: World) -> None:
    double_a_reading(world)
    assert nothing_altered.check(world, False)
    assert nothing_altered.check(world, True) == []


def test_what_a_gateway_answers_for_is_asked_of_the_port(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whatever kind it is: what it says that it did not deliver is not missing, and its complaint is told."""
    lost = world.truth.readings[0]
    sent = world.truth.known(lost.fingerprint)
    assert sent is not None
    execute(world, f"DELETE FROM readings WHERE fingerprint = '{lost.fingerprint}'")
    assert nothing_altered.check(world, attacked=False)
    kept = world.fleet.telegram(sent.meter, sent.k)
    monkeypatch.setattr(type(world.gateways[0]), "undelivered", lambda gateway: [kept])
    assert nothing_altered.check(world, attacked=False) == []
    assert real_at_work.check(world, attacked=False) == []
    monkeypatch.setattr(type(world.gateways[0]), "complaint", "its line took none")
    assert real_at_work.check(world, attacked=False) == ["its line took none"] * len(world.gateways)


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_custody_looks_at_few_bundles_at_once_and_finds_the_one_that_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    monkeypatch.setattr(custody, "BUNDLES_AT_ONCE", 2)
    gateway = world.gateways[0].id
    for sequence in range(1_000, 1_006):
        world.history.record(BundleClosed(world.now_ns, gateway, sequence, 3, 100))
    store = keyless(world).portal.store
    store.add_messages([Message(gateway, n, "", world.now_ns) for n in range(1_000, 1_006) if n != 1_000 + missing])
    asked = []
    ask = store.sequences_after

    def counted(*words: Any) -> list[int]:
        asked.append(ask(*words))
        return asked[-1]

    monkeypatch.setattr(store, "sequences_after", counted)
    [problem] = custody.check(world, attacked=False)
    assert problem.startswith(f"bundle {1_000 + missing} of {gateway}")
    closed = sum(1 for _ in world.history.each(BundleClosed))
    assert max(map(len, asked)) == 2
    assert len(asked) <= closed / 2 + len(world.gateways) + 1, "each is asked for once"


def test_what_is_no_reading_yet_is_said_to_lie_with_gateways(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(world.gateways[0]), "pump", lambda *_: None)
    world.run(120 * NS_PER_S)
    held = sum(len(gateway.waiting) for gateway in world.gateways)
    assert held > 0
    [problem] = nothing_altered.check(world, attacked=False)
    assert problem.endswith(f"{{'no trace': {len(world.truth.missing())}}}; gateways hold {held} bundles "
                            "that the portal has not acknowledged")  # fmt: skip


def test_stale_readings_are_said_with_their_worst_age_and_what_is_allowed(world: World) -> None:
    first = "(SELECT min(rowid) FROM readings)"
    execute(world, f"UPDATE readings SET stored_ns = stored_ns + 3000 * {NS_PER_S} WHERE rowid = {first}")
    execute(world, f"UPDATE readings SET stored_ns = stored_ns + 9000 * {NS_PER_S} WHERE rowid = {first} + 1")
    row = world.truth.readings[1]
    sent = world.truth.known(row.fingerprint)
    assert sent is not None
    age_s = (row.stored_ns - sent.start_ns) / NS_PER_S
    allowed_s = world.truth.tolerance_ns / NS_PER_S
    [problem] = nothing_altered.check(world, attacked=False)
    assert problem == f"2 readings stale: stored up to {age_s:.0f} s after sending, {allowed_s:.0f} s allowed"


def test_what_was_raised_is_said_of_genuine_telegrams_in_quarantine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise ValueError("check 'soon': verdict\x1b returned 3")

    monkeypatch.setattr(intake, "judge", raises)
    world.run(120 * NS_PER_S)
    [problem] = nothing_altered.check(world, attacked=False)
    assert "{'quarantined': " in problem
    assert problem.endswith("; quarantined: ValueError: check 'soon': verdict\\x1b returned 3")
