"""Bits turned over under AES-CTR: against published telegrams, whose bytes nobody here made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attacks.parts.ell_session import ciphertext_of, sealed_in_ell, session_number, turned, xor
from wmbus.errors import BadTelegram
from wmbus.link import Address, strip_crcs
from wmbus.telegram import parse, read, unlock

VECTORS = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"
METER = Address("QDS", "78000001", 0x36, 8)
KEY = bytes(range(16))


def published() -> list[tuple[bytes, bytes]]:
    rows = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    found = [(strip_crcs(bytes.fromhex(row["hex"])), bytes.fromhex(row["key"])) for row in rows
             if row["mode"] == "ELL-AES-CTR" and row["key"] and len(row["key"]) == 32]  # fmt: skip
    assert len(found) == 2
    return found


def test_a_turned_bit_is_that_bit_of_the_plaintext_and_the_crc_fits() -> None:
    opened = 0
    for frame, key in published():
        try:
            before = unlock(parse(frame), key).telegram.raw
        except BadTelegram:
            continue
        last = len(parse(frame).payload) - 1
        after = unlock(parse(turned(frame, {last: b"\x01"}, frame[12])), key).telegram.raw
        assert after[-1] == before[-1] ^ 1
        start = len(before) - last + 1
        assert after[start:-1] == before[start:-1]
        opened += 1
    assert opened == 2


def test_an_untouched_crc_gives_it_away() -> None:
    frame, key = next((f, k) for f, k in published() if read_ok(f, k))
    forged = bytearray(frame)
    forged[-1] ^= 1
    with pytest.raises(BadTelegram) as refused:
        unlock(parse(bytes(forged)), key)
    assert refused.value.reason.value == "wrong-key"


def read_ok(frame: bytes, key: bytes) -> bool:
    try:
        unlock(parse(frame), key)
    except BadTelegram:
        return False
    return True


def test_two_telegrams_of_one_session_number_are_the_xor_of_their_plaintexts() -> None:
    first, second = (sealed_in_ell(METER, acc, bytes.fromhex(f"036e{units}"), KEY, session_number(9))
                     for acc, units in ((1, "010000"), (2, "050200")))  # fmt: skip
    one, other = ciphertext_of(first), ciphertext_of(second)
    assert one is not None and other is not None and one[0] == other[0]
    assert xor(one[1], other[1])[-3:] == bytes.fromhex("040200")
    third = sealed_in_ell(METER, 3, bytes.fromhex("036e010000"), KEY, session_number(10))
    apart = ciphertext_of(third)
    assert apart is not None and apart[0] != one[0]
    assert ciphertext_of(b"\x05\x44") is None and ciphertext_of(first[:10] + b"\x7a" + first[11:]) is None


def test_what_is_made_is_read_with_the_key_alone() -> None:
    for counter in (None, 77):
        frame = sealed_in_ell(METER, 1, bytes.fromhex("036e010000"), KEY, session_number(9), counter=counter)
        assert parse(frame).security == "ell-ctr"
        reading = read(frame, KEY)
        assert [record.value for record in reading.records] == [1]
        assert reading.unlocked.counter == counter
        with pytest.raises(BadTelegram):
            read(frame, bytes(16))
