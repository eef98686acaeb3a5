"""The intake says the same as the portal in words at each limit, one less and one more; and every change of one line
on either side, of those that once went unnoticed and more, is noticed by one of these cases."""

from __future__ import annotations

import pytest

from tests.sim.portal.bounds import CASES, COMPILED, PRODUCTION, WORDS, Case, Edit, edited, noticed, plain, words

COPIES, WINDOW = "sim.portal.copies", "sim.portal.window"
CHECK = "sim.portal.checks."
EDITS: tuple[Edit, ...] = (
    (COPIES, "TOLERANCE_NS: Final = 2 * NS_PER_S", "TOLERANCE_NS: Final = 4 * NS_PER_S"),
    (COPIES, "TOLERANCE_NS: Final = 2 * NS_PER_S", "TOLERANCE_NS: Final = 1 * NS_PER_S"),
    (COPIES, "<= TOLERANCE_NS", "< TOLERANCE_NS"),
    (COPIES, "gateway != other_gateway and ", ""),
    (COPIES, "found = AGAIN", "found = FRESH"),
    (WINDOW, "highest - value >= size:\n        return BEHIND", "highest - value > size:\n        return BEHIND"),
    (WINDOW, "value > highest:\n        return NEW", "value >= highest:\n        return NEW"),
    (CHECK + "bind", "PASSED if sight.expected else _FOREIGN", "PASSED"),
    (CHECK + "mcr", "WINDOW: Final = 1_024", "WINDOW: Final = 1_032"),
    (CHECK + "mcr", "WINDOW: Final = 1_024", "WINDOW: Final = 1_016"),
    (CHECK + "mcr", '"mcr", 20,', '"mcr", 45,'),
    (CHECK + "acc", "past.heard_ns > WINDOW", "past.heard_ns >= WINDOW"),
    (CHECK + "acc", "WINDOW: Final = 128", "WINDOW: Final = 120"),
    (CHECK + "acc", "ahead < WINDOW", "ahead <= WINDOW"),
    (CHECK + "acc", "max(past.heard_ns, sight.received_ns)", "sight.received_ns"),
    (CHECK + "acc", ', left_to="mcr"', ""),
    (CHECK + "ts", "off_ns < limits.tolerance_ns + NS_PER_MIN", "off_ns <= limits.tolerance_ns + NS_PER_MIN"),
    (CHECK + "ts", "-limits.tolerance_ns <= off_ns", "-limits.tolerance_ns < off_ns"),
    (CHECK + "ts", "off_ns < limits.tolerance_ns + NS_PER_MIN", "off_ns < limits.tolerance_ns"),
    (CHECK + "ts", "meter.interval_ns < LEAST_INTERVAL_NS", "meter.interval_ns <= LEAST_INTERVAL_NS"),
    (CHECK + "ts", "WINDOW_MIN: Final = 1_440", "WINDOW_MIN: Final = 1_448"),
    (CHECK + "ts", "meter.sends_time == 1 or learned", "learned"),
    (CHECK + "ts", "meter.sends_time == UNKNOWN and past.highest != NONE", "meter.sends_time == UNKNOWN"),
    (CHECK + "age", "DRIFT_PPM: Final = 100", "DRIFT_PPM: Final = 0"),
    (CHECK + "age", "WANDER_2048THS: Final = 4_160", "WANDER_2048THS: Final = 0"),
    (CHECK + "age", "limits.age_max_ns + wander_ns", "limits.age_max_ns"),
    (CHECK + "age", "PASSED if age_ns <= limit_ns else", "PASSED if age_ns < limit_ns else"),
    (CHECK + "age", "age_ns < -limits.tolerance_ns", "age_ns <= -limits.tolerance_ns"),
    (CHECK + "age", "counted_ns(sight, meter, past) >= 0", "counted_ns(sight, meter, past) > -2"),
    (CHECK + "age", " and meter.silent_ns == 0", ""),
    (WORDS[0], "behind >= self.size:\n            return BEHIND", "behind > self.size:\n            return BEHIND"),
    (WORDS[1], "MCR_WINDOW = 1_024", "MCR_WINDOW = 1_025"),
    (WORDS[1], "window.at_ns > ACC_WINDOW", "window.at_ns >= ACC_WINDOW"),
    (CHECK + "ahead", "<= limits.tolerance_ns", "< limits.tolerance_ns"),
    (CHECK + "jump", "SPARE: Final = 16", "SPARE: Final = 15"),
    (CHECK + "jump", "FAST_SHIFT: Final = 10", "FAST_SHIFT: Final = 11"),
    (CHECK + "jump", "<= ahead_of_time(meter, limits)", "< ahead_of_time(meter, limits)"),
    (CHECK + "jump", "+ 2 * limits.tolerance_ns", "+ limits.tolerance_ns"),
    (CHECK + "jump", ">= mcr.WINDOW", "> mcr.WINDOW"),
    (CHECK + "jump", "later_ns > 2 * limits", "later_ns >= 2 * limits"),
    (CHECK + "jump", "min(sight.received_ns, sight.now_ns)", "sight.received_ns"),
    (CHECK + "jump", "max(at_ns - LAG_NS, falls_due(sight, meter, past))", "at_ns"),
    (CHECK + "jump", "max(at_ns - LAG_NS, falls_due(sight, meter, past))", "falls_due(sight, meter, past)"),
    (CHECK + "jump", "sight.counter <= past.counter", "sight.counter < 0"),
    (CHECK + "jump", "LAG_NS: Final = 12", "LAG_NS: Final = 13"),
    (CHECK + "jump", ", takes_late=False", ""),
    (CHECK + "jump", '"jump", 18,', '"jump", 21,'),
    (WORDS[1], "JUMP_SPARE = 16", "JUMP_SPARE = 17"),
    (WORDS[1], "JUMP_FAST = 1_024", "JUMP_FAST = 1_000"),
    (WORDS[1], "max(-JUMP_LAG_S * S, self._missing(entry, sight))", "self._missing(entry, sight)"),
    (WORDS[1], "if ahead_ns <= self", "if ahead_ns < self"),
    (WORDS[1], "off_ns < self._tolerance_ns + 60 * S", "off_ns <= self._tolerance_ns + 60 * S"),
    (WORDS[1], "TS_LEAST_INTERVAL_S = 120", "TS_LEAST_INTERVAL_S = 119"),
    (WORDS[1], "TS_WINDOW_MIN = 1_440", "TS_WINDOW_MIN = 1_441"),
    (WORDS[1], "DRIFT_PPM = 100", "DRIFT_PPM = 0"),
    (WORDS[1], "WANDER_2048THS = 4_160", "WANDER_2048THS = 4_161"),
    (WORDS[1], "if age_ns <= limit_ns", "if age_ns < limit_ns"),
    (WORDS[2], "COPY_TOLERANCE_NS = 2_000_000_000", "COPY_TOLERANCE_NS = 4_000_000_000"),
    (WORDS[2], "<= COPY_TOLERANCE_NS", "< COPY_TOLERANCE_NS"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_at_the_bound(case: Case) -> None:
    """Verdicts and words of refusals, compiled; and the case is one: the last verdict changes at the bound."""
    last = set()
    for off in (-1, 0, 1):
        production = COMPILED.verdicts(case, off)
        assert production == words(case, off), off
        last.add(production[-1][0])
    assert (len(last) > 1) == case.changes, last


def test_plain_python_says_what_is_compiled() -> None:
    with edited(PRODUCTION, ("", "", "")) as made:
        production = plain(made)
    for case in CASES:
        for off in (-1, 0, 1):
            assert production.verdicts(case, off) == COMPILED.verdicts(case, off), (case.name, off)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0].rpartition('.')[2]}: {edit[2]}"[:60])
def test_a_change_on_one_side_is_noticed(edit: Edit) -> None:
    assert noticed(edit), f"no case notices {edit[1]!r} -> {edit[2]!r} in {edit[0]}"


@pytest.mark.parametrize("same", [(COPIES, "found = AGAIN"), (WORDS[1], "DRIFT_PPM = 100")])
def test_no_change_is_not_noticed(same: tuple[str, str]) -> None:
    assert noticed((*same, same[1])) == ""
