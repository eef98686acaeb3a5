"""Programs that nobody here wrote read the same telegrams: pymbusparser always, wmbusmeters where it is on the PATH."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from published import PROPRIETARY, telegrams
from test_published import READABLE, opened

from wmbus.records import UNREADABLE
from wmbus.telegram import Address, build, interpret, read

pymbusparser = pytest.importorskip("pymbusparser")

SAME_UNIT = {
    "m3": "m3", "W.h": "Wh", "Cel": "°C", "s": "s", "min": "min", "h": "h", "d": "d", "mo": "month", "m3.h-1": "m3/h",
    "W": "W", "J": "J", "J.h-1": "J/h", "V": "V", "K": "K", "m3.h-1.h": "h", "m3.h-1.s": "s",
}  # fmt: skip

STOPS_EARLY = {45: "returns no record at all", 156: "stops at the record after 04FD17"}
NO_VIEW = {
    "profile": "shows a profile as text",
    "0d7f": "reads LVAR E8 under VIF 7F as one number",
    "01fd08": "takes the access number for signed",
    "day 31": "takes day 31 of type F for 'every day'",
    "invalid": "ignores the invalid bit of type F",
    "0779": "takes an address for one number",
    "maker's text": "takes bytes under a maker's VIF for text",
}


def same_value(theirs, ours) -> str:
    """ "" when both say the same, else which known difference it is."""
    kind, value = theirs["value"]["kind"], theirs["value"].get("value")
    if kind == "manufacturer_specific":
        assert ours.quantity == "manufacturer data"
        return ""
    if ours.chain.is_profile:
        return "profile"
    if kind in ("decimal", "float"):
        if ours.dif_vif.hex() in NO_VIEW:
            return ours.dif_vif.hex()
        if ours.dif_vif == b"\x07\x79":
            return "0779"
        if isinstance(ours.value, str):
            assert float(value) == float(ours.value), (theirs, ours)
            return ""
        assert float(value) == pytest.approx(ours.value, rel=1e-9), (theirs, ours)
        unit = theirs.get("unit")
        assert unit is None or unit.startswith("#") or SAME_UNIT[unit] == ours.unit, (theirs, ours)
        return ""
    if kind in ("date", "datetime"):
        if isinstance(value, str):
            if ours.value is None:
                assert ours.raw[0] & 0x80
                return "invalid"
            assert value.replace("T", " ") == str(ours.value), (theirs, ours)
        elif ours.value is not None:
            assert value["day"] == "every" and ours.value.day == 31, (theirs, ours)
            return "day 31"
        return ""
    if isinstance(ours.value, bytes) and isinstance(value, str):
        assert value == ours.value[::-1].decode("latin-1"), (theirs, ours)
        return "maker's text"
    assert value == ours.value, (theirs, ours)
    return ""


def compare(frame, key, ours) -> tuple[int, list[str]]:
    seen = pymbusparser.parse(frame, key=key) if key else pymbusparser.parse(frame)
    differences = []
    records = [r for r in ours if r.quantity != UNREADABLE]
    for theirs, mine in zip(seen["records"], records, strict=False):
        assert theirs["header_hex"].replace(" ", "").lower() == mine.dif_vif.hex()
        assert (theirs["storage_number"], theirs["tariff"], theirs["subunit"]) == (
            mine.storage, mine.tariff, mine.subunit,
        )  # fmt: skip
        difference = same_value(theirs, mine)
        if difference:
            differences.append(difference)
    if key:
        assert seen["security"]["decrypted_payload_hex"].startswith("2F2F")
    return len(seen["records"]), differences


def test_pymbusparser_agrees_on_every_published_telegram_of_modes_0_and_5():
    ran = records = 0
    differences: list[str] = []
    for t in READABLE:
        unlocked = opened(t)
        if unlocked.mode not in (0, 5) or t.already_decrypted or t.line in PROPRIETARY or t.record["ell"] == "CI 8D":
            continue
        ours = interpret(unlocked, strict=False).records
        count, known = compare(t.frame, t.key, ours)
        if t.line not in STOPS_EARLY:
            assert count == len([r for r in ours if r.quantity != UNREADABLE]), t
        ran += 1
        records += count
        differences += known
    print(f"{ran} telegrams, {records} records compared; {len(differences)} differ in ways pymbusparser is known for")
    assert (ran, records) >= (137, 1120)
    assert len([one for one in differences if one not in ("maker's text", "0779")]) <= 25
    assert set(differences) <= set(NO_VIEW)


TYPES = {
    "VIPA": (Address("VIP", "23701267", 0x1E, 8), "02fd170000026e1605047505000000046d01044932426c5f2c426ed204"),
    "Qundis": (Address("QDS", "10000001", 0x36, 8), "0b6e2701004b6e450100426c5f2ccb086e790000c2086c7f21326cffff"),
    "Techem": (Address("TCH", "14000001", 0x94, 8), "036e020000436e190000426c9f2c83046e00000082046c7f2a"),
    "water": (Address("DME", "12345678", 0x7B, 7), "0413fce0f505023b2a00025a6900"),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("mode", ["none", "mode5"])
@pytest.mark.parametrize("tpl", [0x72, 0x7A])
def test_pymbusparser_reads_what_we_build(name, mode, tpl):
    address, records = TYPES[name]
    key = bytes(range(16)) if mode == "mode5" else None
    for acc in (0, 127, 255):
        frame = build(address, acc, 0, bytes.fromhex(records), security=mode, key=key, tpl=tpl)
        count, differences = compare(frame, key, read(frame, key).records)
        assert count == len(read(frame, key).records)
        assert not differences


WMBUSMETERS = shutil.which("wmbusmeters")


@pytest.mark.skipif(WMBUSMETERS is None, reason="allowed: wmbusmeters is not on the PATH; no package registry has it")
def test_wmbusmeters_reads_the_published_values_out_of_telegrams_we_build():
    lines, expected = [], []
    for line in (316, 320, 324, 328, 332, 336, 340, 315, 319, 323, 327, 331, 335, 339):
        t = telegrams()[line]
        lines.append(json.dumps({"_": "decode", "telegram": t.frame.hex(), "key": t.key.hex(), "driver": "auto"}))
        expected.append(t.expected)
    out = subprocess.run(
        [WMBUSMETERS, "stdin:jsonl"],
        input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    seen = [json.loads(x) for x in out.stdout.splitlines() if x.startswith("{")]
    assert len(seen) == len(expected)
    for got, want in zip(seen, expected, strict=True):
        for name, value in want.items():
            assert got.get(name) == value, (name, got)
