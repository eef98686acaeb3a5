"""`frame`, in a process of its own each time: what it says, and what it says to hostile input, with its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sim.meters.kind import kinds
from tests.bench.rig import TRACE, Rig
from wmbus.link import add_crcs_a, add_crcs_b
from wmbus.phy import iq
from wmbus.phy.modes import T1, from_chips

TECHEM = kinds()["techem-radio-4"].examples[0]
QUNDIS = kinds()["qundis-q-caloric"].examples[0].telegram.lower()
FRAME = bytes.fromhex(TECHEM.telegram)
KEY = str(TECHEM.key)
VECTORS = Path(__file__).parents[1] / "vectors" / "telegrams.jsonl"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def fed(rig: Rig, text: bytes, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """`frame ...` with these bytes on standard input."""
    command = [sys.executable, "-m", "bench", "frame", *map(str, words)]
    done = subprocess.run(command, input=text, cwd=rig.folder, env=rig.environment(), capture_output=True, timeout=60)
    assert TRACE.encode() not in done.stderr, done.stderr
    return done


def answers(rig: Rig, lines: Iterable[bytes], *words: str) -> list[dict[str, Any]]:
    done = fed(rig, b"\n".join(lines) + b"\n", *words)
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]


def refused(rig: Rig, *words: str | Path) -> str:
    done = rig.run("frame", *words)
    assert (done.returncode, done.stdout) == (2, ""), done
    return str(done.stderr)


# --- decode ----------------------------------------------------------------------------------------------------


def test_a_telegram_for_people_has_every_byte_and_its_meaning(rig: Rig) -> None:
    done = rig.run("frame", "decode", FRAME.hex(), "--key", KEY)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first == "TCH 14542076, version 148, heat cost allocator; security mode5; 79 bytes"
    assert "  17  03 6E 02 00 00                       APL  heat cost allocation = 2 HCA" in rows
    shown = [row[6:42].split() for row in rows]
    assert sum(map(len, shown)) == len(FRAME)


def test_a_telegram_without_its_key_is_shown_as_far_as_it_goes(rig: Rig) -> None:
    done = rig.run("frame", "decode", FRAME.hex())
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
def test_hex_in_the_forms_logs_have_it(rig: Rig, text: str) -> None:
    out = json.loads(rig.run("frame", "decode", text, "--key", KEY, "--json").stdout)
    assert [r["value"] for r in out["records"]][:2] == [2, 25]
    assert json.loads(fed(rig, text.encode(), "decode", "--key", KEY, "--json").stdout) == out
    [line] = answers(rig, [json.dumps({"telegram": text, "key": KEY}).encode()], "decode", "--jsonl")
    assert line == out
    wanted = {add_crcs_a(FRAME).hex(): "A", add_crcs_b(FRAME).hex(): "B"}.get(text, "none")
    assert out["frame_format"] == wanted


def test_one_object_says_what_an_integrator_asks_for(rig: Rig) -> None:
    out = json.loads(rig.run("frame", "decode", *FRAME.hex(" ").split(), "--key", KEY, "--json").stdout)
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
        (["decode", "4e4"], "wmbench: 3 hex digits are no whole number of bytes"),
        (["decode"], "wmbench: no telegram: give one in hex, as an argument or on standard input"),
        (["decode", "4e44", "--key", "12"], "wmbench: --key: a key is 32 hex digits, here 2"),
        (["decode", "4e44", "--key", "zz"], "wmbench: --key: a key is 32 hex digits: 'z' is no hex digit"),
        (["decode", "4e44", "--jsonl"], "wmbench: --jsonl reads its telegrams from standard input"),
        (["decode", "--nonsense"], "unrecognized arguments: --nonsense"),
        ([], "the following arguments are required: VERB"),
        (["decipher"], "invalid choice: 'decipher'"),
    ],
)
def test_a_command_that_cannot_be_carried_out(rig: Rig, words: list[str], says: str) -> None:
    assert says in refused(rig, *words)


def test_standard_input_that_is_no_telegram(rig: Rig) -> None:
    for text, says in ((b"\xff\xfe\x00", b"binary, not text"), (b"4e " * 400_000, b"more than 1048576 bytes")):
        done = fed(rig, text, "decode")
        assert (done.returncode, done.stdout) == (2, b"")
        assert says in done.stderr


def test_bytes_that_are_no_telegram_are_exit_code_1(rig: Rig) -> None:
    done = rig.run("frame", "decode", "0102")
    assert (done.returncode, done.stderr) == (1, "")
    assert "refused: too-short at byte 2" in done.stdout
    out = rig.run("frame", "decode", FRAME.hex()[:-2], "--json")
    assert out.returncode == 1
    assert json.loads(out.stdout)["error"]["reason"] == "length-mismatch"
    assert json.loads(out.stdout)["manufacturer"] == "TCH"


def test_lenient_reads_what_a_strict_receiver_refuses(rig: Rig) -> None:
    twice = bytes.fromhex("0b6e010000" * 2)
    telegram = bytes((14 + len(twice), *bytes.fromhex(QUNDIS)[1:15])) + twice
    assert "duplicate-record" in rig.run("frame", "decode", telegram.hex()).stdout
    out = json.loads(rig.run("frame", "decode", telegram.hex(), "--lenient", "--json").stdout)
    assert [r["value"] for r in out["records"]] == [1, 1]


# --- a stream --------------------------------------------------------------------------------------------------

GOOD = json.dumps({"telegram": FRAME.hex(), "key": KEY}).encode()


HOSTILE = [
    (b"", "bad-json"),
    (b"nonsense", "bad-json"),
    (b'{"telegram": ', "bad-json"),
    (b"\x00\xff\x80binary", "bad-json"),
    (b"[" * 30_000, "bad-json"),
    (b'{"telegram": ' + b"9" * 5_000 + b"}", "bad-json"),
    (b"[1, 2]", "bad-line"),
    (b"null", "bad-line"),
    (b"{}", "bad-line"),
    (b'{"telegram": 5}', "bad-line"),
    (b'{"telegram": null}', "bad-line"),
    (b'{"telegram": "zz"}', "bad-hex"),
    (b'{"telegram": "4e4"}', "bad-hex"),
    (b'{"telegram": "\\ud800"}', "bad-hex"),
    (b'{"telegram": ""}', "too-short"),
    (b'{"telegram": "' + b"4e" * 2_000 + b'"}', "length-mismatch"),
    (b'{"telegram": "' + b"4e" * 100_000 + b'"}', "too-long"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": "12"}', "bad-key"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": 7}', "bad-key"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": null}', "key-missing"),
    (b'{"telegram": "' + FRAME.hex().encode() + b'", "key": "' + b"00" * 16 + b'"}', "wrong-key"),
]


def test_the_stream_goes_on_whatever_comes_in(rig: Rig) -> None:
    """A good line between each two hostile ones, all to one process."""
    lines = [line for hostile, _ in HOSTILE for line in (GOOD, hostile)]
    out = answers(rig, [*lines, GOOD], "decode", "--jsonl")
    assert len(out) == 2 * len(HOSTILE) + 1
    assert all(good == out[0] and "error" not in good for good in out[::2])
    for (line, reason), bad in zip(HOSTILE, out[1::2], strict=True):
        assert set(bad["error"]) == {"reason", "detail", "offset"}
        assert (bad["error"]["reason"], bool(bad["error"]["detail"])) == (reason, True), (line[:80], bad)
        if b"key" in line:
            assert bad["manufacturer"] == "TCH"  # what was readable


def test_every_published_telegram_has_its_line(rig: Rig) -> None:
    lines = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    fed_in = [json.dumps({"telegram": one["hex"], "key": one["key"]}).encode() for one in lines]
    out = answers(rig, fed_in, "decode", "--jsonl", "--lenient")
    assert len(out) == len(lines) == 345
    read = [one for one in out if "error" not in one]
    assert len(read) >= 280
    assert {one["manufacturer"] for one in out if "manufacturer" in one} >= {"TCH", "QDS", "KAM"}


def test_a_key_for_all_lines_that_have_none(rig: Rig) -> None:
    line = json.dumps({"telegram": FRAME.hex()}).encode()
    [one] = answers(rig, [line], "decode", "--jsonl", "--key", KEY)
    assert one["records"][0]["value"] == 2


def test_a_line_without_its_end_and_an_empty_stream(rig: Rig) -> None:
    assert json.loads(fed(rig, GOOD, "decode", "--jsonl").stdout)["id"] == "14542076"
    done = fed(rig, b"", "decode", "--jsonl")
    assert (done.returncode, done.stdout) == (0, b"")


def test_each_line_is_answered_at_once(rig: Rig) -> None:
    """A program that asks and waits for the answer before it asks again."""
    process = rig.start("frame", "decode", "--jsonl", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(3):
        process.stdin.write(GOOD.decode() + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "14542076"
    process.stdin.close()
    assert process.wait(timeout=20) == 0


def test_a_reader_that_leaves_ends_the_stream(rig: Rig) -> None:
    endless = f"yes '{GOOD.decode()}' | '{sys.executable}' -m bench frame decode --jsonl | head -1"
    done = subprocess.run(["sh", "-c", endless], cwd=rig.folder, env=rig.environment(), capture_output=True, timeout=60)
    assert json.loads(done.stdout)["id"] == "14542076"
    assert TRACE.encode() not in done.stderr


def test_a_long_stream_is_fast(rig: Rig) -> None:
    begin = time.monotonic()
    done = fed(rig, (GOOD + b"\n") * 20_000, "decode", "--jsonl")
    assert done.stdout.count(b"\n") == 20_000
    assert time.monotonic() - begin < 20  # some two seconds on a quiet machine


# --- encode ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
def test_what_decode_printed_encodes_to_the_same_bytes(rig: Rig, security: str) -> None:
    sampled = fed(rig, b"", "sample", "--type", "all", "--security", security, "--count", "3", "--jsonl").stdout
    sent = [json.loads(line) for line in sampled.splitlines()]
    decoded = answers(rig, sampled.splitlines(), "decode", "--jsonl")
    lines = [json.dumps({**one, "key": t["key"]}).encode() for one, t in zip(decoded, sent, strict=True)]
    encoded = answers(rig, lines, "encode", "--jsonl")
    assert len(encoded) == 3 * len(kinds())
    assert encoded == [{"telegram": t["telegram"], "key": t["key"]} for t in sent]


def test_published_telegrams_encode_to_the_same_bytes(rig: Rig) -> None:
    lines = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    asked = [json.dumps({"telegram": one["hex"], "key": one["key"]}).encode() for one in lines]
    decoded = answers(rig, asked, "decode", "--jsonl")
    again = [json.dumps({**got, "key": one["key"]}).encode() for got, one in zip(decoded, lines, strict=True)]
    same = why = 0
    for one, got, out in zip(lines, decoded, answers(rig, again, "encode", "--jsonl"), strict=True):
        if "error" in got:
            continue
        if "error" in out:
            assert out["error"]["reason"] == "cannot-encode"
            why += 1
            continue
        hexa = bytes.fromhex(one["hex"])
        wire = {"A": add_crcs_a, "B": add_crcs_b}.get(got["frame_format"], bytes)(bytes.fromhex(out["telegram"]))
        assert wire == hexa, one["hex"]
        same += 1
    print(f"{same} encode to the same bytes, {why} are refused")
    assert same >= 140
    assert why <= 10


def test_a_changed_value_is_encoded_anew(rig: Rig) -> None:
    out = json.loads(rig.run("frame", "decode", QUNDIS, "--json").stdout)
    out["records"][0]["value"] = 777
    out["records"][5]["value"] = "2026-02-03"
    done = fed(rig, json.dumps(out).encode(), "encode", "--security", "mode7", "--key", KEY, "--counter", "9")
    assert done.returncode == 0, done.stderr
    again = json.loads(rig.run("frame", "decode", done.stdout.decode(), "--key", KEY, "--json").stdout)
    assert (again["security"], again["mac_ok"], again["counter"]) == ("mode7", True, 9)
    assert [again["records"][at]["value"] for at in (0, 5)] == [777, "2026-02-03"]


def test_a_type_with_values_of_ones_own(rig: Rig) -> None:
    words = ("--type", "vipa-c10", "--set", "units=77", "--set", "set_date=2025-12-31", "--security", "mode5")
    out = json.loads(rig.run("frame", "encode", *words, "--acc", "200", "--id", "12345678", "--json").stdout)
    again = json.loads(rig.run("frame", "decode", out["telegram"], "--key", out["key"], "--json").stdout)
    assert (again["id"], again["acc"]) == ("12345678", 200)
    values = {r["dif_vif"]: r["value"] for r in again["records"]}
    assert (values["026E"], values["426C"]) == (77, "2025-12-31")
    assert rig.run("frame", "encode", *words).stdout == rig.run("frame", "encode", *words).stdout


def test_crcs_on_request(rig: Rig) -> None:
    given = rig.run("frame", "decode", QUNDIS, "--json").stdout
    for crc, add in (("none", bytes), ("A", add_crcs_a), ("B", add_crcs_b)):
        made = rig.run("frame", "encode", given, "--crc", crc).stdout.strip()
        assert bytes.fromhex(made) == add(bytes.fromhex(QUNDIS))


WHO = {"manufacturer": "QDS", "id": "10000001", "version": 54, "device_type": 8}


WRONG = [
    (WHO, "records is a list of objects with dif_vif and value"),
    ({**WHO, "error": {"reason": "wrong-key"}}, "its error says wrong-key"),
    ({"records": []}, "the address lacks manufacturer, id, version, device_type"),
    ({**WHO, "id": 5, "records": []}, "manufacturer and id are text"),
    ({**WHO, "id": "12", "records": []}, "an id is eight digits, not '12'"),
    ({**WHO, "version": 256, "records": []}, "version is a whole number from 0 to 255, not 256"),
    ({**WHO, "acc": "x", "records": []}, "acc is a whole number from 0 to 255, not 'x'"),
    ({**WHO, "security": "mode6", "records": []}, "security is none, mode5 or mode7, not 'mode6'"),
    ({**WHO, "security": [], "records": []}, "security is none, mode5 or mode7, not []"),
    ({**WHO, "security": "mode5", "records": []}, "mode5 needs the meter's key"),
    ({**WHO, "security": "mode7", "key": KEY, "records": []}, "mode 7 needs a 32-bit message counter, not None"),
    ({**WHO, "layers": ["ELL 8D"], "records": []}, "layer ELL 8D is not made here"),
    ({**WHO, "layers": "DLL", "records": []}, "layers is a list"),
    ({**WHO, "layers": ["AFL 90"], "records": []}, "an AFL is made for mode7 only"),
    ({**WHO, "link_address": 3, "records": []}, "an address is an object"),
    ({**WHO, "records": [3]}, "record 0 is an object with dif_vif and value, not 3"),
    ({**WHO, "records": [{"value": 3}]}, "record 0: it needs dif_vif, as in 036E"),
    ({**WHO, "records": [{"dif_vif": "036E00", "value": 3}]}, "record 0: dif_vif 036E00 is not one whole chain"),
    ({**WHO, "records": [{"dif_vif": "03", "value": 3}]}, "record 0: the record's DIF/VIF chain is cut off"),
    ({**WHO, "records": [{"dif_vif": "0x", "value": 3}]}, "record 0: 1 hex digits are no whole number of bytes"),
    ({**WHO, "records": [{"dif_vif": "016E", "value": 300}]}, "record 0: 300 does not fit 1 bytes, signed"),
    ({**WHO, "records": [{"dif_vif": "016E", "value": 1e400}]}, "record 0: "),
    ({**WHO, "records": [{"dif_vif": "016E", "value": "3"}]}, "record 0: heat cost allocation is a number"),
    ({**WHO, "records": [{"dif_vif": "016E", "value": [3]}]}, "record 0: heat cost allocation is a number"),
    ({**WHO, "records": [{"dif_vif": "426C", "value": "31.12.2025"}]}, "'31.12.2025' is no date such as"),
    ({**WHO, "records": [{"dif_vif": "426C", "value": 5}]}, "record 0: 5 is no date or time of 2 bytes"),
    ({**WHO, "records": [{"hex": "zz"}]}, "record 0: 'z' is no hex digit"),
    ({**WHO, "records": [{"hex": "2f" * 300}]}, "more than 255"),
]


def test_what_cannot_be_encoded_is_said(rig: Rig) -> None:
    out = answers(rig, [json.dumps(given).encode() for given, _ in WRONG], "encode", "--jsonl")
    for (given, says), bad in zip(WRONG, out, strict=True):
        assert set(bad["error"]) == {"reason", "detail", "offset"}, given
        assert says in bad["error"]["detail"], given


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "wmbench: no telegram can be made of this: Expecting property name"),
        ("[]", "wmbench: no telegram can be made of this: an object is needed, not list"),
        (json.dumps(WRONG[0][0]), "wmbench: no telegram can be made of this: records is a list of objects"),
    ],
)
def test_one_that_cannot_be_encoded_is_exit_code_2(rig: Rig, text: str, says: str) -> None:
    assert says in refused(rig, "encode", text)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--type", "vipa"], "no meter type 'vipa'; known, nearest first: vipa-c10"),
        (["--type", "vipa-c10", "--set", "litres=3"], "--set litres=3: vipa-c10 has VALUE=N for error_flags"),
        (["--type", "vipa-c10", "--set", "units=many"], "units is a whole number as in the record, not 'many'"),
        (["--type", "vipa-c10", "--set", "units=70000"], "70000 does not fit u16"),
        (["--type", "vipa-c10", "--set", "set_date=x"], "'x' is no date such as 2026-02-01"),
        (["--set", "units=3"], "--set VALUE=N needs --type ID"),
        (["{}", "--type", "vipa-c10"], "JSON or --type: both say what to send"),
        (["{}", "--jsonl"], "--jsonl reads its objects from standard input"),
    ],
)
def test_what_a_type_cannot_say(rig: Rig, words: list[str], says: str) -> None:
    assert says in refused(rig, "encode", *words)


# --- sample ----------------------------------------------------------------------------------------------------


def test_a_seed_samples_the_same_again_and_another_does_not(rig: Rig) -> None:
    words = ("frame", "sample", "--type", "zenner-caltos-e", "--count", "5", "--jsonl", "--seed")
    first = rig.run(*words, "7").stdout
    assert first == rig.run(*words, "7").stdout != rig.run(*words, "8").stdout
    assert first.count("\n") == 5
    bare = rig.run("frame", "sample", "--type", "zenner-caltos-e", "--count", "5", "--seed", "7").stdout
    assert bare.split() == [json.loads(line)["telegram"] for line in first.splitlines()]


def test_the_true_values_are_those_that_decode_finds(rig: Rig) -> None:
    sampled = fed(rig, b"", "sample", "--type", "all", "--security", "mode7", "--count", "9", "--jsonl").stdout
    compared = 0
    for line, got in zip(sampled.splitlines(), answers(rig, sampled.splitlines(), "decode", "--jsonl"), strict=True):
        records = {r["dif_vif"]: r for r in got["records"]}
        for value in json.loads(line)["values"]:
            record = records[value["dif_vif"]]
            for name in ("quantity", "unit", "storage_number", "tariff", "subunit", "function"):
                assert record[name] == value[name]
            element = value["element"]
            found = record["value"] if element is None else record["points"][element]["value"]
            assert found == value["value"], (record, value)
            compared += 1
    assert compared > 9 * 150


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--type", "vipa"], "no meter type 'vipa'"),
        (["--type", "all", "--count", "0"], "'0' is not a number between 1 and 10 000 000"),
        (["--type", "all", "--security", "mode6"], "invalid choice: 'mode6'"),
        (["--type", "all", "--seed", "-1"], "-1 is not between 0 and 2**64 - 1"),
        ([], "the following arguments are required: --type"),
    ],
)
def test_what_cannot_be_sampled(rig: Rig, words: list[str], says: str) -> None:
    assert says in refused(rig, "sample", *words)


# --- iq --------------------------------------------------------------------------------------------------------


def heard(file: Path, sample_format: Any, rate_hz: float) -> bytes:
    """A receiver of two lines for one T1 telegram without noise: the sign of the frequency in the middle of a chip."""
    import numpy as np

    samples = iq.from_bytes(file.read_bytes(), sample_format)
    turned = np.angle(samples[1:] * np.conj(samples[:-1]))
    first = int(np.argmax(np.abs(samples) > 0.1))
    centres = (first + (np.arange(5_000) + 0.5) * rate_hz / T1.chip_rate_hz).astype(int)
    return from_chips((turned[centres[centres < len(turned)]] > 0).astype(np.uint8), T1)


@pytest.mark.parametrize("sample_format", ["cu8", "cs8", "cs16", "cf32"])
def test_iq_of_every_format_by_suffix_and_by_option(rig: Rig, sample_format: str) -> None:
    for name, more in ((f"air.{sample_format}", ()), ("air.iq", ("--format", sample_format))):
        file = rig.folder / name
        done = rig.run("frame", "iq", FRAME.hex(), "--mode", "T1", "--out", file, "--snr-db", "inf", *more)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{name}: 1 telegrams in 0.1" in done.stdout
        assert heard(file, sample_format, 1.6e6) == FRAME


def test_iq_is_the_seeds_own_and_goes_to_standard_output(rig: Rig) -> None:
    words = ("iq", FRAME.hex(), "--out", "-", "--format", "cs8", "--rate-hz", "8e5")
    first = fed(rig, b"", *words).stdout
    assert first == fed(rig, b"", *words).stdout != fed(rig, b"", *words, "--seed", "2").stdout
    assert len(first) > 2 * 8e5 * 0.1


def test_several_telegrams_a_collision_and_a_jammer(rig: Rig) -> None:
    def seconds(*words: str) -> float:
        file = rig.folder / "air.cs8"
        done = rig.run("frame", "iq", *words, "--out", file, "--rate-hz", "4e5", "--snr-db", "inf")
        assert done.returncode == 0, done.stderr
        return file.stat().st_size / 2 / 4e5

    two = (FRAME.hex(), QUNDIS)
    in_turn, together = seconds(*two), seconds(*two, "--collide")
    assert in_turn > together + 0.1
    assert seconds(f"{two[0]}@start_ms=0", f"{two[1]}@start_ms=300,level_db=-6,offset_hz=2e4,mode=C1A") > 0.4
    assert seconds(*two, "--repeat", "3") > 3 * in_turn - 0.3
    assert seconds(*two, "--jammer-db", "-3", "--jammer-hz", "2e4") == in_turn


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([QUNDIS, "--out", "air.wav"], "air.wav: which sample format? End the name in cu8, .cs8, .cs16, .cf32"),
        ([QUNDIS, "--out", "-"], "-: which sample format?"),
        (["zz", "--out", "a.cu8"], "'z' is no hex digit (at 0)"),
        ([QUNDIS[:-2], "--out", "a.cu8"], "is no telegram: length-mismatch at byte 0"),
        ([QUNDIS + "@level=3", "--out", "a.cu8"], "'level=3' behind @: a telegram has start_ms, level_db"),
        ([QUNDIS + "@level_db=x", "--out", "a.cu8"], "start_ms, level_db and offset_hz are numbers"),
        ([QUNDIS + "@mode=N1", "--out", "a.cu8"], "mode=N1: the modes are T1, C1A, C1B, S1, S1M"),
        ([QUNDIS + "@start_ms=-5", "--out", "a.cu8"], "start_ms=-5 is before the recording begins"),
        ([QUNDIS + "@start_ms=nan", "--out", "a.cu8"], "is not a finite number"),
        ([QUNDIS + "@start_ms=1e12", "--out", "a.cu8"], "a recording has at most"),
        ([QUNDIS, "--out", "a.cu8", "--rate-hz", "10"], "--rate-hz 10: between 200000 and 2e+07"),
        ([QUNDIS, "--out", "a.cu8", "--rate-hz", "nan"], "--rate-hz nan: between"),
        ([QUNDIS, "--out", "a.cu8", "--offset-hz", "9e5"], "beyond half of 1.6e+06 samples a second"),
        ([QUNDIS, "--out", "a.cu8", "--snr-db", "nan"], "is not a finite number"),
        ([QUNDIS, "--out", "a.cu8", "--chip-rate-hz", "0"], "0 chips a second"),
        ([QUNDIS, "--out", "a.cu8", "--gap-ms", "-7"], "--gap-ms -7"),
        ([QUNDIS, "--out", "a.cu8", "--mode", "N1"], "invalid choice: 'N1'"),
        ([QUNDIS, "--out", "nowhere/a.cu8"], "nowhere/a.cu8"),
        ([QUNDIS], "the following arguments are required: --out"),
    ],
)
def test_what_cannot_be_sent(rig: Rig, words: list[str], says: str) -> None:
    error = refused(rig, "iq", *words)
    assert says in error
    assert "fault of wmbench" not in error
