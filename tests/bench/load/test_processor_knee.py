"""A knee in processor time: from what threads took, whatever the wall says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.load import load_text, processor_knee
from bench.load.load_orders import Stored
from bench.load.outcome import Outcome
from reports import load_page
from tests.bench.load.load_stand import stand
from tests.bench.load.test_load_command import outcome, told


def trial(
    portal_s: float, *, per_s: float = 100.0, driver: str = "ours", wall: float = 1.0, stored: int = 2_000
) -> Outcome:
    """2 000 bundles stored; the portal took so long of a processor, the broker 0.6 s. `wall`: others left so much of
    the machine."""
    made = outcome(per_s, holds=wall > 0.5, driver=driver)
    made.accounts.latency_s[:] /= wall
    made.spent_s, made.stored = {"broker": 0.6, "portal": portal_s, "generator 1": 3.0, "takers": 0.01}, stored
    return made


def test_the_thread_that_is_full_first_sets_the_knee() -> None:
    found = processor_knee.answer([([trial(4.0)], [])])
    assert found is not None
    assert (found["thread"], found["full_at_per_s"]) == ("portal", 500.0)
    assert found["ms_a_bundle"] == {"broker": 0.3, "portal": 2.0}  # what took too little to tell is left out
    assert processor_knee.answer([([trial(0.2, stored=0)], [])]) is None
    assert processor_knee.answer([([], [])]) is None


def test_what_others_take_of_the_machine_does_not_move_it() -> None:
    quiet = processor_knee.answer([([trial(4.0)], [trial(4.1, driver="c")])])
    busy = processor_knee.answer([([trial(4.0, wall=0.1)], [trial(4.1, driver="c", wall=0.1)])])
    assert quiet == busy and quiet is not None and quiet["ms_a_bundle_by_c"]["portal"] == 2.05


def test_runs_say_how_far_they_lie_apart() -> None:
    found = processor_knee.answer([([trial(4.0 * slow)], []) for slow in (1.0, 1.5, 1.1, 2.0, 1.0)])
    assert found is not None and found["full_at_interval"] == pytest.approx(0.55)


def test_only_trials_of_the_same_load_are_a_pair() -> None:
    ours = [trial(4.0, per_s=100.0), trial(6.0, per_s=200.0)]
    both = processor_knee.pairs([(ours, [trial(4.2, per_s=100.0, driver="c")])])
    assert [(one.per_s, c.spent_s["portal"]) for one, c in both] == [(100.0, 4.2)]
    assert processor_knee.pairs([(ours, [trial(4.2, per_s=150.0, driver="c")])]) == []


def test_words_and_page_tell_it() -> None:
    answer = told(trial(4.0), by_c=(trial(4.4, driver="c"),))
    text = "\n".join(load_text.in_words(answer))
    assert "the portal's core is full at 500.0 bundles/s" in text and "portal 2.200 ms" in text
    assert "In processor time" in load_page.render(answer)


def test_a_real_trial_tells_what_its_threads_took(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand(monkeypatch, tmp_path, shape="backlog") as made:
        found = made.trial(20.0)
    assert found.stored == len(made.setting.shape.schedule(made.setting.load(20.0))) == 40
    assert {"broker", "portal", "generator 1"} <= set(found.spent_s) and found.spent_s["portal"] > 0
    assert found.as_json(20.0)["bundles_stored"] == 40


@pytest.mark.parametrize("sizes", [[200] * 5, [3, 5, 8, 2, 12, 7], [200, 10, 4, 200, 60]])
def test_how_full_takes_were_does_not_move_what_a_bundle_takes(sizes: list[int]) -> None:
    """Ten milliseconds a take and one a bundle; half of one to read it."""
    bundles = sum(sizes)
    told = Stored(
        np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64),
        each_take=[(size, 0.010 + 0.001 * size) for size in sizes], read_s=0.0005 * bundles,
    )  # fmt: skip
    found = processor_knee.full_take_s(told, bundles)
    assert found == pytest.approx(0.010 / 200 + 0.001 + 0.0005)
    assert processor_knee.full_take_s(Stored(*(np.zeros(0, dtype=np.int64),) * 4), 5) is None


def test_one_slow_take_of_many_full_ones_moves_nothing() -> None:
    told = Stored(
        np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64),
        each_take=[(200, 0.2), (200, 0.2), (200, 0.9), (200, 0.2), (200, 0.2), (7, 0.1)],
    )  # fmt: skip
    assert processor_knee.full_take_s(told, 1_007) == pytest.approx(0.001)
