"""Programs not written here, on either side of a line: rtl_433 prints what we read, wmbusmeters takes what we write."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import time
import tty
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.lines.codecs.port import ANSWER_S, CODECS
from sim.lines.reception import Reception, stamp
from sim.lines.recognise import read
from tests.bench.command_line import PATIENCE_S
from wmbus.phy import iq
from wmbus.phy.modes import MODES

FRAME = bytes.fromhex(
    "314493441234567835087a740000200b6e2701004b6e450100426c5f2ccb086e790000c2086c7f21326cffff046d200b7422"
)
ONE = Reception(FRAME, -71.0, stamp("2026-02-09T04:01:02"), mode="C1")
ACCESS_NUMBER = 11  # where CI 7A has it, behind the ten bytes of the data link and CI
METER = ["Kitchen", "auto", "78563412", "NOKEY"]
RATE_HZ = 1.6e6
WMBUSMETERS, RTL_433 = shutil.which("wmbusmeters"), shutil.which("rtl_433")
needs_wmbusmeters = pytest.mark.skipif(
    WMBUSMETERS is None, reason="allowed: wmbusmeters is not on the PATH; no package registry has it"
)


@pytest.mark.skipif(RTL_433 is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)")
@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("mode", ["T1", "C1A", "C1B"])
def test_what_rtl_433_prints_is_read(mode: str, form: str, tmp_path: Path) -> None:
    """Real lines, with its L and its last CRC; and ours are the same to the byte."""
    samples = iq.mix([iq.emission(FRAME, MODES[mode])], RATE_HZ, pad_s=0.05)
    noise = np.random.Generator(np.random.PCG64(7)).standard_normal((len(samples), 2)) @ (1, 1j)
    file = tmp_path / "air.cu8"
    file.write_bytes(iq.to_bytes((samples + noise * 0.02).astype(np.complex64), "cu8"))
    command = [str(RTL_433), "-s", "1600k", "-R", "104", "-R", "105", "-Y", "minmax", "-r", str(file), "-F", form]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
    (one,) = [got.what for got in read(printed)]
    assert isinstance(one, Reception), one
    assert (one.frame, one.mode, one.crc_ok) == (FRAME, f"{mode[0]}1", True)
    if mode != "C1B":
        assert CODECS.find("rtl_433-json").write(one).split(b'"data": "')[1].split(b'"')[0] == one.data.hex().encode()


@needs_wmbusmeters
@pytest.mark.parametrize(("name", "takes"), [("rtl_wmbus", "rtlwmbus"), ("rtl_433-csv", "rtl433"), ("hex", "hex")])
def test_wmbusmeters_takes_our_lines(name: str, takes: str) -> None:
    command = [str(WMBUSMETERS), "--format=json", f"stdin:{takes}", *METER]
    line = CODECS.find(name).write(ONE)
    out = subprocess.run(command, input=line, capture_output=True, timeout=PATIENCE_S, check=False).stdout
    (answer,) = [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]
    assert (answer["current_consumption_hca"], answer["set_date"]) == (127, "2018-12-31")
    if name == "rtl_wmbus":
        assert (answer["rssi_dbm"], answer["timestamp"]) == (-71, "2026-02-09T04:01:02Z")


def under(access_number: int) -> bytes:
    return FRAME[:ACCESS_NUMBER] + bytes([access_number]) + FRAME[ACCESS_NUMBER + 1 :]


@needs_wmbusmeters
@pytest.mark.parametrize(
    ("name", "modes"), [("im871a", "c1,t1"), ("amb8465", "c1,t1"), ("cul", "c1"), ("rc1180", "t1")]
)
def test_wmbusmeters_configures_our_dongle_and_takes_its_telegram(name: str, modes: str) -> None:
    """On a pseudo terminal, by its own commands; a telegram is sent when it has fallen silent, until one is printed.

    Each under an access number of its own: what wmbusmeters heard before its meter was set up it takes for handled when
    it comes again.
    """
    codec = CODECS.find(name)
    assert codec.dongle is not None
    dongle = codec.dongle()
    master, slave = pty.openpty()
    tty.setraw(slave)
    command = [str(WMBUSMETERS), "--format=json", f"{os.ttyname(slave)}:{name}:{modes}", *METER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            out = process.stdout.fileno()
            printed, asked, silences, sent = b"", 0, 0, 0
            while b"}\n" not in printed and silences < 60:
                ready, _, _ = select.select([master, out], [], [], 0.5)
                if out in ready:
                    printed += os.read(out, 65_536)
                if master in ready:
                    answer = dongle.feed(os.read(master, 4_096))
                    asked += 1
                    if answer:
                        time.sleep(ANSWER_S)
                    os.write(master, answer)
                if not ready:
                    silences += 1
                    if asked and silences % 3 == 0:
                        sent += 1
                        os.write(master, codec.write(replace(ONE, data=under(sent))))
        finally:
            process.terminate()
            os.close(master)
            os.close(slave)
    (answer,) = [json.loads(line) for line in printed.splitlines() if line.startswith(b"{")][:1]
    assert (answer["current_consumption_hca"], answer["set_date"]) == (127, "2018-12-31")
    if name in ("im871a", "amb8465"):
        assert answer["rssi_dbm"] == -71
    assert asked
