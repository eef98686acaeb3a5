"""The windows against a plain set, and each check with the defence off (the attack passes) and on (it is stopped)."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bed import INTERVAL_S, KEY, METER, Bed, payload, telegram
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.portal import reasons
from sim.portal.check import in_order
from sim.portal.checks import acc, age, ahead, bind, jump, mcr, ts
from sim.portal.freshness import Freshness
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from tests.oracles.portal_window import BEHIND, NEW, SEEN, Window
from wmbus.link import Address
from wmbus.telegram import build


def only(*checks: str, **more: Any) -> PortalSpec:
    """These checks and nothing else that would help."""
    return PortalSpec(checks=checks, **{"pin_profile": False, "strict": False, "whole_address": False, **more})


def bed(path: Path, *checks: str, security: str = "mode5", **more: Any) -> Bed:
    return Bed(path, only(*checks, **more), security=security)


# --- the window -----------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=80), st.sampled_from([1, 8, 64]))
def test_window_never_takes_a_value_twice_and_never_refuses_a_new_one_inside(values: list[int], size: int) -> None:
    window, seen = Window(size), set[int]()
    for value in values:
        look = window.look(value)
        behind = max(seen, default=-1) - value
        if behind >= size:
            assert look == BEHIND
        else:
            assert look == (SEEN if value in seen else NEW)
            window.mark(value)
            seen.add(value)
        assert window.seen < 1 << size


# --- kept in a store --------------------------------------------------------------------------------------------------


def test_a_state_is_found_again_by_its_layout_and_what_a_check_that_is_gone_left_is_passed_over() -> None:
    every = in_order()
    before = Freshness(PortalSpec(), 3, every)
    nothing = before.copy(np.arange(3))
    before.state[1] += np.arange(before.state.shape[1])
    for number, ring in enumerate(before.rings):
        ring[1] = 11 + number
    blobs = before.changed(np.arange(3), nothing)
    assert [row for row, _, _ in blobs] == [1]
    for gone in every:
        left = [check for check in every if check is not gone]
        after = Freshness(PortalSpec(), 3, left)
        after.remember(blobs)
        for check in left:
            assert after.past(check, after.state[1]) == before.past(check, before.state[1])
            assert after.past(check, after.state[0]) == before.past(check, before.state[0])
            ours, theirs = (one.rings[list(one.checks).index(check.id)] for one in (after, before))
            assert (ours == theirs).all()


@pytest.mark.parametrize("layout", ["acc:2+16", "acc:1+17", "acc", "acc:2", "acc:two+17"])
def test_a_state_with_another_layout_is_refused(layout: str) -> None:
    with pytest.raises(ValueError, match="of another version"):
        Freshness(PortalSpec(), 1).remember([(0, layout, bytes(2 * 8 + 17))])


# --- replay -----------------------------------------------------------------------------------------------------------

REPLAY = [
    ("none", (), None), ("none", ("acc",), acc.REPLAYED_ACC), ("none", ("ts",), ts.REPLAYED_TIME),
    ("mode5", (), None), ("mode5", ("acc",), acc.REPLAYED_ACC), ("mode5", ("ts",), ts.REPLAYED_TIME),
    ("mode7", (), None), ("mode7", ("mcr",), mcr.REPLAYED_COUNTER),
]  # fmt: skip


@pytest.mark.parametrize(("security", "checks", "reason"), REPLAY)
@pytest.mark.parametrize("gateway", ["gw1", "gw2"])
def test_exact_replay_ten_seconds_later(
    tmp_path: Path, security: str, checks: tuple[str, ...], reason: str | None, gateway: str
) -> None:
    b = bed(tmp_path, *checks, security=security)
    b.run([1, 2], security=security)
    assert b.hear(telegram(2, security=security), 2 * INTERVAL_S + 10, gateway=gateway) == reason


@pytest.mark.parametrize(("security", "checks", "reason"), REPLAY)
def test_replay_after_a_portal_restart(
    tmp_path: Path, security: str, checks: tuple[str, ...], reason: str | None
) -> None:
    b = bed(tmp_path, *checks, security=security)
    b.run([1, 2], security=security)
    b.restart()
    assert b.hear(telegram(2, security=security), 2 * INTERVAL_S + 10) == reason


@pytest.mark.parametrize(
    ("security", "checks", "reason"),
    [
        ("mode5", (), None), ("mode5", ("acc",), acc.REPLAYED_ACC), ("mode5", ("ts",), ts.TIME_OFF),
        ("mode5", ("age",), reasons.REPLAYED_LATE), ("mode7", ("mcr",), mcr.REPLAYED_COUNTER),
    ],
)  # fmt: skip
def test_replay_after_more_than_ten_others(
    tmp_path: Path, security: str, checks: tuple[str, ...], reason: str | None
) -> None:
    b = bed(tmp_path, *checks, security=security)
    b.run(range(1, 14), security=security)
    assert b.hear(telegram(1, security=security), 13 * INTERVAL_S + 60) == reason


@pytest.mark.parametrize(
    ("security", "checks", "reason"),
    [
        # The access number has come round: what was sent 255 intervals ago is what is expected next.
        ("mode5", ("acc",), None), ("mode5", ("acc", "ts"), ts.TIME_OFF),
        ("mode5", ("acc", "age"), reasons.REPLAYED_LATE), ("mode7", ("mcr",), mcr.REPLAYED_COUNTER),
        ("mode7", ("acc",), None),
    ],
)  # fmt: skip
def test_replay_at_the_wrap_of_the_access_number(
    tmp_path: Path, security: str, checks: tuple[str, ...], reason: str | None
) -> None:
    b = bed(tmp_path, *checks, security=security)
    heard = [(telegram(k, security=security), k * INTERVAL_S) for k in range(1, 257)]
    size = 2 if "age" in checks else 32  # a long bundle would be too old for `age`
    for start in range(0, 256, size):
        b.take(b.message("gw1", heard[start : start + size]), now_s=heard[start + size - 1][1] + 5)
    assert b.portal.store.count_readings() == 256
    assert b.hear(telegram(1, security=security), 256 * INTERVAL_S + 600) == reason


def test_rewritten_access_number_gets_past_acc_and_not_past_ts(tmp_path: Path) -> None:
    """L09: in mode 5 a wrong access number garbles plaintext bytes 8 to 15 and nothing else; here they lie in a
    fabrication number, as in the VIPA's telegrams."""
    records = b"\x0b\x6e\x00\x01\x00" + b"\x07\x79" + bytes(8) + payload(None, 2 * INTERVAL_S)
    genuine = build(METER, 2, 0, records, security="mode5", key=KEY)
    for checks, reason in ((("acc",), None), (("acc", "ts"), ts.REPLAYED_TIME)):
        b = bed(tmp_path / str(len(checks)), *checks)  # type: ignore[arg-type]
        b.run([1])
        assert b.hear(genuine, 2 * INTERVAL_S) is None
        forged = bytearray(genuine)
        assert forged[11] == 2
        forged[11] = 3
        assert b.hear(bytes(forged), 2 * INTERVAL_S + 30) == reason


