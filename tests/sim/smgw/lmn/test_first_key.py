"""A meter's first key under its maker's: no bit of it can be another, and no message comes twice."""

from __future__ import annotations

import pytest

from sim.smgw.lmn.first_key import COUNTER_MOST, FirstKey, confirmed, is_confirmed, sent, taken
from sim.smgw.refusals import BadFrame
from wmbus.security import cmac, derive

KEY = bytes(range(16))
SERVER = bytes.fromhex("0a01574d4200042c1d81")
FIRST = FirstKey(bytes(range(32)), b"\x30\x82meter", b"\x30\x82gateway")


def test_what_is_sent_is_taken() -> None:
    data = sent(KEY, 5, SERVER, FIRST)
    assert taken(KEY, 4, SERVER, data) == (5, FIRST)
    assert FIRST.private not in data
    answer = confirmed(KEY, 5, SERVER, data)
    assert is_confirmed(KEY, 5, SERVER, data, answer)
    assert not is_confirmed(KEY, 6, SERVER, data, answer)
    assert not is_confirmed(KEY, 5, SERVER, data + b"x", answer)
    assert not is_confirmed(KEY, 5, SERVER, data, b"")


def test_the_layout_by_hand() -> None:
    """Counter clear and covered; the MAC's key is CMAC(MK, 11 | C | ID | 07*7)."""
    data = sent(KEY, 0x01020304, SERVER, FIRST)
    assert data[:4] == bytes.fromhex("04030201")
    assert data[-16:] == cmac(derive(KEY, 0x11, 0x01020304, SERVER[-4:]), data[:-16])


@pytest.mark.parametrize("last", [5, 6, COUNTER_MOST])
def test_a_counter_that_was_there_is_a_replay(last: int) -> None:
    with pytest.raises(BadFrame, match="key-counter"):
        taken(KEY, last, SERVER, sent(KEY, 5, SERVER, FIRST))


def test_no_bit_can_be_another() -> None:
    data = sent(KEY, 5, SERVER, FIRST)
    for at in range(len(data)):
        damaged = data[:at] + bytes((data[at] ^ 0x40,)) + data[at + 1 :]
        with pytest.raises(BadFrame, match=r"key-mac|key-counter"):
            taken(KEY, 4, SERVER, damaged)
    for other in (bytes(16), KEY[::-1]):
        with pytest.raises(BadFrame, match="key-mac"):
            taken(other, 4, SERVER, data)
    with pytest.raises(BadFrame, match="key-mac"):
        taken(KEY, 4, SERVER[:-1] + b"\0", data)


@pytest.mark.parametrize("short", [b"", b"1234", bytes(35), bytes(37)])
def test_what_is_no_message_says_so(short: bytes) -> None:
    with pytest.raises(BadFrame, match="key-short"):
        taken(KEY, 0, SERVER, short)


@pytest.mark.parametrize("counter", [0, COUNTER_MOST + 1])
def test_a_key_that_is_used_up_sends_nothing(counter: int) -> None:
    with pytest.raises(ValueError, match="used up"):
        sent(KEY, counter, SERVER, FIRST)
