"""What the administrator sends a gateway for one receiver: a rule set for each period, loaded as strictly as any.

The zones of TAF 2 are those of facts that the engine is held against: zone 2 from 06:00 to 21:00 local time, else zone
1. Under TAF 6 the due dates are the meters' own set dates: the meter keeps that value, so a gateway that heard nothing
at midnight still has it afterwards.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from sim.smgw.german_time import local, text
from sim.smgw.obis_codes import Obis
from sim.smgw.rule_set import RuleSet, load

NOMINAL_V: Final = 230
DAY_ZONE: Final = 6, 21
"""Zone 2 rules between these hours of local time."""


@lru_cache(maxsize=256)
def rule_of(taf: int, obis: Obis, start_s: int, end_s: int, capture_s: int) -> RuleSet:
    """The rule set of one period. Raises RuleError."""
    given: dict[str, object] = {
        "taf": taf, "start": text(start_s), "duration_s": end_s - start_s, "capture_s": capture_s,
    }  # fmt: skip
    if taf == 1:
        given["stages"] = [{"n": 1, "obis": str(obis.tariff(1))}]
    elif taf == 2:
        begin, end = (f"{hour:02d}:00" for hour in DAY_ZONE)
        days, day = [], local(start_s).date()
        while day <= local(end_s).date():
            days.append([day.isoformat(), "every"])
            day += timedelta(days=1)
        given |= {
            "stages": [{"n": number, "obis": str(obis.tariff(number))} for number in (1, 2)],
            "default_tariff": 1, "day_profiles": {"every": [["00:00", 1], [begin, 2], [end, 1]]}, "days": days,
        }  # fmt: skip
    return load(given).switched_on()


@lru_cache(maxsize=256)
def grid_rule_of(taf: int, start_s: int, end_s: int, every_s: int, beside_v: float, pseudonym: str) -> RuleSet:
    """The same of a contract about the grid (TAF 9 or 10): by period, or (`beside_v`) as one of three voltages goes so
    far beside the nominal one. Raises RuleError."""
    given: dict[str, object] = {
        "taf": taf, "start": text(start_s), "duration_s": end_s - start_s, "pseudonym": pseudonym,
    }  # fmt: skip
    if beside_v:
        far = Decimal(str(beside_v))
        limits = {"above": NOMINAL_V + far, "below": NOMINAL_V - far}
        given["events"] = [{"obis": f"1-0:{group}.7.0*255", **limits} for group in (32, 52, 72)]
    else:
        given["capture_s"] = every_s
    return load(given).switched_on()
