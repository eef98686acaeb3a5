"""`frame decode` of one telegram: for people, as JSON, and what it says of what is none."""

from __future__ import annotations

import json

import pytest

from tests.bench.command_line import Rig
from tests.bench.conftest import Here
from tests.bench.frame.frame_rig import FRAME, KEY, QUNDIS, answers, fed, piped, refused
from wmbus.link import add_crcs_a, add_crcs_b


def test_a_telegram_for_people_has_every_byte_and_its_meaning(rig: Rig) -> None:
    done = rig.run("frame", "decode", FRAME.hex(), "--key", KEY)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first == "TCH 14542076, version 148, heat cost allocator; security mode5; 79 bytes"
    assert "  17  03 6E 02 00 00                       APL  heat cost allocation = 2 HCA" in rows
    shown = [row[6:42].split() for row in rows]
    assert sum(map(len, shown)) == len(FRAME)


def test_a_telegram_without_its_key_is_shown_as_far_as_it_goes(here: Here) -> None:
    done = here("frame", "decode", FRAME.hex())
    assert done.returncode == 1
    assert "configuration: mode 5, 4 blocks encrypted" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "refused: key-missing at byte 15: mode 5 and no key; give the meter's key with --key"
    )


@pytest.mark.parametrize(
    "text",
    [
        FRAME.hex().upper(),
        FRAME.hex(" "),
        "0x" + FRAME.hex(),
        " ".join(f"0x{byte:02X}" for byte in FRAME),
        FRAME.hex("|", 4),
        f"  |{FRAME.hex()}|\n",
        add_crcs_a(FRAME).hex(),
        add_crcs_b(FRAME).hex(),
    ],
    ids=["upper", "blanks", "0x", "each 0x", "bars", "between bars", "format A", "format B"],
)
def test_hex_in_the_forms_logs_have_it(here: Here, text: str) -> None:
    out = json.loads(here("frame", "decode", text, "--key", KEY, "--json").stdout)
    assert [r["value"] for r in out["records"]][:2] == [2, 25]
    assert json.loads(fed(here, text.encode(), "decode", "--key", KEY, "--json").stdout) == out
    [line] = answers(here, [json.dumps({"telegram": text, "key": KEY}).encode()], "decode", "--jsonl")
    assert line == out
    wanted = {add_crcs_a(FRAME).hex(): "A", add_crcs_b(FRAME).hex(): "B"}.get(text, "none")
    assert out["frame_format"] == wanted


def test_one_object_says_what_an_integrator_asks_for(here: Here) -> None:
    out = json.loads(here("frame", "decode", *FRAME.hex(" ").split(), "--key", KEY, "--json").stdout)
    known = {"manufacturer": "TCH", "id": "14542076", "version": 0x94, "device_type": 8, "layers": ["DLL", "TPL 7A"],
             "security": "mode5", "security_mode": 5, "mac_ok": None, "length": 79}  # fmt: skip
    assert known.items() <= out.items()
    record = out["records"][1]
    assert {"value": 25, "unit": "HCA", "storage_number": 1, "dif_vif": "436E"}.items() <= record.items()
    assert out["records"][5]["points"][-1] == {"when": "2020-12-31", "value": 22, "total": 25}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["decode", "4e4x"], "wmbench: 'x' is no hex digit (at 3); a telegram is given in hex, as in 2E44..."),
        (["decode", "4e4"], "wmbench: 3 hex digits, an odd number, are no whole number of bytes"),
        (["decode"], "wmbench: no telegram: give one in hex, as an argument or on standard input"),
        (["decode", "4e44", "--key", "12"], "wmbench: --key: a key is 32 hex digits, here 2"),
        (["decode", "4e44", "--key", "zz"], "wmbench: --key: a key is 32 hex digits: 'z' is no hex digit"),
        (["decode", "4e44", "--jsonl"], "wmbench: --jsonl reads its telegrams from standard input"),
        (["decode", "--nonsense"], "unrecognized arguments: --nonsense"),
        ([], "the following arguments are required: VERB"),
        (["decipher"], "invalid choice: 'decipher'"),
    ],
)
def test_a_command_that_cannot_be_carried_out(here: Here, words: list[str], says: str) -> None:
    assert says in refused(here, *words)


def test_standard_input_that_is_no_telegram(rig: Rig) -> None:
    for text, says in ((b"\xff\xfe\x00", b"binary, not text"), (b"4e " * 400_000, b"more than 1048576 bytes")):
        done = piped(rig, text, "decode")
        assert (done.returncode, done.stdout) == (2, b"")
        assert says in done.stderr


def test_bytes_that_are_no_telegram_are_exit_code_1(here: Here) -> None:
    done = here("frame", "decode", "0102")
    assert (done.returncode, done.stderr) == (1, "")
    assert "refused: too-short at byte 2" in done.stdout
    out = here("frame", "decode", FRAME.hex()[:-2], "--json")
    assert out.returncode == 1
    assert json.loads(out.stdout)["error"]["reason"] == "length-mismatch"
    assert json.loads(out.stdout)["manufacturer"] == "TCH"


def test_what_a_strict_receiver_refuses_is_read_and_told_as_odd(here: Here) -> None:
    twice = bytes.fromhex("0b6e010000" * 2)
    telegram = bytes((14 + len(twice), *bytes.fromhex(QUNDIS)[1:15])) + twice
    strict = here("frame", "decode", telegram.hex(), "--strict")
    assert (strict.returncode, "refused: duplicate-record at byte 20" in strict.stdout) == (1, True)
    out = json.loads(here("frame", "decode", telegram.hex(), "--json").stdout)
    assert [r["value"] for r in out["records"]] == [1, 1]
    assert out["odd"] == [{"reason": "duplicate-record", "detail": "a second record 0B6E", "offset": 20}]
    shown = here("frame", "decode", telegram.hex())
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (
        0,
        "odd: duplicate-record at byte 20: a second record 0B6E",
    )
