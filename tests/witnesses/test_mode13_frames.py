"""Fragments of security mode 13 before programs that nobody here wrote: rtl_433 hears each as a frame with right CRCs,
wmbusmeters names the bits of the AFL's control fields as they are meant."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bench.command_line import Rig
from wmbus import mode13
from wmbus.link import Address

METER = Address("WMB", "63000001", 1, 2)
STREAM = bytes.fromhex("1603030140") + bytes(range(256)) + bytes(64)


def fragments(c_field: int, part_bytes: int = 150) -> list[bytes]:
    front = bytes((c_field,)) + METER.wire() + bytes.fromhex("8c0007")
    return mode13.frames_of(front, mode13.body_of(STREAM, 9, mode13.CI_TLS_SHORT), part_bytes)


@pytest.mark.skipif(shutil.which("rtl_433") is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)")
def test_rtl_433_hears_every_fragment(tmp_path: Path) -> None:
    frames = fragments(0x08)
    file = tmp_path / "air.cu8"
    done = Rig(tmp_path).run("frame", "iq", *(one.hex() for one in frames), "--mode", "T1", "--out", file)
    assert done.returncode == 0, done.stderr
    words = ["rtl_433", "-s", "1600k", "-R", "104", "-R", "105", "-Y", "minmax", "-r", str(file), "-F", "json"]
    out = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    heard = [json.loads(line) for line in out.stdout.splitlines()]
    assert [(one["mic"], one["data_length"]) for one in heard] == [("CRC", len(frame)) for frame in frames]
    # Its `data` has L less 2 in front, and two bytes of CRC behind.
    assert [one["data"][2:-4] for one in heard] == [frame.hex()[2:] for frame in frames]


@pytest.mark.skipif(
    shutil.which("wmbusmeters") is None,
    reason="allowed: wmbusmeters is a foreign program, tried where it is on the PATH",
)
def test_wmbusmeters_names_the_control_fields() -> None:
    first, _, last = fragments(0x44)  # of other C fields it does not say what it reads
    said = []
    for frame in (first, last):
        done = subprocess.run(["wmbusmeters", "--analyze", frame.hex()], capture_output=True, text=True, timeout=60)
        said.append(done.stdout + done.stderr)
    assert "afl-fc (1 MessLenInFragment MessControlInFragment MoreFragments)" in said[0]
    assert "afl-mcl (NoAuth MessLen)" in said[0]
    assert "afl-fc (3 " in said[1] and "MoreFragments" not in said[1]
