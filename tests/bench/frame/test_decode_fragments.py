"""`frame decode`: fragments of security mode 13 are named, joined and shown as the message that they make."""

from __future__ import annotations

import json

from tests.bench.conftest import Here
from wmbus import mode13
from wmbus.link import Address

FRONT = bytes((0x08,)) + Address("WMB", "63000001", 1, 2).wire() + bytes.fromhex("8c0007")
STREAM = bytes.fromhex("1603030004") + bytes.fromhex("0e000000") + bytes.fromhex("140303000101")
FRAMES = [one.hex() for one in mode13.frames_of(FRONT, mode13.body_of(STREAM, 9, mode13.CI_TLS_SHORT), 9)]


def test_fragments_are_joined_for_people(here: Here) -> None:
    done = here("frame", "decode", *FRAMES)
    assert done.returncode == 0, done.stdout
    assert "WMB 63000001, version 1, electricity; fragment 1, security mode13; 29 bytes" in done.stdout
    assert "goes on in later fragments" in done.stdout
    assert "message of 3 fragments; security mode13; 41 bytes" in done.stdout
    assert "TLS 1.2 handshake: server hello done, 4 bytes" in done.stdout
    assert "TLS 1.2 change cipher spec, 1 bytes" in done.stdout


def test_fragments_are_joined_for_programs(here: Here) -> None:
    done = here("frame", "decode", "--json", *FRAMES)
    *parts, whole = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["afl"]["fragment"] for one in parts] == [1, 2, 3]
    assert whole["joined"] == 3 and whole["security"] == "mode13"
    assert [one["kind"] for one in whole["tls"]["records"]] == ["handshake", "change cipher spec"]


def test_a_gap_is_named_and_a_fragment_alone_is_refused(here: Here) -> None:
    done = here("frame", "decode", FRAMES[0], FRAMES[2])
    assert done.returncode == 1
    assert "no message: fragment: fragment 3 where 2 was due" in done.stdout
    assert here("frame", "decode", FRAMES[1]).returncode == 1
