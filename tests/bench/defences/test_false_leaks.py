"""How often the alarm `leak` is false: the interval of a count, and a run of the count itself."""

from __future__ import annotations

import pytest

from bench.defences.false_leaks import Price, false_leaks
from sim.portal.portal_spec import PortalSpec


@pytest.mark.parametrize(
    ("alarms", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (2, 0.2422, 7.2247), (10, 4.7954, 18.3904)]
)
def test_the_ends_are_those_of_published_tables(alarms: int, low: float, high: float) -> None:
    """Garwood, Fiducial limits for the Poisson distribution, Biometrika 1936: 95 %, two-sided."""
    price = Price(alarms, 1.0)
    assert (price.lower_a_meter_year, price.upper_a_meter_year) == pytest.approx((low, high), abs=2e-4)


def test_an_alarm_that_hears_every_tap_is_dear() -> None:
    """With a threshold of a litre and no learning evenings are leaks; as it is set they are not."""
    eager = PortalSpec(leak_l_h=1.0, leak_intervals=2, leak_learn_days=1)
    few = {"seed": 3, "meters": 20, "days": 9}
    assert false_leaks(eager, **few).a_meter_year > 20 * false_leaks(PortalSpec(), **few).a_meter_year + 20