def test_a_garbled_time_is_no_way_round_ts(tmp_path: Path) -> None:
    b = bed(tmp_path, "ts")
    b.run([1, 2], time_first=True)
    assert b.hear(telegram(3, timed=False), 3 * INTERVAL_S) == ts.NO_TIME


def test_short_intervals_share_a_minute(tmp_path: Path) -> None:
    """Two telegrams of a meter that sends each 16 s may show the same minute; `ts` must not refuse the second."""
    entry = MeterEntry(METER, "mode5", 16.0, frozenset({"gw1"}))
    b = Bed(tmp_path, only("ts"), entries=[entry])
    assert b.hear(telegram(1, at_s=600), 600) is None
    assert b.hear(telegram(2, at_s=616), 616) is None


def test_acc_starts_anew_after_a_long_silence(tmp_path: Path) -> None:
    """After 128 intervals nothing can be said of an 8-bit number; a genuine meter must not be locked out."""
    b = bed(tmp_path, "acc")
    b.run(range(1, 30))
    assert b.hear(telegram(29 + 256), (29 + 256) * INTERVAL_S) is None


def test_forged_access_numbers_lock_out_only_themselves(tmp_path: Path) -> None:
    """L23: a far access number does not poison the window, the very next ones do: mode 5 has no defence in acc."""
    b = bed(tmp_path, "acc")
    b.run([1, 2])
    far, near = bytearray(telegram(2)), bytearray(telegram(2))
    far[11], near[11] = 120, 4
    assert b.hear(bytes(far), 2 * INTERVAL_S + 20) is None
    assert b.hear(telegram(3), 3 * INTERVAL_S) is None
    assert b.hear(bytes(near), 3 * INTERVAL_S + 20) is None
    assert b.hear(telegram(4), 4 * INTERVAL_S) == acc.REPLAYED_ACC


