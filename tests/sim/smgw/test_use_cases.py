"""What leaves under each use case. Every expected figure was worked out on paper from the definitions."""

from __future__ import annotations

import copy
import json
from decimal import Decimal

import pytest
from tariff_cases import EXPORT, FREQUENCY, IMPORT, NOON, POWER, VOLTAGE, given, rule, sent

from sim.smgw.rule_set import USE_CASES, load
from sim.smgw.tariff_rows import answer

TWO = {
    "stages": [{"n": 1, "obis": "0100010801ff"}, {"n": 2, "obis": "0100010802ff"}],
    "default_tariff": 1,
    "day_profiles": {"w": [["00:00", 1], ["06:00", 2], ["21:00", 1]]},
}
ONE = {"stages": [{"n": 1, "obis": "0100010801ff"}], "default_tariff": 1}
Z1, Z2, ERROR = "1-0:1.8.1*255", "1-0:1.8.2*255", "1-0:1.8.63*255"


def day(date: str, **more: object) -> dict[str, object]:
    return TWO | {"days": [[date, "w"]]} | more


# --- TAF 1: a month's register is its last reading less its first -------------------------------------------------

FEBRUARY = rule(1, "2026-02-01T00:00:00+01:00", 28 * 86_400, **ONE)
MARCH = rule(1, "2026-03-01T00:00:00+01:00", 31 * 86_400 - 3_600, **ONE)  # an hour is missing on the 29th


@pytest.mark.parametrize(
    ("supplier", "lists", "want"),
    [
        (FEBRUARY, [given(IMPORT, [100, *[3] * 28], "2026-02-01T00:00:00+01:00", 86_400)], [(Z1, 84)]),
        # Only the ends count; what is missing or invalid between them does not matter.
        (FEBRUARY, [given(IMPORT, [100, None, 50, *[None] * 25, 7], "2026-02-01T00:00:00+01:00", 86_400, ptb={"2": 4})],
         [(Z1, 57)]),
        (FEBRUARY, [given(IMPORT, [100, -50, 70, *[None] * 25, 7], "2026-02-01T00:00:00+01:00", 86_400)], [(Z1, 27)]),
        (FEBRUARY, [given(IMPORT, [100, *[None] * 27, -1], "2026-02-01T00:00:00+01:00", 86_400)], [("backwards",)]),
        # Two meters of one quantity, and two quantities with a stage each.
        (FEBRUARY, [given(IMPORT, [0, 40], "2026-02-01T00:00:00+01:00", 28 * 86_400),
                    given(IMPORT, [5, 2], "2026-02-01T00:00:00+01:00", 28 * 86_400, meter="M2")], [(Z1, 42)]),
        (FEBRUARY | {"stages": [*ONE["stages"], {"n": 2, "obis": "0100020801ff"}]},
         [given(EXPORT, [0, 9], "2026-02-01T00:00:00+01:00", 28 * 86_400),
          given(IMPORT, [0, 40], "2026-02-01T00:00:00+01:00", 28 * 86_400)], [(Z1, 40), ("1-0:2.8.1*255", 9)]),
        (FEBRUARY | {"stages": [*ONE["stages"], {"n": 2, "obis": "0100020801ff"}]},
         [given(IMPORT, [0, 40], "2026-02-01T00:00:00+01:00", 28 * 86_400)], [("no-readings",)]),
        (MARCH, [given(IMPORT, [5, 2_675], "2026-03-01T00:00:00+01:00", 31 * 86_400 - 3_600)], [(Z1, 2_675)]),
        # Exchanged on the 11th at noon: the old meter counts 50, the new one 20.
        (FEBRUARY, [given(IMPORT, [900, 50], "2026-02-01T00:00:00+01:00", 907_200),
                    given(IMPORT, [0, 20], "2026-02-11T12:00:00+01:00", 1_512_000, meter="M2")], [(Z1, 70)]),
        # The new meter gives hundredths, the first one tenths: 50 tenths and 205 hundredths are 70.5 tenths.
        (FEBRUARY, [given(IMPORT, [900, 50], "2026-02-01T00:00:00+01:00", 907_200),
                    given(IMPORT, [0, 205], "2026-02-11T12:00:00+01:00", 1_512_000, meter="M2", scaler=-2)],
         [(Z1, "70.5")]),
        # The new one begins an hour after the old one has gone: what was between them nobody knows.
        (FEBRUARY, [given(IMPORT, [900, 50], "2026-02-01T00:00:00+01:00", 907_200),
                    given(IMPORT, [0, 20], "2026-02-11T13:00:00+01:00", 1_508_400, meter="M2")], [("no-value",)]),
        (FEBRUARY, [given(IMPORT, [100, *[3] * 28], "2026-02-01T00:00:00+01:00", 86_400, ptb={"28": 4})],
         [("no-value",)]),
        (FEBRUARY, [given(IMPORT, [100, *[3] * 28], "2026-02-01T00:00:00+01:00", 86_400, ptb={"0": 3})],
         [("no-value",)]),
        (FEBRUARY, [given(IMPORT, [100, *[3] * 27], "2026-02-01T00:00:00+01:00", 86_400)], [("no-value",)]),
        (FEBRUARY | {"duration_s": 27 * 86_400}, [given(IMPORT, [1, 2])], [("period",)]),
        (FEBRUARY | {"start": "2026-02-02T00:00:00+01:00"}, [given(IMPORT, [1, 2])], [("period",)]),
        (FEBRUARY | TWO, [given(IMPORT, [1, 2])], [("stages",)]),
    ],
)  # fmt: skip
def test_data_saving(supplier, lists, want) -> None:
    assert sent(supplier, *lists) == want


