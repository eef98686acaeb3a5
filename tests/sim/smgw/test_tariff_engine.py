"""The engine against the rule in words, and German time against a data base of time zones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.smgw import german_time
from sim.smgw.tariff_rows import answer
from tests.night import examples
from tests.oracles.tariff_in_words import dates, registers

CHANGES_S = [int(datetime(2026, *day, 1, tzinfo=UTC).timestamp()) for day in ((3, 29), (10, 25))]
CLOCKS = ["00:00", "01:45", "02:00", "02:15", "02:30", "02:45", "03:00", "06:00", "21:00", "23:45"]


@st.composite
def cases(draw):
    start_s = draw(st.sampled_from(CHANGES_S)) + 900 * draw(st.integers(-120, 20))
    quarters = draw(st.integers(2, 130))
    clocks = sorted(draw(st.sets(st.sampled_from(CLOCKS), min_size=1)))
    profile = [(clock, draw(st.integers(1, 2))) for clock in clocks]
    value, readings = 0, []
    for quarter in range(quarters + 1):
        value += draw(st.integers(0, 9))
        if draw(st.integers(0, 4)):
            readings.append((start_s + 900 * quarter, value, draw(st.sampled_from([0, 0, 2, 3]))))
    return start_s, 900 * quarters, profile, draw(st.sampled_from([1, None])), readings


@settings(max_examples=examples(50), deadline=None)
@given(cases())
@example((CHANGES_S[1] - 7_200, 14_400, [("02:00", 1), ("03:00", 2)], None,
          [(CHANGES_S[1] + 900 * n, 8 + n, 0) for n in range(-8, 9)]))  # fmt: skip
def test_every_gap_goes_where_the_rule_in_words_says(case) -> None:
    start_s, duration_s, profile, default, readings = case
    supplier = {
        "taf": 2, "start": german_time.text(start_s), "duration_s": duration_s, "default_tariff": default,
        "stages": [{"n": n, "obis": f"010001080{n}ff"} for n in (1, 2)], "day_profiles": {"w": profile},
        "days": [[day, "w"] for day in dates(start_s, start_s + duration_s)],
    }  # fmt: skip
    rows = [[at_s - start_s, value, status] for at_s, value, status in readings]
    lists = [{"meter": "M", "obis": "0100010800ff", "scaler": 0, "t0": german_time.text(start_s), "rows": rows}]
    row = json.loads(json.dumps({"id": 1, "supplier": supplier, "readings": lists}))
    got = json.loads(answer(row))
    if sum(status <= 2 for *_, status in readings) < 2:
        assert got["error"]["reason"] == "no-readings"
        return
    want = registers(readings, profile, default)
    assert {one["tariff"]: one["amount"] for one in got["registers"]} == {n: want[n] for n in (1, 2, 63)}


@given(st.integers(0, 4_000_000_000))
@example(CHANGES_S[0] - 1)
@example(CHANGES_S[0])
@example(CHANGES_S[1] - 1)
@example(CHANGES_S[1])
def test_german_time_is_that_of_the_data_base(at_s: int) -> None:
    want = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo("Europe/Berlin"))
    if 1996 <= want.year <= 2037:  # the rule is of 1996; data bases of time zones may end in 2037
        assert german_time.text(at_s) == want.isoformat()
        assert german_time.midnight_s(want.date()) == want.replace(hour=0, minute=0, second=0, fold=0).timestamp()
