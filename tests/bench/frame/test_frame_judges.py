"""Sampled telegrams of every meter type, read by programs that nobody here wrote and held against the true values."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.frame.sample import samples
from sim.core.clock import NS_PER_DAY
from sim.core.seeds import Seeds
from sim.core.vocabulary import SECURITIES
from sim.meters.expected_records import stated
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.readers.value_names import TABLES, in_the_unit_of, said
from tests.bench.conftest import Here
from wmbus.as_json import json_value, to_json
from wmbus.explain import DEVICE_TYPES
from wmbus.link import add_crcs_a
from wmbus.telegram import begins_2f2f, parse, read

pymbusparser = pytest.importorskip("pymbusparser")

TYPES = sorted(kinds())
COUNT = 24
Sample = dict[str, Any]


@cache
def sampled(name: str, security: Any) -> list[Sample]:
    return list(samples(kinds()[name], security, COUNT, 5))


def test_types_of_four_classes_send_in_three_modes_under_both_headers() -> None:
    assert len(TYPES) >= 8
    headers, kinds_of_device = set(), set()
    for name in TYPES:
        assert set(kinds()[name].securities) == set(SECURITIES)
        for security in SECURITIES:
            for one in sampled(name, security):
                frame = bytes.fromhex(one["telegram"])
                reading = read(frame, None if one["key"] is None else bytes.fromhex(one["key"]))
                assert (reading.address.manufacturer, reading.address.id) == (one["manufacturer"], one["id"])
                assert (reading.telegram.acc, reading.telegram.sts) == (one["acc"], one["sts"])
                assert reading.unlocked.mac_ok is (True if security == "mode7" else None)
                assert reading.unlocked.counter == one["counter"]
                assert not begins_2f2f(frame)
                headers.add(reading.telegram.ci)
                kinds_of_device.add(DEVICE_TYPES[one["device_type"]])
    assert headers == {0x72, 0x7A}
    assert kinds_of_device == {"heat cost allocator", "water", "heat", "electricity"}


@pytest.mark.parametrize("security", SECURITIES)
def test_the_long_header_repeats_the_address_of_the_link_layer(security: Any) -> None:
    """RAM EURIS II: id before manufacturer behind CI 72, the other way round in the link layer."""
    for one in sampled("ram-euris-2", security):
        frame = bytes.fromhex(one["telegram"])
        at = parse(frame).transport.offset  # type: ignore[union-attr]
        assert frame[at] == 0x72
        assert frame[at + 1 : at + 5] == frame[4:8]
        assert frame[at + 5 : at + 7] == frame[2:4]
        assert frame[at + 7 : at + 9] == frame[8:10] == bytes((0x55, 0x08))
        assert frame[at + 9] == one["acc"]


@pytest.mark.parametrize("link", ["T1", "C1", "S1"])
def test_every_type_has_every_link_mode(link: Any) -> None:
    for name in TYPES:
        fleet = Fleet([FleetSpec(name, name, 1, link=link)], Seeds(1), start=datetime(2026, 2, 1, tzinfo=UTC))
        assert fleet.window(0, NS_PER_DAY).k.size > 90


# --- pymbusparser ----------------------------------------------------------------------------------------------

UNITS = {
    "m3": "m3", "W.h": "Wh", "Cel": "°C", "s": "s", "min": "min", "m3.h-1": "m3/h", "W": "W", "K": "K",
    "m3.h-1.h": "h", "V": "V",
}  # fmt: skip
DAY_31 = "takes day 31 of type F for 'every day'"
NO_DATE = "gives a date that is none as its parts"
UNIT_OF_ITS_OWN = "#"


def compared(one: Sample) -> list[str]:
    """The values of one telegram against pymbusparser's; what it is known to see in another way."""
    frame = bytes.fromhex(one["telegram"])
    seen = pymbusparser.parse(frame, key=bytes.fromhex(one["key"])) if one["key"] else pymbusparser.parse(frame)
    who = seen["meter"]["identity"]
    assert (who["id"], who["manufacturer_code"], who["version"]) == (one["id"], one["manufacturer"], one["version"])
    assert who["device_type_code"] == one["device_type"]
    if one["key"]:
        assert seen["security"]["decrypted_payload_hex"].startswith("2F2F")
    records = iter(seen["records"])
    differences = []
    for value in one["values"]:
        if not value["element"]:  # a profile is one record
            theirs = next(records)
            assert theirs["header_hex"].replace(" ", "") == value["dif_vif"]
            for name in ("storage_number", "tariff", "subunit"):
                assert theirs[name] == value[name], (theirs, value)
        differences.append(difference(theirs, value))
    assert next(records, None) is None
    return [x for x in differences if x]


