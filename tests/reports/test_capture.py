"""air.pcapng as tshark, which knows nothing of our code but the Lua dissector, reads it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from reports.capture import AIR, NOTE, BadCapture, Capture, Extent, comment, extents, packets
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
    with Capture(path, CALENDAR) as air:
        for k, telegram in enumerate(telegrams):
            air.frame(k * NS_PER_S + 7, 1, Fate.RECEIVED, 0, 3, -7125, bytes.fromhex(telegram))
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


def test_a_packet_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcapng", LSE_PLAIN)
    (packet,) = packets(path)
    assert (packet.number, packet.interface, packet.comment) == (1, 0, "")
    assert packet.unix_ns == 1_768_176_000_000_000_007  # 2026-01-12T00:00:00.000000007Z
    assert packet.time_ns == 7
    assert packet.body[:8] == bytes([1, 1, 0, 0, 0, 3]) + struct.pack(">h", -7125)
    assert packet.telegram == bytes.fromhex(LSE_PLAIN)
    assert not packet.is_attack
    times = tshark(path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name").split()
    assert times[1] == "air"
    assert times[0].replace("2026-01-12T00:00:00", "1768176000").rstrip("Z") == "1768176000.000000007"


def test_the_brokers_side_is_an_interface_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "air.pcapng"
    with Capture(path, CALENDAR) as air:
        air.frame(1, 1, Fate.RECEIVED, 0, 3, -7125, bytes.fromhex(LSE_PLAIN))
        air.message(2, "gw/a/up", b'{"v":1,"gw":"a"}')
        air.message(3, "gw/\xfc/up", b"\xff\x00 not JSON")
        air.message(4, "gw/a/up", b"")
    rows = tshark(path, "-T", "fields", "-e", "frame.interface_name", "-e", "wmbench_mqtt.topic",
                  "-e", "wmbench_mqtt.payload").splitlines()  # fmt: skip
    assert [row.split("\t") for row in rows] == [
        ["air", "", ""], ["broker", "gw/a/up", b'{"v":1,"gw":"a"}'.hex()],
        ["broker", "gw/\xfc/up", b"\xff\x00 not JSON".hex()], ["broker", "gw/a/up", ""],
    ]  # fmt: skip
    assert "no TCP and no TLS" in path.read_bytes().decode(errors="replace")
    assert [packet.payload for packet in packets(path)] == [b"", b'{"v":1,"gw":"a"}', b"\xff\x00 not JSON", b""]


def attacks_in(path: Path) -> list[int]:
    """Numbers of the packets that an attacker sent."""
    return [packet.number for packet in packets(path) if packet.is_attack]


def test_comments_are_put_on_the_packets_that_matter_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "air.pcapng"
    with Capture(path, CALENDAR) as air:
        for k in range(3):
            air.frame(k, 1, 0, k & 1, 0, -5000, bytes.fromhex(LSE_PLAIN))
    plain = path.read_bytes()
    comment(path, {number: f"attack \xfc {number}" for number in attacks_in(path)})
    assert tshark(path, "-T", "fields", "-e", "frame.comment").splitlines() == ["", "attack \xfc 2", ""]
    comment(path, dict.fromkeys(attacks_in(path), "x" * 5_000))
    assert [len(packet.comment) for packet in packets(path)] == [0, 1_000, 0]
    comment(path, {})
    assert path.read_bytes() == plain


def test_another_file_is_refused_and_a_cut_one_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcapng", LSE_PLAIN, TECHEM_MODE_5)
    path.write_bytes(path.read_bytes()[:-10])
    assert [packet.telegram.hex() for packet in packets(path)] == [LSE_PLAIN]
    path.write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(20))
    with pytest.raises(BadCapture, match="no pcapng"):
        list(packets(path))


def test_tshark_shows_the_link_layer_and_the_pseudo_header(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcapng", LSE_PLAIN)
    names = ("air.mode", "air.fate", "air.origin", "air.receiver", "air.rssi_dbm", "dll.length", "dll.control")
    address = ("dll.manufacturer", "dll.id", "dll.version", "dll.type")
    (row,) = fields(path, *names, *address, "tpl.ci", "tpl.acc", "tpl.status", "tpl.mode")
    assert row[:7] == ["1", "0", "0", "3", "-71.25", "41", "0x44"]
    assert row[7:11] == ["LSE", "04998541", "0x01", "0x08"]
    assert row[11:] == ["0x7a", "0", "0x80", "0"]


def test_tshark_shows_security_mode_and_blocks(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcapng", TECHEM_MODE_5, ENGELMANN_MODE_7, KAMSTRUP_CTR, LSE_NO_HEADER)
    rows = fields(path, "dll.manufacturer", "dll.id", "tpl.mode", "tpl.blocks", "tpl.acc", "ell.encryption")
    assert rows == [
        ["TCH", "14542076", "5", "4", "173", ""],
        ["EFE", "54000001", "7", "2", "68", ""],
        ["KAM", "44556677", "", "", "", "1"],
        ["LSE", "93451093", "", "", "", ""],
    ]


def test_tshark_shows_counter_and_mac_of_the_authentication_layer(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcapng", ENGELMANN_MODE_7)
    names = ("ell.acc", "afl.length", "afl.fcl", "afl.at", "afl.mcr", "afl.mac", "tpl.kdf", "tpl.key_id")
    ((*row, ciphertext),) = fields(path, *names, "ciphertext")
    assert row == ["68", "15", "0x2c00", "5", "1004", "ac2855a0039961be", "1", "0"]
    assert ciphertext.startswith("58a73564")  # after the configuration extension 10


def test_tshark_shows_the_meter_behind_a_radio_adapter(tmp_path: Path) -> None:
    path = write(tmp_path / "air.pcapng", RADIO_ADAPTER)
    names = ("dll.manufacturer", "dll.id", "dll.control", "tpl.id", "tpl.mode", "tpl.blocks", "afl.mcr")
    assert fields(path, *names) == [["RAD", "11223344", "0x08", "12345678", "7", "2", "2739"]]


def test_clear_bytes_behind_encrypted_blocks_are_marked(tmp_path: Path) -> None:
    longer = "5c" + TECHEM_MODE_5[2:] + "426c" + "df2c" * 6
    path = write(tmp_path / "air.pcapng", TECHEM_MODE_5, longer)
    assert fields(path, "clear", show="wmbus.tail") == [["426c" + "df2c" * 6]]


CUT_AT = [1, 9, 11, 14, 18, 30]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What tshark makes of a capture with a telegram of each of these lengths and a whole one: the numbers of
    the packets that it finds by `wmbus.cut`, and its list of all."""
    lengths = [*(2 * length_bytes for length_bytes in CUT_AT), len(ENGELMANN_MODE_7)]
    path = write(tmp_path_factory.mktemp("cut") / "air.pcapng", *(ENGELMANN_MODE_7[:length] for length in lengths))
    return tshark(path, "-Y", "wmbus.cut", "-T", "fields", "-e", "frame.number").split(), tshark(path).splitlines()