# --- TAF 2 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("supplier", "lists", "want"),
    [
        # 25 October 2026 has 25 hours, 100 quarters: 60 of zone 2, 40 of zone 1.
        (rule(2, "2026-10-25T00:00:00+02:00", 90_000, **day("2026-10-25")),
         [given(IMPORT, [0, *[10] * 100], "2026-10-25T00:00:00+02:00")], [(Z1, 400), (Z2, 600), (ERROR, 0)]),
        # 02:30 to 03:00 comes twice: 2 x 2 quarters of zone 2, and 96 others.
        (rule(2, "2026-10-25T00:00:00+02:00", 90_000,
              **day("2026-10-25", day_profiles={"w": [["00:00", 1], ["02:30", 2], ["03:00", 1]]})),
         [given(IMPORT, [0, *[10] * 100], "2026-10-25T00:00:00+02:00")], [(Z1, 960), (Z2, 40), (ERROR, 0)]),
        # 29 March 2026: 02:30 does not come, so neither does zone 2; 92 quarters.
        (rule(2, "2026-03-29T00:00:00+01:00", 82_800,
              **day("2026-03-29", day_profiles={"w": [["00:00", 1], ["02:30", 2], ["03:00", 1]]})),
         [given(IMPORT, [0, *[10] * 92], "2026-03-29T00:00:00+01:00")], [(Z1, 920), (Z2, 0), (ERROR, 0)]),
        # 05:30 to 06:30, 06:00 missing: 20 in a gap with a switch inside.
        (rule(2, "2026-01-05T05:00:00+01:00", 7_200, **day("2026-01-05")),
         [given(IMPORT, [0, 10, 10, 10, None, 20, 10, 10, 10], "2026-01-05T05:00:00+01:00")],
         [(Z1, 30), (Z2, 30), (ERROR, 20)]),
        # A gap that ends on the switch is of the zone before it.
        (rule(2, "2026-01-05T05:00:00+01:00", 7_200, **day("2026-01-05")),
         [given(IMPORT, [0, 10, 10, None, 20, 10, 10, 10, 10], "2026-01-05T05:00:00+01:00")],
         [(Z1, 40), (Z2, 40), (ERROR, 0)]),
        # Exchanged at 06:00: each counts its own, and what neither saw is in no register.
        (rule(2, "2026-01-05T05:00:00+01:00", 7_200, **day("2026-01-05")),
         [given(IMPORT, [900, 1, 2, 3, 4], "2026-01-05T05:00:00+01:00"),
          given(IMPORT, [0, 5, 6, 7, 8], "2026-01-05T06:00:00+01:00", meter="M2")], [(Z1, 10), (Z2, 26), (ERROR, 0)]),
        # Captured nine seconds early, it stands for 06:00; ten seconds early, no sum is made of it.
        (rule(2, "2026-01-05T05:00:00+01:00", 7_200, **day("2026-01-05")),
         [{"meter": "M1", "obis": IMPORT, "scaler": 0, "t0": "2026-01-05T05:00:00+01:00",
           "rows": [[0, 0, 0], [3_591, 10, 0], [7_200, 30, 0]]}], [(Z1, 10), (Z2, 20), (ERROR, 0)]),
        (rule(2, "2026-01-05T05:00:00+01:00", 7_200, **day("2026-01-05")),
         [{"meter": "M1", "obis": IMPORT, "scaler": 0, "t0": "2026-01-05T05:00:00+01:00",
           "rows": [[0, 0, 0], [3_590, 10, 0], [7_200, 30, 0]]}], [(Z1, 0), (Z2, 0), (ERROR, 30)]),
        # A contract for both directions, a house with one.
        (rule(2, "2026-01-05T05:00:00+01:00", 900,
              **day("2026-01-05", stages=[*TWO["stages"], {"n": 3, "obis": "0100020801ff"}])),
         [given(IMPORT, [0, 7], "2026-01-05T05:00:00+01:00")],
         [(Z1, 7), (Z2, 0), ("1-0:2.8.1*255", 0), (ERROR, 0), ("1-0:2.8.63*255", 0)]),
        # A date without a profile: the default.
        (rule(2, "2026-01-06T05:00:00+01:00", 7_200, **day("2026-01-05")),
         [given(IMPORT, [0, *[10] * 8], "2026-01-06T05:00:00+01:00")], [(Z1, 80), (Z2, 0), (ERROR, 0)]),
        # Without a default no zone rules then.
        (rule(2, "2026-01-06T05:00:00+01:00", 7_200, **day("2026-01-05", default_tariff=None)),
         [given(IMPORT, [0, *[10] * 8], "2026-01-06T05:00:00+01:00")], [(Z1, 0), (Z2, 0), (ERROR, 80)]),
        (rule(2, **day("2026-01-05")), [given(IMPORT, [5])], [("no-readings",)]),
        (rule(2, **day("2026-01-05")), [given(IMPORT, [5, -1, 0, 0, 0])], [("backwards",)]),
        (rule(2, **day("2026-01-05")), [given(EXPORT, [5, 1]), given("0100050800ff", [1])], [("no-readings",)]),
    ],
)  # fmt: skip
def test_time_of_use(supplier, lists, want) -> None:
    assert sent(supplier, *lists) == want


