"""The referee's own reading of frames, next to somebody else's parser, and of what attacks make of frames."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pymbusparser
import pytest

from attacks.alter import TIMED, TIMELESS
from attacks.downgrade import FORMS, Downgrade
from attacks.parts import forgery
from attacks.parts.ell_session import sealed_in_ell, session_number, turned
from bench.rig.classify import changed, parts, shows
from tests.wmbus.published import telegrams
from wmbus.link import Address
from wmbus.telegram import build

METER = Address("QDS", "12345678", 0x36, 8)
RECORDS = bytes.fromhex("0b6e0900004b6e610300426c3f3ccb086e610300c2086c3f3c326cffff046d1c014531" + "2f" * 14)
NOW = datetime(2026, 1, 12, 8, 30)  # noqa: DTZ001  a meter's clock has no zone
KEY = bytes(range(16))


def telegram(security: str, *, acc: int = 7, status: int = 0) -> bytes:
    counter = 1_000 + acc if security == "mode7" else None
    key = None if security == "none" else KEY
    return build(METER, acc, status, RECORDS, security=security, key=key, counter=counter)


CLEAR, MODE5, MODE7 = (telegram(security) for security in ("none", "mode5", "mode7"))


def test_a_copy_has_nothing_changed_and_noise_is_unreadable() -> None:
    for frame in (CLEAR, MODE5, MODE7):
        assert changed(frame, frame) == frozenset()
        noise = frame[:10] + bytes(reversed(frame[10:]))
        assert changed(noise, frame) != frozenset()
        assert shows(frame[:-1]) == {"unreadable"}, "L does not fit"


@pytest.mark.parametrize(
    ("original", "make", "words"),
    [
        (MODE5, lambda frame: forgery.with_access_number(frame, 99), {"access number"}),
        (MODE7, lambda frame: forgery.with_status(frame, 0x10), {"status"}),
        (MODE7, lambda frame: forgery.with_version(frame, 1), {"version"}),
        (MODE5, lambda frame: frame[:4] + b"\x01" + frame[5:], {"address"}),
        (MODE7, forgery.without_mac, {"MAC left out"}),
        (MODE7, lambda frame: forgery.with_short_mac(frame, b"\x12\x34"), {"authentication"}),
        (MODE5, lambda frame: forgery.with_chosen_block(frame, bytes(16), b"\x03\x6e\x01\x02\x03"),
         {"N raised", "two bytes turned and blocks appended"}),
        (MODE5, lambda frame: forgery.with_block_flipped(frame, 1), {"one bit behind the first block"}),
        (MODE5, lambda frame: forgery.with_block_flipped(frame, 0), {"ciphertext"}),
        (MODE5, lambda frame: forgery.with_tail(frame, b"\0" * 8), {"bytes appended"}),
        (MODE5, lambda frame: forgery.with_units(frame, 4_711, "QDS"), {"N lowered", "cut behind the first block"}),
        (CLEAR, lambda frame: forgery.with_units(frame, 4_711, "QDS"), {"units in clear"}),
        (CLEAR, lambda frame: frame[:-15] + bytes((frame[-15] ^ 1,)) + frame[-14:], {"clock in clear"}),
        (MODE7, lambda frame: frame[:1] + b"\x46" + frame[2:], {"C field"}),
    ],
)  # fmt: skip
def test_each_change_has_its_word(original: bytes, make: Callable[[bytes], bytes], words: set[str]) -> None:
    assert changed(make(original), original) == words


def test_a_mac_of_two_bytes_is_seen_and_no_other() -> None:
    words = [shows(forgery.with_short_mac(MODE7, bytes(size))) for size in (2, 4, 8, 12)]
    assert ["MAC of two bytes" in one for one in words] == [True, False, False, False]
    assert "MAC of two bytes" not in shows(MODE7) | shows(forgery.without_mac(MODE7))


def test_zeros_behind_a_telegram_are_no_record_in_clear() -> None:
    assert "units in clear at the end" not in shows(forgery.with_tail(MODE5, b"\0" * 8))
    assert "units in clear at the end" in shows(forgery.with_tail(MODE5, forgery.records_now(1, NOW)[:5]))


def test_every_surgery_of_an_attack_fits_the_form_that_it_names_and_no_other() -> None:
    from attacks.alter import Alter

    def fitting(frame: bytes, original: bytes) -> set[str]:
        forms = Alter.record.forms.items()
        return {name for name, form in forms
                if form.shows <= shows(frame, original) and form.changed == changed(frame, original)}  # fmt: skip

    for name, surgery in {**TIMELESS, **TIMED}.items():
        original = telegram("mode7", status=0x08)
        names = fitting(surgery(original, "QDS", NOW), original)
        alike = {"another version announced: stored", "another version announced: value changed"}
        assert names == (alike if name in alike else {name} | names - {name})
        assert len(names) <= 2


def test_each_form_of_a_downgrade_is_only_itself() -> None:
    for name, make in FORMS.items():
        frame = make(MODE5, forgery.records_now(1, NOW))
        fitting = {other for other, form in Downgrade.record.forms.items() if form.shows <= shows(frame, MODE5)}
        assert fitting == {name}


def test_headers_are_read_as_by_a_parser_of_somebody_else() -> None:
    """pymbusparser, of every published telegram that both take for one with a short or a long header."""
    compared = 0
    for one in telegrams():
        seen = parts(one.frame)
        try:
            told = pymbusparser.parse(one.frame)
        except pymbusparser.MbusParserError:
            continue
        header = told.get("transport", {}).get("header_kind")
        if seen is None or seen.extended or seen.authentication or header not in ("short_tpl", "long_tpl"):
            continue
        (access,) = [number["value"] for number in told["transport"]["access_numbers"]]
        (status,) = [status["raw"] for status in told["transport"]["statuses"]]
        assert (seen.access, f"{seen.status:02X}") == (access, status), one
        assert seen.mode == told["security"]["mode_code"], one
        compared += 1
    assert compared > 100


def test_what_the_link_layer_encrypts_is_known_by_its_session_number() -> None:
    sealed = [sealed_in_ell(METER, acc, bytes.fromhex("036e010000"), KEY, session_number(acc)) for acc in (1, 2)]
    assert shows(sealed[0], sealed[1]) == {"AES-CTR in the extended link layer", "own address"}
    assert changed(sealed[0], sealed[0]) == frozenset()
    assert changed(sealed[0], sealed[1]) == {"access number", "session number", "ciphertext"}
    forged = turned(sealed[0], {9: b"\x01"}, 1)
    assert changed(forged, sealed[0]) == {"ciphertext"}
    in_clear = bytearray(sealed[0])
    in_clear[16] &= 0x1F  # bits 31 to 29 of the session number: not encrypted
    assert shows(bytes(in_clear)) == {"unreadable"}
