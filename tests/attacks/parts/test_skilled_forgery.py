"""Surgeries of an attacker with skill: blocks that decrypt to what he chose, and every MAC of two bytes."""

from __future__ import annotations

from datetime import date

import pytest

from attacks.chosen_splice import FITTING
from attacks.parts import forgery
from tests.bench.rig.test_classify import MODE7, RECORDS
from wmbus import security
from wmbus.dates import encode_g
from wmbus.errors import BadTelegram
from wmbus.link import Address
from wmbus.receiver import unlock
from wmbus.telegram import build, parse, read

KEY = bytes(range(16))
METER = Address("TCH", "12345678", 94, 8)
HEAD = b"\x03\x6e\x89\x00\x00\x43\x6e\x63\x00\x00\x42\x6c" + encode_g(date(2025, 12, 31))
TELEGRAM = HEAD + forgery.PUBLISHED["TCH"][16:]
FIRST = (b"\x2f\x2f" + HEAD)[:16]


def spliced(acc: int, record: bytes, first: bytes = FIRST) -> bytes:
    frame = build(METER, acc, 0, TELEGRAM, security="mode5", key=KEY)
    return forgery.with_chosen_block(frame, first, record)


def test_the_second_block_decrypts_to_what_was_chosen_whatever_the_key() -> None:
    record = forgery.HCA_RECORD + (4_711).to_bytes(3, "little")
    for acc in range(0, 256, 17):
        frame = spliced(acc, record)
        start = parse(frame).payload_offset
        vector = frame[2:10] + bytes([acc]) * 8
        plain = security.cbc_decrypt(KEY, vector, frame[start:])
        assert plain[-16:] == record.rjust(16, b"\x2f")
        assert plain[62:64] == forgery.TEXT_HEAD and plain[:32] == (b"\x2f\x2f" + TELEGRAM)[:32]


def test_a_display_that_was_read_a_count_too_early_is_wrong_in_that_byte_alone() -> None:
    early = bytearray(FIRST)
    early[4] -= 1
    frame = spliced(7, forgery.FLAGS_RECORD + b"\x08\x00", bytes(early))
    plain = security.cbc_decrypt(KEY, frame[2:10] + bytes([7]) * 8, frame[parse(frame).payload_offset :])
    assert plain[-5:] == forgery.FLAGS_RECORD + b"\x08\x00"
    assert sum(one != 0x2F for one in plain[-16:-5]) == 1


def test_at_least_as_many_tries_are_read_as_have_a_text_that_fits() -> None:
    came = 0
    for number in range(1_500):
        record = forgery.FLAGS_RECORD + (8 | number << 4).to_bytes(2, "little")
        try:
            came += any(one.raw == record[3:] for one in read(spliced(number % 256, record), KEY).records)
        except BadTelegram:
            continue
    assert 1_500 * FITTING / 256 < came < 600


@pytest.mark.parametrize("size", [2, 4, 12])
def test_of_all_short_macs_one_fits_and_a_pinned_receiver_asks_for_none(size: int) -> None:
    telegram = parse(MODE7)
    assert telegram.afl is not None and telegram.transport is not None
    shorter = forgery.with_short_mac(MODE7, bytes(size))
    afl = parse(shorter).afl
    assert afl is not None and afl.mcr is not None
    kmac = security.derive(KEY, security.DC_MAC_FROM_METER, afl.mcr, MODE7[4:8])
    right = security.cmac(kmac, afl.covered() + MODE7[telegram.transport.offset :])[:size]
    fits, off = (parse(forgery.with_short_mac(MODE7, mac)) for mac in (right, bytes([right[0] ^ 1]) + right[1:]))
    assert unlock(fits, KEY, honour_sender_mac=True).mac_ok
    with pytest.raises(BadTelegram, match="mac-wrong"):
        unlock(off, KEY, honour_sender_mac=True)
    with pytest.raises(BadTelegram, match=f"a MAC of {size} bytes, this meter's has 8"):
        unlock(fits, KEY)


def test_what_cannot_be_spliced_is_said() -> None:
    with pytest.raises(ValueError, match="2 encrypted blocks"):
        forgery.with_chosen_block(build(METER, 1, 0, RECORDS[:20], security="mode5", key=KEY), FIRST, b"12345")
    with pytest.raises(ValueError, match="3 bytes"):
        forgery.with_short_mac(MODE7, bytes(3))
