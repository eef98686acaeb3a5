"""What people paste: every field report of tests/vectors/reports.jsonl gives the value that is right."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from bench.frame.decode import decode
from sim.portal.keyring import Keyring
from sim.recording.log import ASSUMED_DBM, BadLog, read_log
from wmbus.link import Address

REPORTS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "vectors" / "reports.jsonl").read_text(encoding="utf-8").splitlines()
]
READ, REFUSED = 0, 1

SHOWN: dict[str, tuple[int, list[str]]] = {
    "wmbusmeters/wmbusmeters#338": (REFUSED, [
        "HYD 42340785", "26 bytes, CRCs of format A removed",
        "odd: length-mismatch at byte 30: 1 byte after the telegram",
        "refused: manufacturer-specific at byte 11: CI A2: the payload is Diehl Hydrometer (HYD)'s own format",
    ]),
    "wmbusmeters/wmbusmeters#1324": (READ, ["1 byte after the telegram: 54", "date and time = 2024-07-15 09:13:00"]),
    "CBrunsch/scambus#4": (READ, [
        "63 bytes\n", "1 byte after the telegram: 2F", "energy = 1109290 Wh", "odd: not-encrypted at byte 10",
    ]),
    "wmbusmeters/wmbusmeters#373": (REFUSED, ["27 bytes, CRCs of format A", "L is 24, two", "CI A0", "Apator"]),
    "wmbusmeters/wmbusmeters#959": (READ, ["CRCs of format A removed", "L is 60", "manufacturer data ="]),
    "xaelsouth/rtl-wmbus#29": (READ, ["74 bytes, CRCs of format A", "date and time = 2021-11-28 11:25:00"]),
    "wmbusmeters/wmbusmeters#1140": (READ, ["energy = 10996000 Wh", "= 0.033 m3/h", "received: at 39"]),
    "wmbusmeters/wmbusmeters#212": (READ, ["heat cost allocation = 457 HCA\n"]),
    "wmbusmeters/wmbusmeters#1365": (REFUSED, ["APA 00285061", "65 bytes\n", "payload is Apator (APA)'s own"]),
    "wmbusmeters/wmbusmeters#766 (made)": (READ, ["= 457 HCA\n", "CRCs of format A", "received: -31.5 dBm"]),
    "wmbusmeters/wmbusmeters#953 (made)": (READ, ["= 457 HCA\n", "CRCs of format B", "received: -31.5 dBm"]),
    "FHEM 36_WMBUS": (READ, ["= 457 HCA\n", "CRCs of format A", "received: -71.0 dBm"]),
    "wmbusmeters/wmbusmeters#1350": (REFUSED, ["EFE 22357344", "refused: key-missing", "received: -91.0 dBm"]),
    "wmbusmeters/wmbusmeters#20": (REFUSED, ["SAP 20F59EF7", "CI A2: the payload is Diehl Sappel (SAP)'s own"]),
    "wmbusmeters/wmbusmeters#1443": (REFUSED, [
        "a second telegram begins at byte 47, though by its L this one reaches to byte 49", "\n\nKAM 57596857",
    ]),
    "rscada/libmbus#77": (READ, ["EFE 32880356", "a wired M-Bus frame (68 L L 68), primary address 0"]),
    "zibous/ha-watermeter#61": (READ, [
        "13 bytes, CRCs of format A", "C: ACC-DMD", "CI: extended link layer I", "no application data",
    ]),
    "wmbusmeters/wmbusmeters#1033": (READ, ["enhanced identification = QDS 67635242 3C 04"]),
    "EN 13757-3 / FHEM WMBus.pm": (READ, ["volume = 1.234 m3"]),
    "EN 13757-3": (READ, ["volume = 1.234 m3"]),
    "merbanan/rtl_433#3400": (READ, ["= 00823A0000610107B06E", "date and time = 2025-11-13 09:08:00"]),
    "FHEM forum 24517 (#735)": (READ, [r"= \nAPL heat cost allocation = 9999 HCA\x1b[2J"]),
    "wmbusmeters/wmbusmeters#633 (made)": (READ, ["fabrication number = 00123456"]),
}  # fmt: skip
DECODED = [one for one in REPORTS if one["flow"] == "decode"]


def test_every_report_to_be_decoded_has_its_value_here() -> None:
    assert len(REPORTS) == 33
    assert {one["source"] for one in DECODED} == set(SHOWN)


@pytest.mark.parametrize("report", DECODED, ids=lambda one: one["fault"])
def test_decode_shows_what_is_right(report: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    code, says = SHOWN[report["source"]]
    wanted = {"hex": [report["input"]], "key": report["key"], "already_decrypted": report["already_decrypted"]}
    assert decode(argparse.Namespace(**wanted, jsonl=False, strict=False, json=False)) == code
    out = capsys.readouterr().out
    for words in says:
        assert words in out, out
    assert all(letter.isprintable() or letter == "\n" for letter in out)
    assert not any(line.startswith("APL") for line in out.splitlines())  # forged by a line feed
    assert decode(argparse.Namespace(**wanted, jsonl=False, strict=False, json=True)) == code
    assert all(isinstance(json.loads(line), dict) for line in capsys.readouterr().out.splitlines())


def test_strict_refuses_what_was_shown_as_odd(capsys: pytest.CaptureFixture[str]) -> None:
    """The portal's business: a strict receiver takes no bytes too many, no rewritten L, no clear text."""
    odd = [one for one in DECODED if "-CRCs" in one["fault"] or one["fault"] == "rtl_433-L-minus-2"]
    assert len(odd) == 6
    for report in odd:
        words = argparse.Namespace(
            hex=[report["input"]], key=report["key"], already_decrypted=False, jsonl=False, strict=True, json=True
        )
        assert decode(words) == REFUSED, report["source"]
        assert "records" not in json.loads(capsys.readouterr().out)


