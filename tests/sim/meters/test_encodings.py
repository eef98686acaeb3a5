"""Encodings: known bytes, both directions, one value and many alike, and no value cut off."""

from __future__ import annotations

import numpy as np
import pytest

from sim.meters.encodings import NOT_AVAILABLE, WIDTHS, decode, decode_from, encode_into, encoder, limits


@pytest.mark.parametrize(
    ("encoding", "value", "hexed"),
    [
        ("bcd6", 1_234, "341200"), ("bcd4", 9_999, "9999"), ("u24", 70_000, "701101"), ("u16", 859, "5b03"),
        ("ascii8", 23_701_267, "3736323130373332"), ("ascii8", 7, "3730303030303030"),
        ("bcd6", NOT_AVAILABLE, "ffffff"),
        ("i16", -335, "b1fe"), ("i16", -1, "ffff"), ("G", 0x2C5F, "5f2c"), ("u32", NOT_AVAILABLE, "ffffffff"),
    ],
)  # fmt: skip
def test_known_bytes(encoding: str, value: int, hexed: str) -> None:
    assert encoder(encoding)(value).hex() == hexed
    if value != NOT_AVAILABLE or encoding.startswith("bcd"):
        assert decode(encoding, bytes.fromhex(hexed)) == value


@pytest.mark.parametrize("encoding", sorted(WIDTHS))
def test_many_values_are_encoded_as_one_is(encoding: str) -> None:
    width = WIDTHS[encoding]
    lowest, limit = limits(encoding)
    values = [value for value in (0, 1, 9, 10, 99, limit // 2, limit - 1, -1, lowest) if lowest <= value < limit]
    out = np.empty((len(values), width), dtype=np.uint8)
    encode_into(encoding, np.array(values, dtype=np.int64), out)
    assert [bytes(row) for row in out] == [encoder(encoding)(value) for value in values]
    # The greatest binary number has the bytes of "not available".
    blank = limit - 1 if encoding in ("u8", "u16", "u24", "u32", "u48") else None
    if encoding in ("G", "F", "real"):
        values, out = values[:-2], out[:-2]  # there all bits set is a number as any other
    assert decode_from(encoding, out).tolist() == [NOT_AVAILABLE if value == blank else value for value in values]


@pytest.mark.parametrize(
    ("encoding", "value"), [("u16", 65_536), ("bcd6", 1_000_000), ("u8", -2), ("ascii8", 10**8)]
)
def test_a_value_that_does_not_fit_is_refused(encoding: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{value} does not fit {encoding}"):
        encoder(encoding)(value)
    with pytest.raises(ValueError, match=f"{value} does not fit {encoding}"):
        encode_into(encoding, np.array([0, value]), np.empty((2, WIDTHS[encoding]), dtype=np.uint8))
