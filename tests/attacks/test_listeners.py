"""Attacks that only listen: what they make of telegrams whose contents are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from attacks.habits import HEATING, Habits
from attacks.iv_reuse import Repeats
from sim.core.bundle import Heard
from sim.core.clock import NS_PER_HOUR
from sim.truth.ground_truth import fingerprint
from wmbus.link import Address
from wmbus.telegram import build

KEY = bytes(range(16))
METER = Address("QDS", "12345678", 0x36, 8)


class Ear:
    """Hears what it is given."""

    def __init__(self) -> None:
        self.watcher: Callable[[Heard], None] = lambda _: None

    def note(self, action: str, detail: str) -> None:
        pass

    def listen(self, watcher: Callable[[Heard], None]) -> None:
        self.watcher = watcher

    def wait(self, seconds: float) -> None:
        pass


def telegram(units: int, acc: int, security: Any, address: Address = METER) -> bytes:
    """Units in the first block, a number that is always another one in the second."""
    records = bytes.fromhex("036e") + units.to_bytes(3, "little") + bytes.fromhex("436e000000426cffff")
    records += bytes.fromhex("0413") + acc.to_bytes(4, "little")
    keyed = security != "none"
    return build(
        address, acc % 256, 0, records, security=security, key=KEY if keyed else None,
        counter=acc if security == "mode7" else None,
    )  # fmt: skip


def truth_of(units: dict[bytes, int], meters: dict[bytes, int], hours: int, shown: Callable[[int, int], int]) -> Any:
    """`meters`: who sent a frame; `shown`: what a meter shows at a time. Each sends as an hour begins."""
    by_mark = {fingerprint(frame): (meters.get(frame, 0), value) for frame, value in units.items()}
    everybody = np.unique(list(meters.values()))

    def window(begin_ns: int, _end_ns: int) -> Any:
        return SimpleNamespace(meter=everybody, start_ns=np.full(len(everybody), begin_ns))

    return SimpleNamespace(
        units_in=lambda mark: by_mark[mark][1], tampered=dict, units_at=shown,
        every_known=lambda marks: {mark: SimpleNamespace(meter=by_mark[mark][0]) for mark in marks if mark in by_mark},
        world=SimpleNamespace(now_ns=hours * NS_PER_HOUR, fleet=SimpleNamespace(window=window)),
    )  # fmt: skip


METERS, HOURS = 160, 24


@pytest.mark.parametrize(("security", "told"), [("mode5", 2), ("mode7", 0)])
def test_equal_blocks_under_one_access_number_are_equal_units(security: str, told: int) -> None:
    units = {telegram(value, acc, security): value for acc, value in ((1, 7), (2, 8), (257, 7), (258, 9), (513, 7))}
    ear, repeats = Ear(), Repeats()
    next(repeats.run(ear))
    for number, frame in enumerate(units):
        ear.watcher(Heard(frame, number, -60.0))
    (outcome,) = repeats.outcomes(truth_of(units, {}, 0, lambda meter, time_ns: 0))
    if security == "mode5":
        assert (outcome.reached, outcome.achieved) == (3, told)
        assert (outcome.evidence["recall"], outcome.evidence["precision"]) == (1.0, 1.0)
    else:
        assert outcome.achieved == 0


@pytest.mark.parametrize(("security", "found"), [("none", 1), ("mode5", 0)])
def test_habits_are_learnt_from_contents_and_from_nothing_else_here(security: str, found: int) -> None:
    """Meters that send by the clock; the odd ones heat in odd hours."""
    units: dict[bytes, int] = {}
    meters: dict[bytes, int] = {}
    heard: list[Heard] = []

    def shown(meter: int, time_ns: int) -> int:
        return sum((meter + hour) % 2 for hour in range(time_ns // NS_PER_HOUR))

    for m in range(12):
        address = Address("QDS", f"{m:08d}", 0x36, 8)
        for hour in range(12):
            count = shown(m, hour * NS_PER_HOUR)
            for part in range(2):
                frame = telegram(count, 2 * hour + part + 1, security, address)
                units[frame], meters[frame] = count, m
                heard.append(Heard(frame, hour * NS_PER_HOUR + part * NS_PER_HOUR // 2 + m, -60.0))
    ear, habits = Ear(), Habits()
    next(habits.run(ear))
    for one in sorted(heard, key=lambda one: one.received_ns):
        ear.watcher(one)
    outcome = next(one for one in habits.outcomes(truth_of(units, meters, 12, shown)) if one.variant == HEATING)
    assert outcome.achieved == found
    assert outcome.evidence["area under the curve"] == (1.0 if found else 0.5)


@pytest.mark.parametrize("by_reception", [False, True])
def test_what_a_listener_misses_is_no_sign_of_heating(by_reception: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four telegrams an hour, every other one missed. Whether units moved is asked of each meter's own hour. Asked of
    the telegrams that were heard, the gaps between them would tell it, since more happens in a longer one."""
    rng = np.random.default_rng(1)
    begin_ns = rng.integers(0, NS_PER_HOUR // 4, METERS)
    step_ns = np.sort(rng.integers(0, HOURS * NS_PER_HOUR, (METERS, HOURS // 2)))
    units: dict[bytes, int] = {}
    meters: dict[bytes, int] = {}
    heard: list[Heard] = []

    def shown(meter: int, time_ns: int) -> int:
        return int(np.searchsorted(step_ns[meter], time_ns))

    for m in range(METERS):
        address = Address("QDS", f"{m:08d}", 0x36, 8)
        for k in np.flatnonzero(rng.random(4 * HOURS) < 0.5).tolist():
            at_ns = int(begin_ns[m]) + k * NS_PER_HOUR // 4
            frame = telegram(shown(m, at_ns), k + 1, "mode5", address)
            units[frame], meters[frame] = shown(m, at_ns), m
            heard.append(Heard(frame, at_ns, -60.0))
    ear, habits = Ear(), Habits()
    next(habits.run(ear))
    for one in sorted(heard, key=lambda one: one.received_ns):
        ear.watcher(one)
    if by_reception:
        labels: dict[int, dict[int, int]] = defaultdict(dict)
        for one in heard:
            labels[meters[one.telegram]].setdefault(one.received_ns // NS_PER_HOUR, units[one.telegram])
        moved = {m: {hour: own[hour] != own.get(hour + 1) for hour in own} for m, own in labels.items()}
        monkeypatch.setattr("attacks.habits.heated_hours", lambda truth: moved)
    truth = truth_of(units, meters, HOURS, shown)
    outcome = next(one for one in habits.outcomes(truth) if one.variant == HEATING)
    assert outcome.achieved == by_reception, outcome.why
