"""Deliveries: what was encoded is decoded, and what is no delivery is refused with what is wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.smgw.delivered_content import Delivery, Value, decode
from sim.smgw.refusals import RuleError

ONE = Delivery(
    "gw-0001",
    "supplier",
    3,
    (
        Value(2, "QDS 10000001 36 08", "4-0:1.0.1*255", 1, 1_767_214_800, 1_767_218_400, Decimal("7")),
        Value(6, "QDS 10000001 36 08", "4-0:1.0.0*1", 0, None, 1_767_222_000, Decimal("413")),
        Value(7, "QDS 10000001 36 08", "4-0:1.0.0*255", 0, None, 1_767_222_000, None),
    ),
)

values = st.builds(
    Value,
    st.sampled_from([1, 2, 6, 7, 9, 10, 14]),
    st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFD, exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(["4-0:1.0.1*255", "1-0:1.8.63*255"]),
    st.integers(0, 255),
    st.none() | st.integers(0, 4_000_000_000),
    st.integers(0, 4_000_000_000),
    st.none() | st.decimals(-(10**9), 10**9, places=3),
    st.none() | st.binary(min_size=8, max_size=72),
)


@given(st.lists(values, max_size=5), st.integers(0, 10**15))
def test_what_goes_in_comes_out(rows: list[Value], number: int) -> None:
    delivery = Delivery("gw-1", "supplier", number, tuple(rows))
    assert decode(delivery.encode()) == delivery


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'amount="7"', b'amount="7e9"', "no number"),
        (b'amount="413"', b'amount="NaN"', "no number"),
        (b'taf="2"', b'taf="3"', "none that delivers"),
        (b'tariff="1"', b'tariff="256"', "no number from 0 to 255"),
        (b'tariff="1"', b'tariff="\xc2\xb2"', "no number from 0 to 255"),
        (b'obis="4-0:1.0.1*255"', b'obis="4-0"', "no OBIS code"),
        (b"<value ", b"<reading ", "is no <value>"),
        (b'meter="QDS 10000001 36 08" ', b"", "lacks meter"),
        (b'number="3"', b'number="-3"', "no count"),
        (b'number="3"', b'number="3" more="1"', "its element is"),
        (b"<delivery ", b'<!DOCTYPE d [<!ENTITY a "b">]><delivery ', "declaration"),
        (b"</delivery>", b"", "no XML"),
        (b'from="2025', b'from="1825', "no time"),
    ],
)
def test_what_is_no_delivery_is_refused(old: bytes, new: bytes, says: str) -> None:
    data = ONE.encode()
    assert old in data
    with pytest.raises(RuleError, match=says) as refused:
        decode(data.replace(old, new, 1))
    assert refused.value.clause in ("delivery", "obis")