# --- hold-back, wormhole, lying clocks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "reason"),
    [((), None), (("acc", "mcr"), None), (("ts",), ts.TIME_OFF), (("age",), reasons.LATE)],
)
@pytest.mark.parametrize("security", ["mode5", "mode7"])
def test_hold_back(tmp_path: Path, security: str, checks: tuple[str, ...], reason: str | None) -> None:
    """L10: suppressed, and delivered in order two hours later: every counter is fine."""
    b = bed(tmp_path, *checks, security=security)
    b.run([1, 2], security=security)
    assert b.hear(telegram(3, security=security), 3 * INTERVAL_S + 7_200) == reason


def test_hold_back_of_a_meter_that_sends_no_time(tmp_path: Path) -> None:
    """Mode 7 without a time in the payload: the authenticated counter is the clock. Mode 5 has nothing."""
    for security, reason in (("mode7", reasons.LATE), ("mode5", None)):
        b = bed(tmp_path / security, "age", "mcr", "ts", security=security)
        b.run([1, 2, 3], security=security, timed=False)
        assert b.hear(telegram(4, security=security, timed=False), 4 * INTERVAL_S + 7_200) == reason
        assert b.hear(telegram(13, security=security, timed=False), 13 * INTERVAL_S) is None


def test_counter_age_allows_loss_and_drift_and_lateness_at_the_start(tmp_path: Path) -> None:
    b = bed(tmp_path, "age", "mcr", security="mode7")
    assert b.hear(telegram(1, security="mode7", timed=False), INTERVAL_S, now_s=INTERVAL_S + 1_700) is None
    for k in (5, 90, 400, 2_000):
        at_s = k * INTERVAL_S * (1 + 50e-6)
        assert b.hear(telegram(k, security="mode7", timed=False), at_s) is None, k


def test_counter_age_allows_the_individual_interval(tmp_path: Path) -> None:
    """EN 13757-4: telegrams come up to an interval early or late by their access number. The earliest arrives at
    once and becomes the anchor, the latest takes almost as long as `age_max_s` allows: both are genuine."""
    early_2048ths = list(itertools.accumulate((abs(n - 128) - 64 for n in range(256)), initial=0))
    b = bed(tmp_path, "age", "mcr", security="mode7")
    for k in (192, 256 + 64, 256 + 192, 512 + 64):
        sent_s = k * INTERVAL_S + early_2048ths[k & 0xFF] * INTERVAL_S / 2_048
        delay_s = 0 if k & 0xFF == 192 else 1_790
        assert b.hear(telegram(k, security="mode7", timed=False), sent_s, now_s=sent_s + delay_s) is None, k


def test_wormhole_through_another_gateway(tmp_path: Path) -> None:
    for checks, reason in (((), None), (("bind",), bind.FOREIGN_GATEWAY)):
        b = bed(tmp_path / str(len(checks)), *checks, security="mode7")  # type: ignore[arg-type]
        assert b.hear(telegram(1, security="mode7"), INTERVAL_S, gateway="gw9") == reason
    assert "freshness" not in b.kinds()  # a neighbour's gateway hears through walls every day


def test_a_meter_bound_to_no_gateway_is_refused(tmp_path: Path) -> None:
    b = Bed(tmp_path, only("bind"), entries=[MeterEntry(METER, "mode5")])
    assert b.hear(telegram(1), INTERVAL_S) == bind.FOREIGN_GATEWAY
    b.registry.bind(METER, ["gw1"])
    assert b.hear(telegram(2), 2 * INTERVAL_S) is None