@pytest.mark.parametrize("length_bytes", CUT_AT)
def test_a_cut_telegram_is_said_to_be_cut(cut: tuple[list[str], list[str]], length_bytes: int) -> None:
    found, listed = cut
    number = CUT_AT.index(length_bytes) + 1
    assert found.count(str(number)) == 1
    assert "cut" in listed[number - 1]
    assert len(listed) == len(CUT_AT) + 1 and str(len(listed)) not in found, "the whole one is not cut"


def test_fates_are_filterable_and_named(tmp_path: Path) -> None:
    path = tmp_path / "air.pcapng"
    with Capture(path, CALENDAR) as air:
        for fate in Fate:
            air.frame(int(fate), 2, fate, 1, int(fate), -9000, bytes.fromhex(LSE_PLAIN))
        air.frame(9, 3, Fate.JAMMED, 1, 0, -99_999, b"")
    assert fields(path, "air.receiver", show="wmbus.air.fate == 5") == [["5"]]
    listing = tshark(path, "-V")
    for fate in Fate:
        assert f"Fate: {fate.label} ({int(fate)})" in listing
    assert "a burst" in tshark(path)


def test_what_the_limit_left_out_is_said_in_the_last_packet(tmp_path: Path) -> None:
    path = tmp_path / "air.pcapng"
    air = Capture(path, CALENDAR, limit_packets=2)
    for k in range(5):
        air.frame(k, 1, 0, 0, 0, -5000, bytes.fromhex(LSE_PLAIN))
    air.close()
    air.close()
    assert (air.written, air.left_out) == (2, 3)
    assert path.read_bytes().count(bytes([NOTE, 0, 0, 0, 0, 0, 0, 0])) == 1
    assert fields(path, "air.note")[-1] == ["3 more packets were left out: a limit was reached"]