def test_no_digit_is_lost() -> None:
    row = '{"id": 1, "supplier": %s, "readings": [%s]}'
    supplier = json.dumps(rule(2, "2026-01-05T05:00:00+01:00", 2_700, **day("2026-01-05")))
    for first, grown, total in (
        ("0", "0.1", "0.3"),
        ("9007199254740993000000001", "0.000000000000000001", "0.000000000000000003"),
    ):
        lists = json.dumps(given(IMPORT, [0, 1, 1, 1], "2026-01-05T05:00:00+01:00"))
        lists = lists.replace("[0, 1, 1, 1]", f"[{first}, {grown}, {grown}, {grown}]")
        assert f'"amount": {total}, "tariff": 1' in answer(json.loads(row % (supplier, lists), parse_float=Decimal))


# --- TAF 6: the reading at a due date -----------------------------------------------------------------------------

REGISTER = "1-0:1.8.0*255"


@pytest.mark.parametrize(
    ("supplier", "lists", "want"),
    [
        (rule(6, due=["2026-01-05T12:30:00+01:00"]), [given(IMPORT, [1_000, 10, 20, 30])],
         [(REGISTER, 1_030, "12:30")]),
        (rule(6, due=["2026-01-05T13:00:00+01:00", "2026-01-05T12:15:00+01:00"]), [given(IMPORT, [0, 1, 2, 3, 4])],
         [(REGISTER, 1, "12:15"), (REGISTER, 10, "13:00")]),
        (rule(6, duration_s=0), [given(IMPORT, [77, 1]), given(EXPORT, [8, 1])],
         [(REGISTER, 77, "12:00"), ("1-0:2.8.0*255", 8, "12:00")]),
        # The old meter has gone; the new one has the value.
        (rule(6, due=["2026-01-05T12:45:00+01:00"]), [given(IMPORT, [1_000, 10]),
         given(IMPORT, [0, 4], "2026-01-05T12:30:00+01:00", meter="M2")], [(REGISTER, 4, "12:45")]),
        (rule(6, due=["2026-01-05T12:30:00+01:00"]), [given(IMPORT, [1_000, 10, 20, 30], ptb={"2": 3})],
         [("no-value",)]),
        (rule(6, due=["2026-01-05T12:30:00+01:00"]), [given(IMPORT, [1_000, 10, None, 30])], [("no-value",)]),
        (rule(6, due=[f"2026-01-0{n}T00:00:00+01:00" for n in range(1, 8)]), [given(IMPORT, [1])], [("due",)]),
    ],
)  # fmt: skip
def test_on_demand(supplier, lists, want) -> None:
    assert sent(supplier, *lists) == want