@pytest.mark.parametrize(("checks", "reason"), [(("acc", "ts"), None), (("acc", "ts", "age"), reasons.LATE)])
def test_backfill_with_a_forged_gateway_time(tmp_path: Path, checks: tuple[str, ...], reason: str | None) -> None:
    """G02: the clone says that it heard the recording when the meter sent it. Only the portal's own clock helps."""
    b = bed(tmp_path, *checks)
    b.run([1, 2])
    held = telegram(3)
    assert b.hear(held, 3 * INTERVAL_S + 40_000, claims_s=3 * INTERVAL_S) == reason


def test_a_time_in_the_future_is_refused_by_the_portals_clock(tmp_path: Path) -> None:
    for checks, reason in ((("ts",), None), (("ts", "age"), age.TIME_AHEAD)):
        b = bed(tmp_path / str(len(checks)), *checks)  # type: ignore[arg-type]
        assert b.hear(telegram(50), INTERVAL_S, claims_s=50 * INTERVAL_S) == reason


def test_late_backfill_is_kept_for_billing_once(tmp_path: Path) -> None:
    """Both gateways were cut off and deliver six hours later: refused as late, no alarm, and the bill has the value."""
    b = Bed(tmp_path, security="mode7")
    b.run([1, 2], security="mode7")
    old = [(telegram(k, security="mode7", units=100 + k), k * INTERVAL_S) for k in range(3, 9)]
    now_s = 8 * INTERVAL_S + 21_600
    b.take(b.message("gw1", old), b.message("gw2", old), now_s=now_s)
    assert b.portal.store.refused_by_reason() == {reasons.LATE: 6}
    b.take(b.message("gw2", old), now_s=now_s + 60)  # and again under a new sequence: copies of what is known
    assert b.kinds() == []
    name = str(METER)
    assert [row[1] for row in b.portal.store.billing(name)] == [100, 100, *range(103, 109)]
    assert b.hear(telegram(4, security="mode7", units=104), now_s + 120) == mcr.REPLAYED_COUNTER
    assert len(b.portal.store.billing(name)) == 8
    assert b.hear(telegram(40, security="mode7"), 40 * INTERVAL_S) is None


