"""Extended link layer I-IV: published headers, and II and IV sealed and opened with AES-CTR."""

from __future__ import annotations

import pytest
from published import telegrams

from wmbus.ell import Ell, parse_ell
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address
from wmbus.telegram import parse, read, seal, unlock
from wmbus.transport import Transport

KAM = Address("KAM", "63452869", 0x1B, 0x16)
GATEWAY = Address("RAD", "11223344", 3, 0x37)
KEY = bytes(range(16))
RECORDS = bytes.fromhex("04132f4e000092013b3d01")


def test_published_headers():
    ell = parse(telegrams()[275].frame).ell
    assert (ell.ci, ell.cc, ell.acc, ell.synchronous) == (0x8C, 0x20, 0x75, True)
    ell = parse(telegrams()[277].frame).ell
    assert ell.ci == 0x8E
    assert str(ell.receiver) == "XYZ 33445566 0A 31"
    ell = parse(telegrams()[280].frame).ell
    assert (ell.ci, ell.encryption, ell.crc) == (0x8D, 1, None)


@pytest.mark.parametrize("ci", [0x8D, 0x8F])
@pytest.mark.parametrize("session", [0, 1])
def test_sealed_and_opened(ci, session):
    ell = Ell(ci, 0x20, 7, GATEWAY if ci == 0x8F else None, sn=session << 29 | 0x123456)
    frame = seal(0x44, KAM, RECORDS, Transport(0x78), key=KEY if session else None, ell=ell)
    telegram = parse(frame)
    assert telegram.ell.receiver == (GATEWAY if ci == 0x8F else None)
    assert telegram.security == ("ell-ctr" if session else "none")
    assert (telegram.transport is None) == bool(session)
    reading = read(frame, KEY if session else None)
    assert [r.value for r in reading.records] == [20.015, 0.317]
    if session:
        with pytest.raises(BadTelegram) as refused:
            unlock(telegram, bytes(16))
        assert refused.value.reason is Reason.WRONG_KEY
        with pytest.raises(BadTelegram) as refused:
            unlock(telegram)
        assert refused.value.reason is Reason.KEY_MISSING


def test_access_bits_of_cc_are_not_part_of_the_counter_block():
    ell = Ell(0x8D, 0x20, 7, sn=1 << 29 | 5)
    frame = bytearray(seal(0x44, KAM, RECORDS, Transport(0x78), key=KEY, ell=ell))
    frame[11] |= 0x12
    assert unlock(parse(bytes(frame)), KEY).plaintext == RECORDS
    frame[11] ^= 0x40
    with pytest.raises(BadTelegram):
        unlock(parse(bytes(frame)), KEY)


@pytest.mark.parametrize("cut", ["8c20", "8d2007000000", "8e20071122", "8f2007" + "00" * 11, "8d20070000000011"])
def test_cut_headers(cut):
    with pytest.raises(BadTelegram) as refused:
        parse_ell(bytes.fromhex(cut), 0)
    assert refused.value.reason is Reason.BAD_ELL


def test_what_has_no_bytes():
    for ell in (Ell(0x8E, 0, 0), Ell(0x8D, 0, 0)):
        with pytest.raises(CannotEncode):
            ell.wire()
    reserved = seal(0x44, KAM, RECORDS, Transport(0x78), ell=Ell(0x8D, 0, 0, sn=2 << 29))
    with pytest.raises(BadTelegram) as refused:
        unlock(parse(reserved), KEY)
    assert refused.value.reason is Reason.MODE_UNSUPPORTED
