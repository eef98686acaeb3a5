"""Encodings: known bytes, both directions, one value and many alike, and no value cut off."""

from __future__ import annotations

import numpy as np
import pytest

from sim.meters.encodings import DATES, ENCODINGS, NOT_AVAILABLE, decode, decode_many, encoder
from sim.meters.write_kernels import encode_many


@pytest.mark.parametrize(
    ("encoding", "value", "hexed"),
    [
        ("bcd6", 1_234, "341200"), ("bcd4", 9_999, "9999"), ("u24", 70_000, "701101"), ("u16", 859, "5b03"),
        ("ascii8", 23_701_267, "3736323130373332"), ("ascii8", 7, "3730303030303030"),
        ("bcd6", NOT_AVAILABLE, "ffffff"),
        ("bcd12", 308_820, "208830000000"), ("bcd12", 999_999_999_999, "999999999999"),
        ("bcd12", NOT_AVAILABLE, "ffffffffffff"), ("bcd12", 100_000_000, "000000000100"),
        ("I", 0x8035190976C0, "c07609193580"), ("u48", NOT_AVAILABLE, "ffffffffffff"),
        ("i16", -335, "b1fe"), ("i16", -1, "ffff"), ("G", 0x2C5F, "5f2c"), ("u32", NOT_AVAILABLE, "ffffffff"),
    ],
)  # fmt: skip
def test_known_bytes(encoding: str, value: int, hexed: str) -> None:
    assert encoder(encoding)(value).hex() == hexed
    if value != NOT_AVAILABLE or encoding.startswith("bcd"):
        assert decode(encoding, bytes.fromhex(hexed)) == value


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_many_values_are_encoded_as_one_is(encoding: str) -> None:
    lowest, limit = ENCODINGS[encoding].lowest, ENCODINGS[encoding].beyond
    powers = [10**digits + more for digits in range(13) for more in (-1, 0, 1)]
    values = [value for value in (*powers, limit // 2, limit - 1, -1, lowest) if lowest <= value < limit]
    out = encode_many(encoding, np.array(values, dtype=np.int64))
    assert out.shape == (len(values), ENCODINGS[encoding].width)
    assert [bytes(row) for row in out] == [encoder(encoding)(value) for value in values]
    # The greatest binary number has the bytes of "not available"; of a date or a real they are as any other.
    blank = limit - 1 if encoding.startswith("u") else None
    if encoding in (*DATES, "real"):
        values, out = [value for value in values if value != NOT_AVAILABLE], out[np.array(values) != NOT_AVAILABLE]
    assert decode_many(encoding, out).tolist() == [NOT_AVAILABLE if value == blank else value for value in values]
    among = np.full((len(values), 31), 0xA5, dtype=np.uint8)
    among[:, 7 : 7 + out.shape[1]] = out  # in place in telegrams, as stored readings are held against what was sent
    for lie in (among[:, 7 : 7 + out.shape[1]], np.asfortranarray(out)):
        assert decode_many(encoding, lie).tolist() == decode_many(encoding, out).tolist()
    backwards = [value for value in values if value != NOT_AVAILABLE]
    assert [decode(encoding, encoder(encoding)(value)) for value in backwards] == backwards


@pytest.mark.parametrize(
    ("encoding", "value"), [("u16", 65_536), ("bcd6", 1_000_000), ("u8", -2), ("ascii8", 10**8), ("bcd12", 10**12)]
)
def test_a_value_that_does_not_fit_is_refused(encoding: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{value} does not fit {encoding}"):
        encoder(encoding)(value)
    with pytest.raises(ValueError, match=f"{value} does not fit {encoding}"):
        encode_many(encoding, np.array([0, value, 0]))


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_the_bounds_are_the_last_that_fit(encoding: str) -> None:
    lowest, limit = ENCODINGS[encoding].lowest, ENCODINGS[encoding].beyond
    for value in (lowest - 1, limit):
        with pytest.raises(ValueError, match=f"{value} does not fit {encoding}"):
            encoder(encoding)(value)
        with pytest.raises(ValueError, match=f"{value} does not fit {encoding}"):
            encode_many(encoding, np.array([value]))
    assert bytes(encode_many(encoding, np.array([limit - 1]))[0]) == encoder(encoding)(limit - 1)