# --- TAF 7 and 14: reading by reading -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("supplier", "lists", "want"),
    [
        (rule(7, duration_s=1_800), [given(IMPORT, [5, 1, 2])],
         [(REGISTER, 5, "12:00"), (REGISTER, 6, "12:15"), (REGISTER, 8, "12:30")]),
        (rule(7, duration_s=1_800), [given(IMPORT, [5, None, 3])],
         [(REGISTER, 5, "12:00"), (REGISTER, None, "12:15"), (REGISTER, 8, "12:30")]),
        # Invalid: the receiver sees that there was one, not its value. 2 may be used.
        (rule(7, duration_s=1_800), [given(IMPORT, [5, 1, 2], ptb={"1": 3, "2": 2})],
         [(REGISTER, 5, "12:00"), (REGISTER, None, "12:15"), (REGISTER, 8, "12:30")]),
        (rule(7, duration_s=3_600, capture_s=1_800), [given(IMPORT, [5, 1, 2, 3, 4])],
         [(REGISTER, 5, "12:00"), (REGISTER, 8, "12:30"), (REGISTER, 15, "13:00")]),
        # Power is no meter reading; and a list that the rule does not name stays inside.
        (rule(7, duration_s=900, **ONE), [given(IMPORT, [5, 1]), given(POWER, [300, 1]), given(EXPORT, [1, 1])],
         [(REGISTER, 5, "12:00"), (REGISTER, 6, "12:15")]),
        (rule(7, duration_s=900), [{"meter": "M1", "obis": IMPORT, "scaler": 0, "t0": "2026-01-05T11:59:59+01:00",
         "rows": [[0, 5, 0], [901, 6, 0]]}], [(REGISTER, 5, "12:00"), (REGISTER, 6, "12:15")]),
        (rule(14, duration_s=120), [given(IMPORT, [5, 1, 2], step_s=60)],
         [(REGISTER, 5, "12:00"), (REGISTER, 6, "12:01"), (REGISTER, 8, "12:02")]),
        (rule(14, duration_s=60, capture_s=30), [given(POWER, [300, -100, 50], step_s=30)],
         [("1-0:16.7.0*255", 300, "12:00"), ("1-0:16.7.0*255", 200, "12:00"), ("1-0:16.7.0*255", 250, "12:01")]),
        (rule(14, duration_s=60), [given(IMPORT, [5, None], step_s=60)],
         [(REGISTER, 5, "12:00"), (REGISTER, None, "12:01")]),
        (rule(14, duration_s=60), [given(IMPORT, [5, 1], step_s=60, ptb={"0": 4})],
         [(REGISTER, None, "12:00"), (REGISTER, 6, "12:01")]),
        (rule(14, capture_s=61), [given(IMPORT, [5, 1], step_s=60)], [("capture_s",)]),
        (rule(14, duration_s=12 * 86_400, capture_s=1), [given(IMPORT, [5], step_s=1)], [("period",)]),
    ],
)  # fmt: skip
def test_load_profile(supplier, lists, want) -> None:
    assert sent(supplier, *lists) == want


