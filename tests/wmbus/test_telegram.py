"""Building and unlocking: published telegrams rebuilt, and every leniency of a receiver shown on and off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published import telegrams

from wmbus import security
from wmbus.afl import parse_afl
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address
from wmbus.records import duplicates, encode_records, parse_records
from wmbus.telegram import begins_2f2f, build, length, parse, read, seal, unlock

VIP = Address("VIP", "23701267", 0x1E, 8)
KEY = bytes.fromhex("82b0551191f51d66efcdab8967452301")
OMS_KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
RECORDS = bytes.fromhex("026e1605426c5f2c426ed204")


def stripped(unlocked):
    """Records without 2F in front and behind, as ``build`` takes them."""
    return unlocked.plaintext[2:].rstrip(b"\x2f")


@pytest.mark.parametrize("line", [122, 315, 319, 323, 327, 331, 335])
def test_published_mode_5_telegrams_are_built_byte_for_byte(line):
    t = telegrams()[line]
    telegram = parse(t.frame)
    records = stripped(unlock(telegram, t.key))
    built = build(
        telegram.address, telegram.acc, telegram.sts, records, security="mode5", key=t.key, c_field=telegram.c_field
    )
    assert built == t.frame
    assert length(len(records), "mode5") == len(t.frame)


@pytest.mark.parametrize("line", [316, 320, 324, 328, 332, 336, 340])
def test_published_mode_7_telegrams_are_built_byte_for_byte(line):
    t = telegrams()[line]
    telegram = parse(t.frame)
    unlocked = unlock(telegram, t.key)
    records = stripped(unlocked)
    built = build(
        telegram.address,
        telegram.acc,
        telegram.sts,
        records,
        security="mode7",
        key=t.key,
        counter=unlocked.counter,
        tpl=telegram.ci,
    )
    assert built == t.frame
    assert length(len(records), "mode7", telegram.ci) == len(t.frame)


def test_the_long_header_names_the_meter_and_the_link_layer_the_radio_module():
    module = Address("RAM", "60000001", 0x55, 0x37)
    for mode, counter in (("mode5", None), ("mode7", 7)):
        frame = build(VIP, 1, 0, RECORDS, security=mode, key=KEY, counter=counter, tpl=0x72, link_address=module)
        assert parse(frame).link_address == module
        reading = read(frame, KEY)
        assert reading.address == VIP
        assert reading.records[0].value == 1302
    with pytest.raises(CannotEncode):
        build(VIP, 1, 0, RECORDS, security="none", link_address=module)


def test_no_security_with_and_without_a_header():
    for tpl in (0x72, 0x7A, 0x78):
        frame = build(VIP, 9, 4, RECORDS, security="none", tpl=tpl)
        assert len(frame) == length(len(RECORDS), "none", tpl)
        reading = read(frame)
        assert reading.telegram.security == "none"
        assert [r.value for r in reading.records if r.unit == "HCA"] == [1302, 1234]


@given(st.binary(max_size=120), st.integers(0, 255), st.integers(0, 2**32 - 1), st.sampled_from([0x72, 0x7A]))
def test_build_equals_seal(records, acc, counter, tpl):
    for mode in ("mode5", "mode7"):
        frame = build(VIP, acc, 0, records, security=mode, key=KEY, counter=counter, tpl=tpl, avoid_2f2f=False)
        telegram = parse(frame)
        unlocked = unlock(telegram, KEY)
        afl = telegram.afl
        again = seal(
            0x44,
            telegram.link_address,
            unlocked.plaintext,
            telegram.transport,
            key=KEY,
            ell=telegram.ell,
            afl=None if afl is None else replace(afl, mac=b""),
        )
        assert again == frame
        assert unlocked.plaintext.startswith(b"\x2f\x2f" + records)
        assert length(len(records), mode, tpl) == len(frame)


# --- each defence, on and off ---------------------------------------------------------------------------------


def refusal(call) -> Reason:
    with pytest.raises(BadTelegram) as refused:
        call()
    return refused.value.reason


def test_a_two_byte_mac_is_believed_only_by_who_honours_the_senders_word():
    frame = build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5)
    telegram = parse(frame)
    short = seal(
        0x44,
        VIP,
        unlock(telegram, KEY).plaintext,
        telegram.transport,
        key=KEY,
        ell=telegram.ell,
        afl=replace(telegram.afl, mcl=0x23, mac=b"xx"),
    )
    assert parse(short).afl.at == 3
    assert refusal(lambda: unlock(parse(short), KEY)) is Reason.MAC_TOO_SHORT
    assert unlock(parse(short), KEY, honour_sender_mac=True).mac_ok is True
    assert unlock(parse(short), KEY, pinned_mac_at=3).mac_ok is True
    broken = short[:-1] + bytes([short[-1] ^ 1])
    assert refusal(lambda: unlock(parse(broken), KEY, honour_sender_mac=True)) is Reason.MAC_WRONG


@pytest.mark.parametrize(("at", "size"), [(3, 2), (4, 4), (5, 8), (6, 12), (7, 16)])
def test_every_cmac_length(at, size):
    telegram = parse(build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5))
    frame = seal(
        0x44,
        VIP,
        unlock(telegram, KEY).plaintext,
        telegram.transport,
        key=KEY,
        ell=telegram.ell,
        afl=replace(telegram.afl, mcl=0x20 | at, mac=bytes(size)),
    )
    assert len(parse(frame).afl.mac) == size
    assert unlock(parse(frame), KEY, pinned_mac_at=at).mac_ok is True
    if at != 5:
        assert refusal(lambda: unlock(parse(frame), KEY)) in (Reason.MAC_TOO_SHORT, Reason.MAC_KIND)


def test_a_missing_mac_is_believed_only_when_asked_to():
    telegram = parse(build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5))
    plain = unlock(telegram, KEY).plaintext
    bare = seal(
        0x44,
        VIP,
        plain,
        telegram.transport,
        key=KEY,
        ell=telegram.ell,
        afl=replace(telegram.afl, fcl=0x2800, mcl=0x20, mac=None),
    )
    assert refusal(lambda: unlock(parse(bare), KEY)) is Reason.MAC_MISSING
    assert unlock(parse(bare), KEY, require_mac=False).mac_ok is None
    none = seal(0x44, VIP, plain, replace(telegram.transport, cfg=telegram.transport.cfg | 0x2000, counter=5), key=KEY)
    assert refusal(lambda: unlock(parse(none), KEY)) is Reason.MAC_MISSING
    assert unlock(parse(none), KEY, require_mac=False).counter == 5


def test_every_covered_bit_of_a_mode_7_telegram_is_covered():
    frame = build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5)
    start = parse(frame).afl.offset + 4  # MCL, MCR, MAC, TPL, payload
    for bit in range(8 * start, 8 * len(frame)):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadTelegram):
            unlock(parse(bytes(broken)), KEY)


def test_the_ell_is_covered_by_nothing():
    frame = bytearray(build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5))
    frame[12] ^= 0xFF
    assert unlock(parse(bytes(frame)), KEY).mac_ok is True


def test_a_changed_acc_of_mode_5_garbles_bytes_8_to_15_unnoticed():
    frame = bytearray(build(VIP, 1, 0, RECORDS, security="mode5", key=KEY))
    right = unlock(parse(bytes(frame)), KEY).plaintext
    frame[11] ^= 1
    wrong = unlock(parse(bytes(frame)), KEY).plaintext
    assert wrong[:8] == right[:8]
    assert wrong[8:16] == bytes(b ^ 1 for b in right[8:16])
    assert wrong[16:] == right[16:]


def test_a_clear_tail_is_read_only_when_asked_to():
    frame = build(VIP, 1, 0, RECORDS, security="mode5", key=KEY)
    tail = bytes.fromhex("046effffff00")
    longer = bytes([frame[0] + len(tail)]) + frame[1:] + tail
    assert parse(longer).clear_tail == tail
    assert refusal(lambda: read(longer, KEY)) is Reason.CLEAR_TAIL
    reading = read(longer, KEY, accept_clear_tail=True)
    assert reading.records[-1].value == 0xFFFFFF
    assert reading.records[-1].offset >= reading.clear_from == len(frame)


def test_a_mode_without_encrypted_blocks_is_refused_unless_asked_for():
    frame = bytearray(build(VIP, 1, 0, RECORDS, security="none"))
    frame[14] = 0x05
    telegram = parse(bytes(frame))
    assert telegram.names_mode_but_encrypts_nothing
    assert refusal(lambda: unlock(telegram, KEY)) is Reason.NOT_ENCRYPTED
    assert unlock(telegram, KEY, accept_n_zero=True).plaintext == RECORDS


def test_plaintext_under_an_encrypted_header_is_believed_only_when_asked_to():
    frame = build(VIP, 1, 0, RECORDS, security="mode5", key=KEY)
    lie = frame[:15] + unlock(parse(frame), KEY).plaintext
    assert refusal(lambda: unlock(parse(lie), KEY)) is Reason.WRONG_KEY
    taken = unlock(parse(lie), KEY, accept_already_decrypted=True)
    assert not taken.decrypted
    assert taken.plaintext[2:].startswith(RECORDS)


def test_n_larger_than_the_payload():
    frame = bytearray(build(VIP, 1, 0, RECORDS, security="mode5", key=KEY))
    frame[13] = 0x20
    assert refusal(lambda: unlock(parse(bytes(frame)), KEY)) is Reason.SHORT_CIPHERTEXT


def test_the_other_direction_has_other_keys():
    telegram = parse(build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5))
    down = seal(
        0x53, VIP, unlock(telegram, KEY).plaintext, telegram.transport, key=KEY, afl=telegram.afl, to_meter=True
    )
    assert refusal(lambda: unlock(parse(down), KEY)) is Reason.MAC_WRONG
    assert unlock(parse(down), KEY, to_meter=True).mac_ok is True


def test_duplicates_and_trailing_bytes_are_visible():
    double = RECORDS + bytes.fromhex("026e0100")
    frame = build(VIP, 1, 0, double, security="mode5", key=KEY)
    assert refusal(lambda: read(frame, KEY)) is Reason.DUPLICATE_RECORD
    lenient = read(frame, KEY, strict=False).records
    assert [r.value for r in duplicates(lenient)] == [1]
    cut = build(VIP, 1, 0, RECORDS + b"\x04\x6e\x01", security="none")
    with pytest.raises(BadTelegram) as refused:
        read(cut)
    assert refused.value.reason is Reason.BAD_RECORD
    assert refused.value.offset == len(cut) - 3
    assert read(cut, strict=False).records[-1].raw == b"\x04\x6e\x01"


# --- ours --------------------------------------------------------------------------------------------------------


def test_ciphertext_that_begins_2f2f_is_avoided_without_changing_the_length(monkeypatch):
    calls = []

    def sealed(key, iv, plaintext):
        calls.append(plaintext)
        return (b"\x2f\x2f" if len(calls) == 1 else b"xx") + plaintext[2:]

    monkeypatch.setattr(security, "cbc_encrypt", sealed)
    frame = build(VIP, 1, 0, RECORDS, security="mode5", key=KEY)
    assert calls[1] == b"\x2f" + calls[0][:-1]
    assert len(frame) == length(len(RECORDS), "mode5")
    assert not begins_2f2f(frame)
    calls.clear()
    assert begins_2f2f(build(VIP, 1, 0, bytes(14), security="mode5", key=KEY))
    assert parse_records(b"\x2f\x2f\x2f" + RECORDS)[0].value == 1302


@pytest.mark.parametrize(
    "arguments",
    [
        {"security": "mode5"},
        {"security": "mode5", "key": b"short"},
        {"security": "mode7", "key": KEY},
        {"security": "mode7", "key": KEY, "counter": 1 << 32},
        {"security": "mode5", "key": KEY, "tpl": 0x78},
        {"security": "none", "tpl": 0x99},
        {"security": "none", "records": bytes(250)},
        {"security": "mode5", "key": KEY, "records": bytes(250)},
        {"security": "none", "acc": 256},
        {"security": "mode9"},
    ],
)
def test_what_has_no_bytes(arguments):
    full = {"records": RECORDS, "acc": 1, **arguments}
    with pytest.raises(CannotEncode):
        build(VIP, full.pop("acc"), 0, full.pop("records"), **full)


def test_length_refuses_what_build_refuses():
    for size in range(260):
        for mode in ("none", "mode5", "mode7"):
            try:
                expected = len(build(VIP, 1, 0, bytes(size), security=mode, key=KEY, counter=1))
            except CannotEncode:
                with pytest.raises(CannotEncode):
                    length(size, mode)
            else:
                assert length(size, mode) == expected


def test_afl_fields_and_length_agree():
    good = bytes.fromhex("900f002c25b30a000021924d4f2fb66e01")
    afl = parse_afl(good, 0)
    assert (afl.mcr, afl.at, afl.wire()) == (0x0AB3, 5, good)
    for broken in ("900e002c25b30a000021924d4f2fb66e01", "900f002c24b30a000021924d4f2fb66e01", "900f00", "90ff002c25"):
        assert refusal(lambda b=broken: parse_afl(bytes.fromhex(b), 0)) is Reason.BAD_AFL
    everything = replace(afl, fcl=0x3E00, mcl=0x75, ki=0x1234, ml=40)
    assert parse_afl(everything.wire(), 0).covered() == bytes.fromhex("753412b30a00002800")


def test_afl_length_beyond_its_fields_and_a_mac_of_another_kind():
    assert refusal(lambda: parse_afl(bytes.fromhex("9007002025b30a000021"), 0)) is Reason.BAD_AFL
    telegram = parse(build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5))
    plain = unlock(telegram, KEY).plaintext
    for at, size in ((8, 12), (9, 16)):
        frame = seal(
            0x44,
            VIP,
            plain,
            telegram.transport,
            ell=telegram.ell,
            afl=replace(telegram.afl, mcl=0x20 | at, mac=bytes(size)),
        )
        for switches in ({}, {"honour_sender_mac": True}, {"pinned_mac_at": at}):
            assert refusal(lambda f=frame, s=switches: unlock(parse(f), KEY, **s)) is Reason.MAC_KIND
    bare = seal(0x44, VIP, plain, telegram.transport, afl=replace(telegram.afl, fcl=0x0C00, mcl=None))
    assert refusal(lambda: unlock(parse(bare), KEY, honour_sender_mac=True)) is Reason.MAC_KIND


def test_another_key_derivation_is_refused_before_any_key_is_derived():
    frame = bytearray(build(VIP, 1, 0, RECORDS, security="mode7", key=KEY, counter=5))
    frame[parse(bytes(frame)).transport.end - 1] = 0x00
    assert refusal(lambda: unlock(parse(bytes(frame)), KEY)) is Reason.MODE_UNSUPPORTED


def test_records_from_values():
    made = encode_records([(bytes.fromhex("026e"), 1302), (bytes.fromhex("0266"), 19.6), (bytes.fromhex("0b6e"), 127)])
    assert made.hex() == "026e16050266c4000b6e270100"
