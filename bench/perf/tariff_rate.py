"""How many readings a second one core puts into registers: TAF 2, a month of 900 s for many meters at once."""

from __future__ import annotations

import numpy as np

from bench.perf.fleet import best
from sim.smgw.obis_codes import of_text
from sim.smgw.rule_set import load
from sim.smgw.tariff_engine import totals
from sim.smgw.tariff_zones import stages_of, zones_of

_MONTH = {
    "taf": 2,
    "start": "2026-01-01T00:00:00+01:00",
    "duration_s": 31 * 86_400,
    "stages": [{"n": 1, "obis": "0100010801ff"}, {"n": 2, "obis": "0100010802ff"}],
    "default_tariff": 1,
    "day_profiles": {"workday": [["00:00", 1], ["06:00", 2], ["21:00", 1]]},
    "days": [[f"2026-01-{day:02}", "workday"] for day in range(1, 32)],
}


def rate(meters: int = 500, rounds: int = 5) -> float:
    """Readings a second of processor time."""
    rule, quantity = load(_MONTH), of_text("1-0:1.8.0*255")
    zones = zones_of(rule, stages_of(rule, quantity, [quantity]))
    quarters = np.arange(rule.start_s, rule.end_s + 1, rule.capture_s)
    series, at_s = np.repeat(np.arange(meters), len(quarters)), np.tile(quarters, meters)
    value = np.arange(len(at_s)) * 10
    return best(lambda _: totals(zones, series, at_s, value, meters), len(at_s), rounds)
