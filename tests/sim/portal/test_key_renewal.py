"""A meter's key is renewed: telegrams under both are read while both are good, and under no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.core.clock import NS_PER_S
from sim.portal import reasons
from sim.portal.keyring import KeyringError
from tests.sim.portal.bed import CALENDAR, INTERVAL_S, KEY, METER, Bed, telegram

FRESH, OTHER = bytes(range(1, 17)), bytes(range(2, 18))


@pytest.mark.parametrize(("security", "reason"), [("mode5", reasons.BAD_CIPHER), ("mode7", reasons.BAD_MAC)])
def test_both_keys_are_good_until_a_moment(tmp_path: Path, security: Any, reason: str) -> None:
    b = Bed(tmp_path, security=security)
    until = CALENDAR.at(round(10 * INTERVAL_S * NS_PER_S))
    b.run([1, 2], security=security)
    b.keyring.renew(METER, FRESH, until)
    steps = {3: KEY, 4: FRESH, 5: KEY, 6: OTHER, 7: FRESH, 9: KEY, 10: FRESH, 11: KEY, 12: FRESH}
    said = {k: b.hear(telegram(k, security=security, key=key), k * INTERVAL_S) for k, key in steps.items()}
    assert said == {k: reason if k in (6, 11) else None for k in steps}
    assert b.keyring.former(METER) is None


def test_what_cannot_be_renewed_is_said_without_a_key(tmp_path: Path) -> None:
    b = Bed(tmp_path, keys={})
    until = CALENDAR.at(0)
    with pytest.raises(KeyringError, match=r"^QDS 10000001 36 08 has no key that could be renewed$"):
        b.keyring.renew(METER, KEY, until)
    b.keyring.add(METER, KEY)
    with pytest.raises(KeyringError, match=r"^QDS 10000001 36 08 has this key already$"):
        b.keyring.renew(METER, KEY, until)