# --- TAF 9 and 10 -------------------------------------------------------------------------------------------------

FED, GIVEN = "1-0:2.8.0*255", "1-0:2.7.0*255"
VOLTS, HERTZ = "1-0:32.7.0*255", "1-0:14.7.0*255"


@pytest.mark.parametrize(
    ("supplier", "lists", "want"),
    [
        (rule(9, duration_s=900), [given(EXPORT, [50, 4])], [(FED, 50, "12:00"), (FED, 54, "12:15")]),
        # What is consumed never leaves, neither as a register nor as power.
        (rule(9, duration_s=900), [given(IMPORT, [9, 9]),
         given(EXPORT, [50, 4])], [(FED, 50, "12:00"), (FED, 54, "12:15")]),
        (rule(9, duration_s=1_800), [given(POWER, [700, -1_900, 800])],
         [(GIVEN, 0, "12:00"), (GIVEN, 1_200, "12:15"), (GIVEN, 400, "12:30")]),
        # Above 1000 at 12:15, still at 12:30, back at 12:45, above again at 13:00.
        (rule(9, events=[{"obis": POWER, "above": 1_000}]), [given(POWER, [-200, -1_000, -300, 1_000, -1_000])],
         [(GIVEN, 1_200, "12:15"), (GIVEN, 1_500, "13:00")]),
        (rule(9), [given(IMPORT, [9, 9])], [("no-readings",)]),
        (rule(10, duration_s=900), [given(VOLTAGE, [2_301, -3]), given(FREQUENCY, [500, 1])],
         [(VOLTS, 2_301, "12:00"), (VOLTS, 2_298, "12:15"), (HERTZ, 500, "12:00"), (HERTZ, 501, "12:15")]),
        # 2070 is not below 2070; the crossing at 12:30 is the one event.
        (rule(10, events=[{"obis": VOLTAGE, "below": 2_070}]), [given(VOLTAGE, [2_300, -230, -1, -9, 300])],
         [(VOLTS, 2_069, "12:30")]),
        # By the hour and by event; what is below at 13:00 is sent anyway.
        (rule(10, capture_s=3_600, events=[{"obis": VOLTAGE, "above": 2_530, "below": 2_070}]),
         [given(VOLTAGE, [2_300, 240, -200, -100, -180])],
         [(VOLTS, 2_300, "12:00"), (VOLTS, 2_540, "12:15"), (VOLTS, 2_060, "13:00")]),
        # An invalid value is no event.
        (rule(10, events=[{"obis": VOLTAGE, "below": 2_070}]), [given(VOLTAGE, [2_300, -400, 400], ptb={"1": 3})], []),
        # Registers are not grid values.
        (rule(10, duration_s=900), [given(IMPORT, [1, 1])], [("no-readings",)]),
    ],
)  # fmt: skip
def test_feed_in_and_grid_state(supplier, lists, want) -> None:
    assert sent(supplier, *lists) == want


def test_no_meter_number_leaves_with_feed_in() -> None:
    row = {"id": 1, "supplier": rule(9, pseudonym="p-17"), "readings": [given(EXPORT, [50, 4])]}
    assert '"subject": "p-17"' in answer(row)
    assert "M1" not in answer(row)