# --- nothing genuine is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_out_of_order_through_two_gateways(tmp_path: Path, security: str, timed: bool, seed: int) -> None:
    """Each gateway hears a random half of four meters and publishes every 15 minutes, shifted and out of order; now
    and then one is half an hour late. Everything heard is stored once, nothing is refused, no alarm is raised."""
    dice = random.Random(seed)
    meters = [Address("QDS", f"2000000{i}", 0x36, 0x08) for i in range(4)]
    entries = [MeterEntry(m, security, INTERVAL_S, frozenset({"gw1", "gw2"})) for m in meters]  # type: ignore[arg-type]
    b = Bed(tmp_path, entries=entries)
    due: list[tuple[float, Any]] = []
    wanted = set()
    for gateway, k in itertools.product(("gw1", "gw2"), range(210, 300)):  # the access number comes round at 256
        heard = []
        for i, meter in enumerate(meters):
            if dice.random() < 0.5:
                sent_s = k * INTERVAL_S + 7 * i
                raw = telegram(k, security=security, meter=meter, key=KEY, timed=timed, at_s=sent_s)
                heard.append((raw, sent_s + dice.uniform(-0.9, 0.9)))
                wanted.add((str(meter), k & 0xFF, k))
        if heard:
            delay_s = dice.choice([20, 400, 900, 900, 1_700])
            due.append((k * INTERVAL_S + 30 + delay_s, b.message(gateway, heard)))
    # The portal takes what has come at the end of each quarter of an hour, in any order.
    for window, rows in itertools.groupby(sorted(due, key=lambda row: row[0]), key=lambda row: row[0] // 300):
        messages = [message for _, message in rows]
        dice.shuffle(messages)
        b.take(*messages, now_s=(window + 1) * 300)
    assert b.portal.store.refused_by_reason() == {}
    stored = [(row.meter, row.acc) for row in b.portal.store.readings()]
    assert sorted(stored) == sorted((meter, acc) for meter, acc, _ in wanted)
    assert [kind for kind in b.kinds() if kind != "gap"] == []


def test_payload_helper_is_what_a_q_caloric_sends() -> None:
    """The bed's meter against the published telegram of a Q caloric (its records, decrypted)."""
    assert payload(127, None)[:5].hex() == "0b6e270100"


# --- a twin with the meter's key (M02) -------------------------------------------------------------------------------


def twin(k: int, counter: int, at_s: float) -> bytes:
    return build(METER, k & 255, 0, payload(5, at_s, set_units=1), security="mode7", key=KEY, counter=counter)


@pytest.mark.parametrize("jump_on", [True, False])
def test_a_twin_a_million_ahead_is_refused_and_told_of(tmp_path: Path, jump_on: bool) -> None:
    checks = tuple(check for check in PortalSpec().checks if jump_on or check != "jump")
    b = Bed(tmp_path, PortalSpec(checks=checks), security="mode7")
    b.run(range(5), security="mode7")
    genuine, of_twin = set(), set()
    for k in range(5, 40):
        genuine.add(b.hear(telegram(k, security="mode7"), k * INTERVAL_S))
        at_s = k * INTERVAL_S + 300
        of_twin.add(b.hear(twin(k + 7, 1_000_000 + k, at_s), at_s))
        b.portal.watch(round((at_s + 10) * 1e9))
    if jump_on:
        assert genuine == {None} and of_twin == {jump.COUNTER_JUMP}
        assert b.kinds() == ["freshness"]
    else:
        assert None in of_twin and reasons.LATE in genuine
        assert b.kinds() == ["set date"]  # the twin tells another one; of a counter nobody speaks


def test_one_telegram_at_the_end_of_all_counters_does_not_lock_the_meter_out(tmp_path: Path) -> None:
    b = Bed(tmp_path, security="mode7")
    b.run([1, 2], security="mode7")
    assert b.hear(twin(9, 2**32 - 1, 2_000.0), 2_000.0) == jump.COUNTER_JUMP
    b.run(range(3, 9), security="mode7")


def test_a_twin_that_was_first_does_not_silence_the_meter_in_silence(tmp_path: Path) -> None:
    b = Bed(tmp_path, security="mode7")
    assert b.hear(twin(9, 1_000_000, 300.0), 300.0) is None
    assert b.hear(telegram(2, security="mode7"), 1_800.0) == jump.COUNTER_FELL
    assert b.kinds() == ["freshness"]


def test_a_twin_that_keeps_to_time_collides(tmp_path: Path) -> None:
    """A few counters ahead is as far as it comes; there the genuine meter meets it."""
    b = Bed(tmp_path, security="mode7")
    b.run([1, 2], security="mode7")
    for k in range(3, 30):
        b.hear(telegram(k, security="mode7"), k * INTERVAL_S)
        at_s = k * INTERVAL_S + 300
        b.hear(twin(k + 7, k + 10, at_s), at_s)
    assert "freshness" in b.kinds()


def test_an_outage_of_a_month_is_no_jump(tmp_path: Path) -> None:
    b = Bed(tmp_path, security="mode7")
    b.run([1, 2, 2_900, 2_901], security="mode7")
    backlog = [(telegram(k, security="mode7"), k * INTERVAL_S) for k in range(3_000, 3_300)]
    b.take(b.message("gw1", backlog), now_s=3_301 * INTERVAL_S)
    assert {row.reason for row in b.portal.store.refusals()} == {reasons.LATE}
    b.run([3_302], security="mode7")


def test_a_receive_time_in_the_future_is_refused_and_acc_does_not_lapse(tmp_path: Path) -> None:
    """A gateway's word made the window of access numbers begin anew, once for each repetition (A7)."""
    for checks, wanted in ((("acc",), None), (("acc", "ahead"), ahead.RECEIVED_AHEAD)):
        b = bed(tmp_path / str(len(checks)), *checks)  # type: ignore[arg-type]
        b.run(range(1, 4), timed=False)
        said = b.hear(telegram(2, timed=False), 5_000.0, now_s=5_005.0, claims_s=4.6e9)
        assert said == wanted
        assert b.kinds() == []