def difference(theirs: dict[str, Any], value: dict[str, Any]) -> str:
    true, kind, said = value["value"], theirs["value"]["kind"], theirs["value"].get("value")
    if value["element"] is not None:
        # It shows a profile as text; the bytes it cut out are asked instead.
        width, coding = {0x72: (2, "bin"), 0x33: (3, "bin"), 0x3B: (3, "bcd")}[profile_control(theirs)]
        data = bytes.fromhex(theirs["data_hex"])[3:]
        raw = data[value["element"] * width : (value["element"] + 1) * width]
        number = int.from_bytes(raw, "little", signed=True) if coding == "bin" else int(raw[::-1].hex())
        assert number == true, (theirs, value)
        return ""
    if value["quantity"].startswith("date"):
        if isinstance(said, str):
            assert said == true, (theirs, value)
            return ""
        if true is None:
            return NO_DATE
        assert said["day"] == "every" and true[8:10] == "31", (theirs, value)
        return DAY_31
    if kind in ("decimal", "float"):
        number = float(true) if isinstance(true, str) else true  # an identification: it shows BCD as a number
        assert float(said) == pytest.approx(number, rel=1e-9), (theirs, value)
        unit = theirs.get("unit")
        assert unit is None or unit.startswith(UNIT_OF_ITS_OWN) or UNITS[unit] == value["unit"], (theirs, value)
        return ""
    assert said == true, (theirs, value)
    return ""


def profile_control(theirs: dict[str, Any]) -> int:
    return bytes.fromhex(theirs["data_hex"])[1]


@pytest.mark.parametrize("security", ["none", "mode5"])
@pytest.mark.parametrize("name", TYPES)
def test_pymbusparser_reads_the_true_values(name: str, security: Any) -> None:
    differences = [found for one in sampled(name, security) for found in compared(one)]
    assert set(differences) <= {DAY_31, NO_DATE}
    assert len(differences) < 24
    values = sum(len(one["values"]) for one in sampled(name, security))
    print(f"{name} {security}: {values} values of {COUNT} telegrams; {len(differences)} it sees in another way")


def test_a_wrong_value_would_be_seen() -> None:
    one = json.loads(json.dumps(sampled("vipa-c10", "mode5")[0]))
    one["values"][2]["value"] += 1
    with pytest.raises(AssertionError):
        compared(one)


# --- rtl_433 ---------------------------------------------------------------------------------------------------

RTL_433 = shutil.which("rtl_433")


@pytest.mark.skipif(RTL_433 is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)")
@pytest.mark.parametrize(
    ("name", "security", "mode"),
    [
        ("qundis-q-caloric", "none", "T1"),
        ("vipa-c10", "mode5", "C1A"),
        ("techem-radio-4", "mode7", "C1B"),
        ("ram-euris-2", "mode5", "T1"),
        # In mode 7 an S-mode transmission has more chips than rtl_433 keeps.
        ("qundis-q-water", "mode5", "S1"),
        ("engelmann-sensostar", "mode5", "S1M"),
    ],
)
def test_rtl_433_hears_sampled_telegrams(name: str, security: Any, mode: str, here: Here, tmp_path: Path) -> None:
    chosen = sampled(name, security)[:8]
    file = tmp_path / "air.cu8"
    done = here("frame", "iq", *(one["telegram"] for one in chosen), "--mode", mode, "--out", file)
    assert done.returncode == 0, done.stderr
    words = [RTL_433, "-s", "1600k", "-R", "104", "-R", "105", "-Y", "minmax", "-r", file, "-F", "json"]
    out = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)  # type: ignore[arg-type]
    heard = {(seen["M"], f"{seen['id']:08}", seen["mic"]) for seen in map(json.loads, out.stdout.splitlines())}
    sent = {(one["manufacturer"], one["id"], "CRC") for one in chosen}
    assert heard <= sent
    assert len(heard) >= 7