# --- which there are ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taf", sorted(set(USE_CASES) - {1, 2, 6, 7, 9, 10, 14}))
def test_what_is_not_modelled_loads_and_is_refused_when_it_is_switched_on(taf) -> None:
    assert not load(rule(taf, **TWO)).modelled
    assert sent(rule(taf, **TWO), given(IMPORT, [1, 2])) == [("not-modelled",)]


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"taf": 15}, "taf"),
        ({"start": "2026-01-05T12:00:00"}, "start"),
        ({"duration_s": 0}, "duration_s"),
        ({"stages": [{"n": 1, "obis": "0100010801ff"}] * 2}, "stages"),
        ({"stages": []}, "day-profiles"),
        ({"stages": [{"n": 1, "obis": "01000b0801ff"}]}, "obis-unknown"),
        ({"stages": [{"n": 1, "obis": "0100010800ff"}]}, "stages"),
        ({"default_tariff": 3}, "default"),
        ({"day_profiles": {"w": [["06:00", 1], ["06:00", 2]]}}, "day-profiles"),
        ({"day_profiles": {"w": [["24:00", 1]]}}, "day-profiles"),
        ({"day_profiles": {"w": [["00:00", 9]]}}, "day-profiles"),
        ({"days": [["2026-02-30", "w"]]}, "days"),
        ({"days": [["2026-01-05", "v"]]}, "days"),
        ({"days": [["2026-01-05", "w"]] * 2}, "days"),
        ({"due": [NOON]}, "due"),
        ({"events": [{"obis": VOLTAGE, "below": 1}]}, "events"),
        ({"pseudonym": "x1"}, "pseudonym"),
        ({"taf": None}, "taf"),
    ],
)
def test_rules_that_contradict_themselves_are_refused_by_their_clause(change, clause) -> None:
    assert sent(rule(2, **day("2026-01-05")) | change, given(IMPORT, [0, 1, 2])) == [(clause,)]


ODD = [None, True, -1, 2**70, 10**40, Decimal("1e400"), Decimal("1e-400"), float("nan"), "", "\x1b[31m", "24:00", "٣",
       "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00", [], {}, [[]], [None], {"a": 1}]  # fmt: skip
EVENTS = [{"obis": VOLTAGE, "above": 1}]
WHOLE = [
    (rule(2, **day("2026-01-05")), given(IMPORT, [0, 1, 2], ptb={"1": 3})),
    (rule(6, due=[NOON]), {"meter": "M1", "obis": IMPORT, "scaler": 0, "t0": NOON, "rows": [[0, 5, 0]]}),
    (rule(10, capture_s=900, events=EVENTS, pseudonym="p"), given(VOLTAGE, [0, 5])),
]


def places(value, path=()):
    """The path of every value in an object."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*path, name))


@pytest.mark.parametrize(("supplier", "one"), WHOLE, ids=["TAF 2", "TAF 6", "TAF 10"])
def test_whatever_stands_in_a_row_it_is_answered(supplier, one) -> None:
    row = {"id": 1, "taf": supplier["taf"], "supplier": supplier, "readings": [one]}
    assert "registers" in json.loads(answer(row))
    for *path, last in [path for path in places(row) if path]:
        for odd in ODD:
            changed = copy.deepcopy(row)
            place = changed
            for name in path:
                place = place[name]
            place[last] = odd
            out = json.loads(answer(changed))
            assert ("registers" in out) != ("error" in out)


@pytest.mark.parametrize(
    "change",
    [{"d": [1, "2"]}, {"d": [1, float("nan")]}, {"d": 7}, {"step_s": 0}, {"scaler": 99}, {"ptb": {"7": 3}},
     {"ptb": {"0": 9}}, {"ptb": {"9" * 5_000: 3}},
     {"meter": None}, {"t0": "yesterday"}, {"d": [1, True]}],
)  # fmt: skip
def test_readings_that_are_none_are_refused(change) -> None:
    assert sent(rule(2, **day("2026-01-05")), given(IMPORT, [0, 1, 2]) | change)[0][0] in ("readings", "step_s", "ptb")
