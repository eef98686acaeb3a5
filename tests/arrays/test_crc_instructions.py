"""CRCs by carry-less products are those of `link`, for every length a frame can have."""

from __future__ import annotations

import numpy as np
import pytest

from arrays import build_telegrams
from wmbus.link import add_crcs_a


@pytest.mark.parametrize("size", [*range(11, 60), 79, 100, 154, 155, 256])
def test_rows_of_every_length(size: int) -> None:
    rows = np.random.default_rng(size).integers(0, 256, (9, size), dtype=np.uint8)
    rows[:, 0] = size - 1
    made = build_telegrams.add_crcs_a_many(rows)
    assert [row.tobytes() for row in made] == [add_crcs_a(row.tobytes()) for row in rows]