# --- logs ----------------------------------------------------------------------------------------------------

LOGS: dict[str, tuple[int, float, list[str]]] = {  # telegrams, level of the first, what is set aside
    "wmbusmeters/wmbusmeters#simulations/serial_rtlwmbus (doubled)": (2, ASSUMED_DBM, []),
    "wmbusmeters/wmbusmeters#558": (1, ASSUMED_DBM, ["line 2: 'T' is no hex digit: 'c421T1'"]),
    "wmbusmeters/wmbusmeters#1520": (1, -81.0, [
        "line 1: stamp '1970-01-01T17:02:53Z': the receiver's clock was not yet set",
    ]),
    "wmbusmeters/wmbusmeters#1631/1639": (1, -55.0, []),
    "merbanan/rtl_433#3400": (1, ASSUMED_DBM, []),
    "SzczepanLeon/esphome-components#93": (1, -72.0, []),
    "made after wmbusmeters/wmbusmeters#1631": (1, -55.0, []),
    "made (gateways, MQTT)": (1, -55.0, []),
    "wmbusmeters/wmbusmeters#1621/191": (1, ASSUMED_DBM, []),
}  # fmt: skip
PLAYED = [one for one in REPORTS if one["flow"] == "play" and one["fault"] != "keys-file"]


@pytest.mark.parametrize("report", PLAYED, ids=lambda one: one["fault"])
def test_a_log_is_read_as_it_is(report: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(report["input"], encoding="utf-8")
    count, level_dbm, aside = LOGS[report["source"]]
    read = read_log(path)
    assert (len(read.played), read.played[0].rssi_dbm) == (count, level_dbm)
    assert [f"line {one.line}: {one.why}" for one in read.set_aside] == aside
    assert len(read.copies) == (2 if report["fault"] == "doubled-lines" else 0)


def test_keys_with_a_row_of_names_are_read(tmp_path: Path) -> None:
    (report,) = [one for one in REPORTS if one["fault"] == "keys-file"]
    assert "id,key" in report["input"]
    path = tmp_path / "keys.csv"
    path.write_text(f"id,key\n27511378,{'00' * 15}ff\n", encoding="utf-8")
    path.chmod(0o600)
    meter = Address("QDS", "27511378", 0x35, 0x08)
    assert Keyring.load(path, known=[meter]).key(meter) == bytes(15) + b"\xff"


def test_every_log_has_its_value_here(tmp_path: Path) -> None:
    assert {one["source"] for one in PLAYED} == set(LOGS)
    path = tmp_path / "nothing.log"
    path.write_text("telegram=|zz|+1\n", encoding="utf-8")
    with pytest.raises(BadLog, match=r"line 1: 'z' is no hex digit"):
        read_log(path)
