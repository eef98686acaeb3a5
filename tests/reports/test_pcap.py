"""air.pcap as tshark, which knows nothing of our code but the Lua dissector, reads it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from reports.pcap import NOTE, AirPcap
from sim.core.clock import NS_PER_S, Calendar
from sim.core.events import Fate

LUA = Path(__file__).parents[2] / "reports" / "wireshark" / "wmbus.lua"
CALENDAR = Calendar(datetime(2026, 1, 12))  # noqa: DTZ001

# Field telegrams published in the test vectors of wmbusmeters (commit 4dedd717) and wireless-mbus-parser (c0d417f),
# and one built from the published layout of the Engelmann HCA e2. All without CRCs.
LSE_PLAIN = "294465324185990401087a0080000082046c7f018b046e210300046d1a0e6f0202fdac7e012301fd0c01"  # lse_08 test 0
TECHEM_MODE_5 = (  # fhkvdataiv test 0
    "4e4468507620541494087aad004005089d86b62a329b3439873999738f82461abde3c7ac78692b363f3b41eb68607f9c9160f550769b065b6"
    "ea00a2e44346e29ff5dc5cb86283c69324ad33d137f6f"
)
ENGELMANN_MODE_7 = (
    "4344c5140100005431088c2044900f002c25ec030000ac2855a0039961be7a440020071058a73564e7a6df9afad4992a4d1465bc76cfbcb30"
    "8f034f57c85e6c57f5516be"
)
RADIO_ADAPTER = (  # extendedLinkLayer.spec.ts: ELL III, AFL, long TPL header of the meter behind it
    "530824484433221103378e80753a63665544330a31900f002c25b30a0000af5d74df73a600d972785634129315330375002007109058475f4"
    "bc91df878b80a1b0f98b629024aac727942bfc549233c0140829b93"
)
KAMSTRUP_CTR = "21442d2c776655441b168d2079cc8c3a20f4307912c40dff00002f4e00003d010203"  # kamwater test 3
LSE_NO_HEADER = "48446532931045933408780b6e0000000dff5f2f0001d0807f1a08b06effff"


def write(path: Path, *telegrams: str) -> Path:
    with AirPcap(path, CALENDAR) as air:
        for k, telegram in enumerate(telegrams):
            air.write(k * NS_PER_S + 7, 1, Fate.RECEIVED, 0, 3, -7125, bytes.fromhex(telegram))
    return path


def tshark(path: Path, *arguments: str) -> str:
    program = shutil.which("tshark")
    assert program, "tshark is needed for these tests: apt-get install tshark"
    environment = {**os.environ, "HOME": str(path.parent), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [program, "-X", f"lua_script:{LUA}", "-r", str(path), *arguments],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Lua" not in done.stderr, done.stderr
    return done.stdout


def fields(path: Path, *names: str, show: str = "") -> list[list[str]]:
    wanted = [part for name in names for part in ("-e", f"wmbus.{name}")]
    rows = tshark(path, *(["-Y", show] if show else []), "-T", "fields", *wanted)
    return [row.split("\t") for row in rows.rstrip("\n").split("\n")]


def test_the_file_is_a_nanosecond_pcap_of_user_link_type(tmp_path: Path) -> None:
    content = write(tmp_path / "air.pcap", LSE_PLAIN).read_bytes()
    magic, major, minor, _, _, _, link = struct.unpack_from("<IHHiIII", content)
    assert (magic, major, minor, link) == (0xA1B23C4D, 2, 4, 147)
    assert struct.unpack_from("<IIII", content, 24) == (1768176000, 7, 50, 50)  # 2026-01-12T00:00:00.000000007Z
    assert content[40:48] == bytes([1, 1, 0, 0, 0, 3]) + struct.pack(">h", -7125)
    assert content[48:] == bytes.fromhex(LSE_PLAIN)


def test_tshark_shows_the_link_layer_and_the_pseudo_header(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcap", LSE_PLAIN)
    names = ("air.mode", "air.fate", "air.origin", "air.receiver", "air.rssi_dbm", "dll.length", "dll.control")
    assert fields(path, *names) == [["1", "0", "0", "3", "-71.25", "41", "0x44"]]
    assert fields(path, "dll.manufacturer", "dll.id", "dll.version", "dll.type") == [
        ["LSE", "04998541", "0x01", "0x08"]
    ]
    assert fields(path, "tpl.ci", "tpl.acc", "tpl.status", "tpl.mode") == [["0x7a", "0", "0x80", "0"]]


def test_tshark_shows_security_mode_and_blocks(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcap", TECHEM_MODE_5, ENGELMANN_MODE_7, KAMSTRUP_CTR, LSE_NO_HEADER)
    rows = fields(path, "dll.manufacturer", "dll.id", "tpl.mode", "tpl.blocks", "tpl.acc", "ell.encryption")
    assert rows == [
        ["TCH", "14542076", "5", "4", "173", ""],
        ["EFE", "54000001", "7", "2", "68", ""],
        ["KAM", "44556677", "", "", "", "1"],
        ["LSE", "93451093", "", "", "", ""],
    ]


def test_tshark_shows_counter_and_mac_of_the_authentication_layer(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcap", ENGELMANN_MODE_7)
    names = ("ell.acc", "afl.length", "afl.fcl", "afl.at", "afl.mcr", "afl.mac", "tpl.kdf", "tpl.key_id")
    assert fields(path, *names) == [["68", "15", "0x2c00", "5", "1004", "ac2855a0039961be", "1", "0"]]
    assert fields(path, "ciphertext")[0][0].startswith("58a73564")  # after the configuration extension 10


def test_tshark_shows_the_meter_behind_a_radio_adapter(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcap", RADIO_ADAPTER)
    assert fields(path, "dll.manufacturer", "dll.id", "dll.control") == [["RAD", "11223344", "0x08"]]
    assert fields(path, "tpl.id", "tpl.mode", "tpl.blocks", "afl.mcr") == [["12345678", "7", "2", "2739"]]


def test_clear_bytes_behind_encrypted_blocks_are_marked(tmp_path: Path) -> None:
    longer = "5c" + TECHEM_MODE_5[2:] + "426c" + "df2c" * 6
    path = write(tmp_path / "air.pcap", TECHEM_MODE_5, longer)
    assert fields(path, "clear", show="wmbus.tail") == [["426c" + "df2c" * 6]]


@pytest.mark.parametrize("length_bytes", [1, 9, 11, 14, 18, 30])
def test_a_cut_telegram_is_said_to_be_cut(tmp_path: Path, length_bytes: int) -> None:
    path = write(tmp_path / "air.pcap", ENGELMANN_MODE_7[: 2 * length_bytes])
    assert len(fields(path, "air.fate", show="wmbus.cut")) == 1
    assert "cut" in tshark(path)


def test_fates_are_filterable_and_named(tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    with AirPcap(path, CALENDAR) as air:
        for fate in Fate:
            air.write(int(fate), 2, fate, 1, int(fate), -9000, bytes.fromhex(LSE_PLAIN))
        air.write(9, 3, Fate.JAMMED, 1, 0, -99_999, b"")
    assert fields(path, "air.receiver", show="wmbus.air.fate == 5") == [["5"]]
    listing = tshark(path, "-V")
    for fate in Fate:
        assert f"Fate: {fate.label} ({int(fate)})" in listing
    assert "a burst" in tshark(path)


def test_what_the_limit_left_out_is_said_in_the_last_packet(tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    air = AirPcap(path, CALENDAR, limit_frames=2)
    for k in range(5):
        air.write(k, 1, 0, 0, 0, -5000, bytes.fromhex(LSE_PLAIN))
    air.close()
    air.close()
    assert (air.written, air.left_out) == (2, 3)
    assert path.read_bytes().count(bytes([NOTE, 0, 0, 0, 0, 0, 0, 0])) == 1
    assert fields(path, "air.note")[-1] == ["3 more frames were left out: limit of 2 reached"]
