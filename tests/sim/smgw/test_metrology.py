"""Status words, and values judged as they come."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sim.smgw.metrology import Capture, target_s
from sim.smgw.obis_codes import of_text
from sim.smgw.status_words import Gateway, ptb

IMPORT = of_text("1-0:1.8.0*255")


@pytest.mark.parametrize(
    ("gateway", "meter", "want"),
    [
        (0x2, 0, 0), (0x6, 0, 0), (0x1002, 0, 1), (0x2, 0x200, 1), (0x2, 0x400, 1), (0x2002, 0, 2), (0x3002, 0x600, 2),
        (0x202, 0, 3), (0x4002, 0, 3), (0x7202, 0, 3),
        (0x102, 0, 4), (0x7302, 0, 4), (0x2, 0x20000, 4), (0x10002, 0, 0),
    ],
)  # fmt: skip
def test_the_worst_bit_decides(gateway, meter, want) -> None:
    assert ptb(gateway, meter) == want


@pytest.mark.parametrize(
    ("at_s", "period_s", "want"),
    [(891, 900, 900), (909, 900, 900), (890, 900, 890), (910, 900, 910), (59, 60, 59), (86_391, 86_400, 86_400),
     (3_591, 3_600, 3_600), (3_564, 3_600, 3_564)],
)  # fmt: skip
def test_a_value_stands_for_the_instant_that_it_is_near(at_s, period_s, want) -> None:
    assert target_s(at_s, period_s) == want


@pytest.mark.parametrize(
    ("values", "statuses"),
    [
        ([(0, 10), (900, 12), (1_800, 12)], [0, 0, 0]),
        ([(0, 10), (900, 9), (1_800, 11)], [0, 3, 0]),  # backwards; the next is held against the last good one
        ([(0, 10), (900, 10 + 172_500), (1_800, 10 + 172_500)], [0, 0, 0]),  # 69 kW for 900 s: 17.25 kWh
        ([(0, 10), (900, 10 + 172_501), (1_800, 20)], [0, 3, 0]),
        ([(0, 10), (0, 10)], [0, 3]),  # no time has passed
    ],
)
def test_what_cannot_be_is_kept_and_not_billed(values, statuses) -> None:
    capture = Capture(IMPORT, unit_w_s=Decimal(360))
    assert [capture.take(at_s, Decimal(value))[0].ptb for at_s, value in values] == statuses


@pytest.mark.parametrize(("off_s", "status"), [(0, 0), (27, 0), (-27, 0), (28, 3), (-28, 3)])
def test_a_clock_that_is_off_makes_values_that_are_not_billed(off_s, status) -> None:
    reading, word = Capture(IMPORT).take(900, Decimal(1), clock_off_s=off_s)
    assert (reading.ptb, bool(word & Gateway.TIME_INVALID)) == (status, status == 3)
