"""A portal's backup: restored it is the portal of then; without its counters it takes what it had taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from bed import INTERVAL_S, Bed, telegram

from sim.portal.portal_spec import PortalSpec
from sim.portal.store.sqlite import SqliteStore
from sim.portal.store_port import StoreError


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_restored_knows_counters_or_not(tmp_path: Path, whole: bool) -> None:
    bed = Bed(tmp_path / "portal", PortalSpec(checks=("mcr",)), security="mode7")
    bed.run(range(4), security="mode7")
    bed.portal.store.back_up(tmp_path / "backup", keep_freshness=whole)
    bed.run(range(4, 6), security="mode7")
    assert bed.portal.store.count_readings() == 6
    bed.portal.store.restore(tmp_path / "backup")
    bed.portal = bed._opened()
    assert bed.portal.store.count_readings() == 4
    bed.hear(telegram(2, security="mode7"), 7 * INTERVAL_S)  # it had this
    bed.hear(telegram(5, security="mode7"), 8 * INTERVAL_S)  # it forgot this
    assert bed.portal.store.count_readings() == (5 if whole else 6)
    assert oct((tmp_path / "backup" / "portal.sqlite").stat().st_mode)[-3:] == "600"


def test_without_a_backup_nothing_is_restored(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreError, match="there is no backup to restore; make one first"):
        store.restore(tmp_path / "backup")
    assert store.count_readings() == 0
    store.close()
