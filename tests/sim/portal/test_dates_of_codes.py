"""The table of dates by their two bytes says of each what decoding it says."""

from __future__ import annotations

from datetime import date

from sim.portal.check import NONE
from sim.portal.record_templates import _days
from wmbus.dates import decode_g

EPOCH = date(1970, 1, 1).toordinal()


def test_every_code_is_the_date_that_it_decodes_to() -> None:
    plain, later = _days()
    shown = [decode_g(code.to_bytes(2, "little")) for code in range(1 << 16)]
    assert plain.tolist() == [NONE if one is None else one.toordinal() - EPOCH for one in shown]
    centuries = [one if one is None or one.year >= 2_000 else one.replace(year=one.year + 100) for one in shown]
    assert later.tolist() == [NONE if one is None else one.toordinal() - EPOCH for one in centuries]
    assert sum(one is not None for one in shown) == 36_525
