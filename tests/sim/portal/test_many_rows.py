"""Rows that a store takes many at once are the rows that it takes one by one, whatever comes twice among them."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path

import pytest

from sim.portal.store.sqlite import _TOGETHER, SqliteStore
from sim.portal.store_port import FreshnessRow, Reading, Sighting, Store, StoreError


def sighting(number: int) -> Sighting:
    """Of few meters and gateways, so that one statement meets the same pair again."""
    return Sighting(f"meter {number % 5}", f"gw-{number % 3}", number, 1, 2, number * 10, number, -70.5 - number)


def reading(number: int) -> Reading:
    named = {"meter": f"meter {number}", "fingerprint": f"{number:032x}", "received_ns": number, "units": number}
    plain = {"gateway": "gw", "stored_ns": 1, "security": "mode5", "rssi_dbm": -70.0, "status": 0, "tamper": 0}
    return Reading(*(named.get(column, plain.get(column)) for column in Reading._fields))


def write(store: Store, rows: range) -> None:
    store.add_sightings([sighting(number) for number in rows])
    store.put_freshness([FreshnessRow(f"meter {number % 7}", "acc:1+0", bytes([number])) for number in rows])
    store.put_last_taken([(f"meter {number % 7}", number) for number in rows])
    store.add_readings([reading(number) for number in rows])


def dumped(store: SqliteStore) -> list[str]:
    return list(store.connection.iterdump())


@pytest.mark.parametrize("count", [1, _TOGETHER - 1, _TOGETHER, 3 * _TOGETHER + 5])
def test_many_rows_at_once_are_the_same_rows(tmp_path: Path, count: int) -> None:
    together, apart = SqliteStore(tmp_path / "together"), SqliteStore(tmp_path / "apart")
    with together.transaction():
        write(together, range(count))
    with apart.transaction():
        for number in range(count):
            write(apart, range(number, number + 1))
    assert dumped(together) == dumped(apart)
    assert together.count_readings() == count
    together.close()
    apart.close()


@pytest.mark.parametrize("place", [0, _TOGETHER + 5, 2 * _TOGETHER])
@pytest.mark.parametrize("begun", [True, False], ids=["in a transaction", "without one"])
def test_a_row_that_cannot_be_stored_takes_the_others_back(tmp_path: Path, place: int, begun: bool) -> None:
    """Those of its transaction; without one, those before it stay, as where rows go in one by one."""
    store = SqliteStore(tmp_path)
    rows = [sighting(number) for number in range(2 * _TOGETHER)]
    rows.insert(place, sighting(1)._replace(gateway=None))  # type: ignore[arg-type]
    with pytest.raises(StoreError), store.transaction() if begun else contextlib.nullcontext():
        store.add_sightings(rows)
    whole = [] if begun else rows[:place]
    assert sum(one.taken for one in store.sightings()) == sum(one.taken for one in whole)
    store.close()


def test_nothing_is_written_before_the_commit(tmp_path: Path) -> None:
    """Rows at random places of an index: no copy of each page that a statement changes."""
    store = SqliteStore(tmp_path)
    gc.collect()  # a store that an earlier test left open writes when it is closed
    with store.transaction():
        before = written_bytes()
        store.add_readings([reading(number * 0x9E3779B97F4A7C15 % 2**63) for number in range(300 * _TOGETHER)])
        assert written_bytes() - before < 100_000
    store.close()


def written_bytes() -> int:
    """By this thread so far."""
    told = dict(line.split(": ") for line in Path("/proc/thread-self/io").read_text(encoding="utf-8").splitlines())
    return int(told["wchar"])
