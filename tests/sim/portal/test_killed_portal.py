"""The portal's process is killed with SIGKILL at one named point of a take: after its commit and before it
acknowledges, or before its commit. The bundle comes again, is acknowledged, and is a reading once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.portal.store.sqlite import SqliteStore
from tests.forked import die, exit_code
from tests.sim.portal.bed import Bed, acked, telegram


def dying(directory: Path, before_commit: bool) -> None:
    bed = Bed(directory)
    bed.run(range(1, 4))
    message = bed.message("gw1", [(telegram(4), 4 * 900.0), (telegram(5), 5 * 900.0)], 9)
    if before_commit:
        SqliteStore._many = die  # type: ignore[method-assign]
    bed.take(message, now_s=5 * 900.0 + 5)
    die()


@pytest.mark.parametrize(("before_commit", "stored"), [(False, 5), (True, 3)], ids=["after", "before"])
def test_a_take_that_dies_at_its_commit_is_taken_once(tmp_path: Path, before_commit: bool, stored: int) -> None:
    assert exit_code(dying, tmp_path, before_commit) == -9
    bed = Bed(tmp_path)
    assert bed.portal.store.count_readings() == stored
    message = bed.message("gw1", [(telegram(4), 4 * 900.0), (telegram(5), 5 * 900.0)], 9)
    answers = bed.take(message, now_s=6 * 900.0)
    assert [acked(answer) for answer in answers] == [[9]]
    assert [row.acc for row in bed.portal.store.readings()] == [1, 2, 3, 4, 5]
    assert bed.portal.store.refusals() == []
    assert bed.kinds() == []
    assert [acked(answer) for answer in bed.take(message, now_s=6 * 900.0 + 5)] == [[9]]
    assert bed.portal.store.count_readings() == 5