def test_the_section_says_how_far_each_interface_goes(tmp_path: Path) -> None:
    path = tmp_path / "air.pcapng"
    telegram = bytes.fromhex(LSE_PLAIN)
    with Capture(path, CALENDAR, limit_packets=4) as air:
        air.frame(2 * NS_PER_S, 1, 0, 0, 0, -5000, telegram)
        air.frame(5 * NS_PER_S + 1, 1, 0, 0, 0, -5000, telegram)
        air.message(6 * NS_PER_S, "gw/a/up", b"{}")
        air.leave_out(AIR, [8 * NS_PER_S, 7 * NS_PER_S], "2 receptions of meters' frames")
        air.leave_out(AIR, [], "nothing")
        air.frame(9 * NS_PER_S, 1, 0, 1, 0, -5000, telegram)  # an attacker's: no part of the extent
        air.message(10 * NS_PER_S, "gw/a/up", b"{}", keep=True)
        assert extents(path) == []  # not closed
    on_air, at_broker = extents(path)
    assert on_air == ("air", "2 receptions of meters' frames", 2, 2 * NS_PER_S, 5 * NS_PER_S + 1, 2, 7 * NS_PER_S,
                      8 * NS_PER_S)  # fmt: skip
    assert at_broker == Extent("broker", kept=1, first_ns=6 * NS_PER_S, last_ns=6 * NS_PER_S)
    before = path.read_bytes()
    comment(path, dict.fromkeys(attacks_in(path), "x"))
    assert extents(path) == [on_air, at_broker]
    assert [packet.time_ns for packet in packets(path)][:2] == [2 * NS_PER_S, 5 * NS_PER_S + 1]
    comment(path, {})
    assert path.read_bytes() == before


def test_the_limit_of_all_packets_is_named_and_an_empty_capture_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "air.pcapng"
    with Capture(path, CALENDAR, limit_packets=1) as air:
        for k in range(3):
            air.message(k, "gw/a/up", b"{}")
    assert [str(extent) for extent in extents(path)] == [
        "air: whole: 0 kept",
        "broker: cut at 1 packets: 1 kept, t = 0.000000000 s to 0.000000000 s; 2 left out, t = 0.000000001 s to "
        "0.000000002 s",
    ]
    with Capture(path, CALENDAR) as air:
        air.message(7, "gw/a/up", b"{}")
        air._file.flush()
        assert "not closed" in path.read_bytes().decode(errors="replace")


def test_capinfos_shows_the_sections_comments(tmp_path: Path) -> None:
    program = shutil.which("capinfos")
    if program is None:
        pytest.skip("allowed: capinfos, of Wireshark, is not on the PATH")
    path = write(tmp_path / "air.pcapng", LSE_PLAIN)
    done = subprocess.run([program, "-k", str(path)], capture_output=True, text=True, timeout=60, check=True)
    said = done.stdout
    assert "world time 0 is this Unix time in ns" in said
    assert "air: whole: 1 kept, t = 0.000000007 s to 0.000000007 s" in said
    assert "broker: whole: 0 kept" in said
