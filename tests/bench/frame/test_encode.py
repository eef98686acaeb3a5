"""`frame encode`: what decode printed becomes the same bytes again, and what cannot be sent is said."""

from __future__ import annotations

import json

import pytest

from sim.meters.meter_type import kinds
from tests.bench.command_line import Rig
from tests.bench.conftest import Here
from tests.bench.frame.frame_rig import KEY, QUNDIS, VECTORS, answers, fed, piped, refused
from wmbus.link import add_crcs_a, add_crcs_b


@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
def test_what_decode_printed_encodes_to_the_same_bytes(here: Here, security: str) -> None:
    sampled = fed(here, b"", "sample", "--type", "all", "--security", security, "--count", "3", "--jsonl").stdout
    sent = [json.loads(line) for line in sampled.splitlines()]
    decoded = answers(here, sampled.splitlines(), "decode", "--jsonl")
    lines = [json.dumps({**one, "key": t["key"]}).encode() for one, t in zip(decoded, sent, strict=True)]
    encoded = answers(here, lines, "encode", "--jsonl")
    assert len(encoded) == 3 * len(kinds())
    assert encoded == [{"telegram": t["telegram"], "key": t["key"]} for t in sent]


def test_published_telegrams_encode_to_the_same_bytes(here: Here) -> None:
    lines = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    asked = [json.dumps({"telegram": one["hex"], "key": one["key"]}).encode() for one in lines]
    decoded = answers(here, asked, "decode", "--jsonl", "--strict")
    again = [json.dumps({**got, "key": one["key"]}).encode() for got, one in zip(decoded, lines, strict=True)]
    same = why = 0
    for one, got, out in zip(lines, decoded, answers(here, again, "encode", "--jsonl"), strict=True):
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


def test_a_changed_value_is_encoded_anew(rig: Rig, here: Here) -> None:
    out = json.loads(here("frame", "decode", QUNDIS, "--json").stdout)
    out["records"][0]["value"] = 777
    out["records"][5]["value"] = "2026-02-03"
    done = piped(rig, json.dumps(out).encode(), "encode", "--security", "mode7", "--key", KEY, "--counter", "9")
    assert done.returncode == 0, done.stderr
    again = json.loads(here("frame", "decode", done.stdout.decode(), "--key", KEY, "--json").stdout)
    assert (again["security"], again["mac_ok"], again["counter"]) == ("mode7", True, 9)
    assert [again["records"][at]["value"] for at in (0, 5)] == [777, "2026-02-03"]


def test_a_type_with_values_of_ones_own(here: Here) -> None:
    words = ("--type", "vipa-c10", "--set", "units=77", "--set", "set_date=2025-12-31", "--security", "mode5")
    out = json.loads(here("frame", "encode", *words, "--acc", "200", "--id", "12345678", "--json").stdout)
    again = json.loads(here("frame", "decode", out["telegram"], "--key", out["key"], "--json").stdout)
    assert (again["id"], again["acc"]) == ("12345678", 200)
    values = {r["dif_vif"]: r["value"] for r in again["records"]}
    assert (values["026E"], values["426C"]) == (77, "2025-12-31")
    assert here("frame", "encode", *words).stdout == here("frame", "encode", *words).stdout


def test_crcs_on_request(here: Here) -> None:
    given = here("frame", "decode", QUNDIS, "--json").stdout
    for crc, add in (("none", bytes), ("A", add_crcs_a), ("B", add_crcs_b)):
        made = here("frame", "encode", given, "--crc", crc).stdout.strip()
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
    ({**WHO, "records": [{"dif_vif": "0x", "value": 3}]}, "record 0: 1 hex digits, an odd number"),
    ({**WHO, "records": [{"dif_vif": "016E", "value": 300}]}, "record 0: 300 does not fit 1 bytes, signed"),
    ({**WHO, "records": [{"dif_vif": "016E", "value": 1e400}]}, "record 0: "),
    ({**WHO, "records": [{"dif_vif": "016E", "value": "3"}]}, "record 0: heat cost allocation is a number"),
    ({**WHO, "records": [{"dif_vif": "016E", "value": [3]}]}, "record 0: heat cost allocation is a number"),
    ({**WHO, "records": [{"dif_vif": "426C", "value": "31.12.2025"}]}, "'31.12.2025' is no date such as"),
    ({**WHO, "records": [{"dif_vif": "426C", "value": 5}]}, "record 0: 5 is no date or time of 2 bytes"),
    ({**WHO, "records": [{"hex": "zz"}]}, "record 0: 'z' is no hex digit"),
    ({**WHO, "records": [{"hex": "2f" * 300}]}, "more than 255"),
]


def test_what_cannot_be_encoded_is_said(here: Here) -> None:
    out = answers(here, [json.dumps(given).encode() for given, _ in WRONG], "encode", "--jsonl")
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
def test_one_that_cannot_be_encoded_is_exit_code_2(here: Here, text: str, says: str) -> None:
    assert says in refused(here, "encode", text)


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
def test_what_a_type_cannot_say(here: Here, words: list[str], says: str) -> None:
    assert says in refused(here, "encode", *words)
