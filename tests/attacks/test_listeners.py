"""Attacks that only listen: what they make of telegrams whose contents are known."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

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


def truth_of(units: dict[bytes, int]) -> Any:
    marks = {fingerprint(frame): value for frame, value in units.items()}
    return SimpleNamespace(units_in=marks.__getitem__, known=lambda mark: mark, units=marks.__getitem__, tampered=dict)


@pytest.mark.parametrize(("security", "told"), [("mode5", 2), ("mode7", 0)])
def test_equal_blocks_under_one_access_number_are_equal_units(security: str, told: int) -> None:
    units = {telegram(value, acc, security): value for acc, value in ((1, 7), (2, 8), (257, 7), (258, 9), (513, 7))}
    ear, repeats = Ear(), Repeats()
    next(repeats.run(ear))
    for number, frame in enumerate(units):
        ear.watcher(Heard(frame, number, -60.0))
    (outcome,) = repeats.outcomes(truth_of(units))
    if security == "mode5":
        assert (outcome.reached, outcome.achieved) == (3, told)
        assert (outcome.evidence["recall"], outcome.evidence["precision"]) == (1.0, 1.0)
    else:
        assert outcome.achieved == 0


@pytest.mark.parametrize(("security", "found"), [("none", 1), ("mode5", 0)])
def test_habits_are_learnt_from_contents_and_from_nothing_else_here(security: str, found: int) -> None:
    """Meters that send by the clock; the odd ones heat in odd hours."""
    units: dict[bytes, int] = {}
    heard: list[Heard] = []
    for m in range(12):
        address, count = Address("QDS", f"{m:08d}", 0x36, 8), 0
        for hour in range(12):
            for part in range(2):
                frame = telegram(count, 2 * hour + part + 1, security, address)
                units[frame] = count
                heard.append(Heard(frame, hour * NS_PER_HOUR + part * NS_PER_HOUR // 2 + m, -60.0))
            count += (m + hour) % 2
    ear, habits = Ear(), Habits()
    next(habits.run(ear))
    for one in sorted(heard, key=lambda one: one.received_ns):
        ear.watcher(one)
    outcome = next(one for one in habits.outcomes(truth_of(units)) if one.variant == HEATING)
    assert outcome.achieved == found
    assert outcome.evidence["area under the curve"] == (1.0 if found else 0.5)
