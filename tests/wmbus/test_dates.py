"""Types F, G, I and J: bytes from published telegrams first, then the way back."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmbus import dates
from wmbus.errors import CannotEncode


def local(*parts: int) -> datetime:
    """A meter's clock has no zone."""
    return datetime(*parts)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("hexa", "value"),
    [("5f2c", date(2018, 12, 31)), ("9f2c", date(2020, 12, 31)), ("5e34", date(2026, 4, 30))],
)
def test_type_g(hexa, value):
    assert dates.decode_g(bytes.fromhex(hexa)) == value
    assert dates.encode_g(value).hex() == hexa


@pytest.mark.parametrize("hexa", ["ffff", "0000", "1f22", "0001"])
def test_type_g_without_a_date(hexa):
    assert dates.decode_g(bytes.fromhex(hexa)) is None


@pytest.mark.parametrize(
    ("hexa", "value"),
    [
        ("200b7422", local(2019, 2, 20, 11, 32)),
        ("01044932", local(2026, 2, 9, 4, 1)),
    ],
)
def test_type_f(hexa, value):
    assert dates.decode_f(bytes.fromhex(hexa)) == value
    assert dates.encode_f(value).hex() == hexa


def test_type_f_with_hundred_year_bits():
    assert dates.decode_f(bytes.fromhex("3b37df2c")) == local(2022, 12, 31, 23, 59)


def test_type_f_with_the_invalid_bit():
    assert dates.decode_f(bytes.fromhex("a00b7422")) is None
    assert dates.decode_f(dates.encode_f(None)) is None


def test_type_i():
    assert dates.decode_i(bytes.fromhex("00790c742340")) == local(2019, 3, 20, 12, 57)


@given(st.datetimes(local(1981, 1, 1), local(2080, 12, 31)))
def test_there_and_back(moment):
    assert dates.decode_g(dates.encode_g(moment.date())) == moment.date()
    assert dates.decode_f(dates.encode_f(moment)) == moment.replace(second=0, microsecond=0)
    assert dates.decode_i(dates.encode_i(moment)) == moment.replace(microsecond=0)
    assert dates.decode_j(dates.encode_j(moment.time())) == moment.time().replace(microsecond=0)


def test_no_value_and_no_bytes():
    assert dates.decode_j(dates.encode_j(None)) is None
    assert dates.decode_i(dates.encode_i(None)) is None
    assert dates.decode_j(bytes([3, 2, 1])) == time(1, 2, 3)
    with pytest.raises(CannotEncode):
        dates.encode_g(date(2081, 1, 1))
