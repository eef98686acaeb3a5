"""Rows that a store takes many at once are the rows that it takes one by one, whatever comes twice among them."""

from __future__ import annotations

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


def test_a_row_that_cannot_be_stored_takes_the_others_back(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    wrong = sighting(1)._replace(gateway=None)  # type: ignore[arg-type]
    with pytest.raises(StoreError), store.transaction():
        store.add_sightings([*(sighting(number) for number in range(2 * _TOGETHER)), wrong])
    assert store.sightings() == []
    store.close()
