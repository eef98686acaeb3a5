"""What jamming cost, worked out from the truth: the figures must change when the store or the ledger is doctored."""

from __future__ import annotations

import pytest

from attacks.jam import billing_error, loss_by_level, silence_of, silenced_in
from sim.core.clock import NS_PER_S
from sim.truth.ground_truth import Truth
from sim.world import World
from tests.small_worlds import keyless

MIDDLE_NS, END_NS = 90 * NS_PER_S, 180 * NS_PER_S


def test_silence_counts_what_was_sent_and_not_stored(run_world: World) -> None:
    meter = str(run_world.fleet.address(0))
    before = silence_of(run_world.truth, meter, 0, 120 * NS_PER_S)
    assert before.sent >= 4
    assert before.lost <= 1  # a telegram may be lost on the air
    keyless(run_world).portal.store.connection.execute(
        "DELETE FROM readings WHERE rowid = (SELECT min(rowid) FROM readings WHERE meter = ?)", (meter,)
    )
    run_world.truth.look_again()
    assert silence_of(run_world.truth, meter, 0, 120 * NS_PER_S).lost == before.lost + 1


def test_loss_over_level_counts_every_telegram_once(run_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = loss_by_level(run_world.truth, 0, END_NS, "mode7")
    assert heard is not None and all(-120 < level < 0 and 0 <= share <= 0.25 for level, share in heard.points)
    monkeypatch.setattr(Truth, "sent", lambda *_: iter([]))
    deaf = loss_by_level(run_world.truth, 0, END_NS, "mode7")
    assert deaf is not None and {share for _, share in deaf.points} == {1.0}
    assert [level for level, _ in deaf.points] == sorted(level for level, _ in heard.points)


def test_a_meter_that_was_never_heard_was_not_silenced(run_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = run_world.truth
    before = list(truth.sent(0, MIDDLE_NS))

    def told(noted: list[object]) -> None:
        monkeypatch.setattr(Truth, "sent", lambda _self, start_ns, end_ns: iter([] if start_ns else noted))

    told(list(before))
    meters, silenced = silenced_in(truth, MIDDLE_NS, END_NS, "mode5")
    assert meters == len(silenced) == 4
    one = run_world.fleet.find(next(iter(silenced)))
    told([sent for sent in before if sent.meter != one])
    assert len(silenced_in(truth, MIDDLE_NS, END_NS, "mode5")[1]) == 3


def test_billing_is_held_against_the_meters_own_set_date_value(run_world: World) -> None:
    meter, store = str(run_world.fleet.address(5)), keyless(run_world).portal.store
    assert billing_error(run_world.truth, meter) == 0
    store.connection.execute("UPDATE readings SET set_date_units = set_date_units + 3")
    assert billing_error(run_world.truth, meter) == 3
    store.connection.execute("DELETE FROM readings")
    assert billing_error(run_world.truth, meter) == float("inf")
