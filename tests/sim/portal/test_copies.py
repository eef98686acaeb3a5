"""The memory of what was stored: rows keep their places, however often what is too old makes room for more."""

from __future__ import annotations

import numpy as np
import pytest

from sim.portal import copies
from sim.portal.copies import Copies


@pytest.mark.parametrize("kept", [3, 40, 1_000])
def test_what_is_young_enough_stays_where_its_links_say(kept: int) -> None:
    """`kept`: takes for which it remembers, one a nanosecond; as a link counts rows, so does what stands in each."""
    rng = np.random.default_rng(7)
    memory, total, of_take = Copies(kept), 0, []
    tables = set()
    for now in range(300):
        more = int(rng.integers(1, 60))
        table, used, dropped, since = memory.room(now, more)
        tables.add(id(table))
        assert len(table) >= used + more
        assert dropped + used == total
        assert (table[:used, copies.HASH] == np.arange(dropped, total)).all()
        oldest = next((first for at, first in enumerate(of_take) if at >= since), total)
        assert dropped <= oldest
        of_take.append(total)
        table[used : used + more, copies.HASH] = np.arange(total, total + more)
        table[used : used + more, copies.STORED_AT] = now
        memory.keep(used + more)
        total += more
    assert (dropped > 0) == (kept < 300)
    assert len(tables) < 20 or kept == 1_000
