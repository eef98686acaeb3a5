"""A log's rows hang on one another: what is missing, changed, moved or made anew shows, with its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sim.smgw.logs.hash_chain import (
    Ends,
    Row,
    beginning,
    decode,
    encode,
    ends_in,
    following,
    statement,
    verify,
)
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM, Entry, Level, LogEvent, consumer, owner_of
from sim.smgw.logs.log_limits import LogLimit, limit_of, to_roll_out
from sim.smgw.refusals import RuleError

LOG = consumer("flat 1")
START = beginning("gw-0001", LOG)


def entry(at_s: int, text: str = "24 values") -> Entry:
    return Entry(at_s, Level.INFORMATION, LogEvent.VALUES_SENT, "supplier", "gw-0001", 0, text)


def chain(count: int, texts: Callable[[int], str] = str) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, count + 1):
        rows.append(following(rows[-1].place if rows else START, entry(number * 900, texts(number))))
    return rows


ROWS = chain(6)
ENDS = Ends(START, ROWS[-1].place)


def said(rows: list[Row]) -> list[str]:
    return [str(one) for one in verify(rows, ENDS)]


def test_a_log_that_nobody_touched_is_sound_and_reads_as_written() -> None:
    assert said(ROWS) == []
    assert [decode(encode(row)) for row in ROWS] == ROWS
    assert said([decode(encode(row)) for row in [*ROWS, following(ROWS[-1].place, entry(9_000))]]) == []


def test_a_missing_row_shows_wherever_it_was() -> None:
    for number in range(1, 7):
        assert said(ROWS[: number - 1] + ROWS[number:]) == [f"row {number}: is missing"]
    assert said(ROWS[:1] + ROWS[4:]) == [f"row {number}: is missing" for number in (2, 3, 4)]
    assert said([]) == [f"row {number}: is missing" for number in range(1, 7)]


@pytest.mark.parametrize("field", Entry._fields)
def test_a_changed_field_shows_at_its_row(field: str) -> None:
    old = getattr(ROWS[2].entry, field)
    new = LogEvent.LOGIN if field == "event" else Level.FATAL if field == "level" else old + type(old)(1)
    changed = ROWS[2]._replace(entry=ROWS[2].entry._replace(**{field: new}))
    assert said([*ROWS[:2], changed, *ROWS[3:]]) == ["row 3: was changed"]


def test_rows_that_changed_places_show() -> None:
    swapped = [*ROWS[:2], ROWS[3], ROWS[2], *ROWS[4:]]
    assert said(swapped) == ["row 3: is missing", "row 3: stands behind row 4"]
    renumbered = ROWS[3]._replace(number=3), ROWS[2]._replace(number=4)
    assert "row 3: was changed" in said([*ROWS[:2], *renumbered, *ROWS[4:]])


def test_who_writes_every_later_row_anew_is_met_by_the_signed_end() -> None:
    anew = chain(6, lambda number: "nothing" if number == 3 else str(number))
    assert verify(anew, Ends(START, anew[-1].place)) == [], "it is sound in itself"
    assert said(anew) == ["row 6: is not the one that the gateway signed"]
    later = [*anew, following(anew[-1].place, entry(9_000))]
    found = verify(later, Ends(START, later[-1].place), known=ROWS[4].place)
    assert [str(one) for one in found] == ["row 5: is not the one that was kept from before"]
    assert [str(one) for one in verify(ROWS[:2], Ends(START, ROWS[1].place), known=ROWS[4].place)] == [
        "row 5: was kept from before and is missing"
    ]


def test_rows_of_another_gateways_log_do_not_fit() -> None:
    other = following(beginning("gw-0002", LOG), entry(900))
    assert "row 1: does not hang on the row before it" in said([other, *ROWS[1:]])


def test_signed_ends_say_which_gateway_and_which_rows() -> None:
    signed = statement("gw-0001", 900, {LOG: ENDS, SYSTEM: Ends(START, START)})
    assert ends_in(signed, "gw-0001")[LOG] == ENDS
    for text, gateway in ((signed, "gw-0002"), (b"{}", "gw-0001"), (b"[", "gw-0001"), (b"[]", "gw-0001")):
        with pytest.raises(RuleError, match="log-ends"):
            ends_in(text, gateway)


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"\xff", b'{"number": 1}', encode(ROWS[0]).replace(b"900", b'"900"'), b"[1, 2]", b"1"]
)
def test_a_line_that_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(RuleError, match="log-row"):
        decode(line)


def test_a_full_log_rolls_or_refuses_as_its_rule_says() -> None:
    assert to_roll_out(ROWS, LogLimit(7, None), 0) == 0
    assert to_roll_out(ROWS, LogLimit(6, 0), 10_000) == 1
    assert to_roll_out(chain(20), LogLimit(20, 0), 100_000) == 2
    with pytest.raises(RuleError, match="none of this log is ever removed"):
        to_roll_out(ROWS, LogLimit(6, None), 10**9)
    with pytest.raises(RuleError, match="the oldest is younger"):
        to_roll_out(ROWS, LogLimit(6, 10_000), 10_899)
    assert to_roll_out(ROWS, LogLimit(6, 10_000), 10_900) == 1
    assert limit_of(CALIBRATION).keep_s is None and limit_of(SYSTEM).keep_s == 0
    assert limit_of(LOG).keep_s == 457 * 86_400 and owner_of(LOG) == "flat 1" and owner_of(SYSTEM) is None
    assert replace(limit_of(LOG), rows_most=1).rows_most == 1