# --- wm-bus, of the npm registry -------------------------------------------------------------------------------

NUMBER = re.compile(r"-?\d+(\.\d+)?")
WM_BUS = "wm-bus@0.1.16"
SCRIPT = """
const { WMBUS } = require('wm-bus');
const pad = (n, w) => String(n).padStart(w || 2, '0');
const formatDate = (d, f) => f === 'hh:mm' ? pad(d.getHours()) + ':' + pad(d.getMinutes())
  : d.getFullYear() + '-' + pad(d.getMonth() + 1) + '-' + pad(d.getDate());
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { telegram, key, id } = JSON.parse(line);
  const receiver = new WMBUS({ log, formatDate });
  if (key) receiver.addAESKey(String(Number(id)), key);
  receiver.parseHex(telegram);
  const { errorcode, errormsg, manufacturer, afield_id, datablocks } = receiver;
  console.log(JSON.stringify({ errorcode, errormsg, manufacturer, id: afield_id, blocks: datablocks }));
});
"""


@pytest.fixture(scope="module")
def wm_bus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package in a folder of its own, without a lock file."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("allowed: node and npm are not on the PATH, so the npm package wm-bus is no judge here")
    folder = tmp_path_factory.mktemp("wm-bus")
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    words = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", WM_BUS]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip("allowed: npm has no registry here to install wm-bus from")
    (folder / "judge.js").write_text(SCRIPT, encoding="utf-8")
    return folder


@pytest.mark.parametrize("security", ["none", "mode5"])
@pytest.mark.parametrize("name", [name for name in TYPES if name != "ram-euris-2"])  # it stumbles over long headers
def test_wm_bus_reads_the_true_values(name: str, security: Any, wm_bus: Path) -> None:
    lines = [
        json.dumps({"telegram": add_crcs_a(bytes.fromhex(t["telegram"])).hex(), "key": t["key"], "id": t["id"]})
        for t in sampled(name, security)
    ]
    out = subprocess.run(
        ["node", "judge.js"], cwd=wm_bus, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60,
        env={**os.environ, "TZ": "UTC", "NODE_NO_WARNINGS": "1"}, check=True,
    )  # fmt: skip
    numbers = 0
    for one, text in zip(sampled(name, security), out.stdout.rstrip("\n").split("\n"), strict=True):
        seen = json.loads(text)
        assert (seen["manufacturer"], f"{int(seen['id']):08}") == (one["manufacturer"], one["id"]), seen
        for theirs, value in zip(seen["blocks"] or [], one["values"], strict=False):
            if value["element"] is not None:
                break  # it knows no profiles
            numbers += told(theirs, value)
    print(f"{name} {security}: {numbers} values of {COUNT} telegrams agree")
    assert numbers >= COUNT


def told(theirs: dict[str, Any], value: dict[str, Any]) -> bool:
    """Was there something to compare? It takes every number for unsigned, counts storages of a DIFE in its own way,
    shows dates a month late, letters of an LVAR as a number and the plain bytes behind a VIFE of the second level (FC),
    and loses the last block of a mode 5 telegram."""
    true, said = value["value"], theirs["value"]
    if len(value["dif_vif"]) == 4:
        assert theirs["storageNo"] == value["storage_number"], (theirs, value)
    if not NUMBER.fullmatch(str(said)) or value["quantity"] in ("date", "date and time", "fabrication number"):
        return False
    if "FC" in value["dif_vif"]:
        return False
    if not isinstance(true, (int, float)) or true < 0:
        return False
    assert float(said) == pytest.approx(true, rel=1e-6), (theirs, value)
    return True


