"""wmbusmeters, which nobody here wrote, where it is on the PATH: it opens what is encrypted in the link layer here."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from attacks.parts.ell_session import sealed_in_ell, session_number
from wmbus.link import Address

pytestmark = pytest.mark.skipif(
    shutil.which("wmbusmeters") is None,
    reason="allowed: wmbusmeters is a foreign program, tried where it is on the PATH",
)
METER = Address("QDS", "78000001", 0x36, 8)
KEY = bytes(range(16))
RECORDS = bytes.fromhex("036e671200") + bytes.fromhex("046d0f084c31")


def analysed(frame: bytes) -> str:
    words = ["wmbusmeters", f"--analyze=qcaloric:{KEY.hex()}", frame.hex()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_it_finds_the_payload_crc_and_the_values_of_mode_7_inside() -> None:
    said = analysed(sealed_in_ell(METER, 5, RECORDS, KEY, session_number(77), counter=9))
    assert "sn (AES_CTR)" in said and "OK)" in said.partition("payload crc")[2].partition("\n")[0]
    assert '"current_consumption_hca":4711' in said
    assert '"device_datetime":"2026-01-12 08:15"' in said


def test_it_opens_a_short_header_in_clear_inside() -> None:
    said = analysed(sealed_in_ell(METER, 5, RECORDS, KEY, session_number(77)))
    assert "OK)" in said.partition("payload crc")[2].partition("\n")[0]
    assert "tpl-acc-field" in said