# --- wmbusmeters -----------------------------------------------------------------------------------------------

WMBUSMETERS = shutil.which("wmbusmeters")


def expected(one: Sample) -> dict[str, Any]:
    """The true values as its JSON has them; no value left out."""
    true = {value["name"]: value for value in one["values"]}
    name = one["type"]
    assert name in TABLES["wmbusmeters"], f"say in sim/readers/value_names.py what wmbusmeters calls values of {name}"
    table = TABLES["wmbusmeters"][name]
    told = {name: in_the_unit_of(name, true[slot]["value"], true[slot]["unit"]) for name, slot in table.items()}
    return {name: value for name, value in told.items() if value is not None}


def test_the_names_of_its_drivers_fit_the_published_telegrams() -> None:
    """Without the program: on each type's published telegram the table gives the values published with it."""
    path = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"
    published = {line["hex"].lower(): line for line in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
    compared_values = 0
    for name in TYPES:
        assert kinds()[name].examples, f"{name} has no published telegram; keep it in your own repository"
        example = kinds()[name].examples[0]
        assert example.telegram.lower() in published, f"{path.name} has not the published telegram of {name}"
        wanted = published[example.telegram.lower()]["expected"]
        values = [
            {"name": one.slot.label, "unit": one.chain.unit, "value": json_value(value)}
            for one, value in stated(kinds()[name], example.expected)
        ]
        for field, value in expected({"type": name, "values": values}).items():
            if field in wanted and not str(wanted[field]).startswith("2127"):  # "every year", which is no date here
                assert wanted[field] == (pytest.approx(value) if isinstance(value, float) else value), (name, field)
                compared_values += 1
    assert compared_values >= 80


def test_a_type_without_names_of_its_values_is_said() -> None:
    with pytest.raises(AssertionError, match=r"value_names\.py what wmbusmeters calls values of their-meter"):
        expected({"type": "their-meter", "values": []})


def test_both_versions_of_a_driver_are_understood() -> None:
    """Published telegrams of one meter type, some with the names of qwater and some with those of qwaterv2: each name
    stands for the record that we read under it."""
    fields = {
        "total_m3": ("volume", 0), "due_date": ("date", 1), "due_date_m3": ("volume", 1), "due_17_date": ("date", 17),
        "due_17_date_m3": ("volume", 17),
    }  # fmt: skip
    path = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"
    compared_in = {"qwater": 0, "qwaterv2": 0}
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        if line["meter_type"] not in compared_in or "0dff5f" in line["hex"]:
            continue
        found = to_json(bytes.fromhex(line["hex"]), accept_already_decrypted=True).get("records", [])
        ours = {
            (r["quantity"], r["storage_number"]): r["value"] for r in found if r["function"] == "instantaneous"
        }  # fmt: skip
        for field, place in fields.items():
            if ours.get(place) is not None:
                assert said(line["expected"], field) == pytest.approx(ours[place]), (field, line["expected"])
                compared_in[line["meter_type"]] += 1
    assert min(compared_in.values()) >= 8, compared_in


@pytest.mark.skipif(WMBUSMETERS is None, reason="allowed: wmbusmeters is not on the PATH; no package registry has it")
@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("name", TYPES)
def test_wmbusmeters_reads_the_true_values(name: str, security: Any) -> None:
    lines = []
    for one in sampled(name, security):
        line = {"_": "decode", "telegram": one["telegram"], "driver": "auto"}
        lines.append(json.dumps(line | ({"key": one["key"]} if one["key"] else {})))
    words = [str(WMBUSMETERS), "--format=json", "stdin:jsonl"]
    out = subprocess.run(words, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=False)
    answers = [json.loads(x) for x in out.stdout.splitlines() if x.startswith("{")]
    assert len(answers) == COUNT, out.stderr
    for got, one in zip(answers, sampled(name, security), strict=True):
        assert got["id"] == one["id"]
        for field, value in expected(one).items():
            assert said(got, field) == (pytest.approx(value) if isinstance(value, float) else value), (field, got)
