"""Scapy's reading of our frames, from the standard's tables, beside `wmbus`: the same bytes back, the same fields."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from scapy.utils import RawPcapNgReader

from bench.rig.pcap_tap import AirLog
from reports.capture import AIR_LINK_TYPE, BROKER_LINK_TYPE, NOTE
from sim.core.clock import NS_PER_S
from sim.world import World
from tests.small_worlds import dozen
from tests.witnesses.scapy_wmbus import Afl, Dll, Ell, Record, Records, Tpl, again
from tests.wmbus.published import CUT_RECORDS, NO_KEY, PROPRIETARY, REFUSED, Published, telegrams
from wmbus import transport
from wmbus.dissect import Telegram, parse
from wmbus.link import Address
from wmbus.receiver import unlock
from wmbus.records import parse_records


def address(layer: Dll | Tpl) -> str:
    # Bit 15 marks an address that is not unique worldwide; wmbus shows it as a small first letter.
    letters = chr((layer.M >> 10) + 64) + "".join(chr((layer.M >> shift & 31) + 64) for shift in (5, 0))
    return f"{letters} {layer.ID:08X} {layer.version:02X} {layer.type:02X}"


def same_layers(frame: bytes, ours: Telegram) -> None:
    """Each field that both have."""
    packet = Dll(frame)
    assert (len(frame) - 1, ours.c_field) == (packet.L, packet.C)
    assert address(packet) == str(ours.link_address)
    assert (Ell in packet, Afl in packet, Tpl in packet) == (
        ours.ell is not None, ours.afl is not None, ours.transport is not None
    )  # fmt: skip
    if ours.ell is not None:
        ell = packet[Ell]
        assert (
            ours.ell.ci, ours.ell.cc, ours.ell.acc, ours.ell.sn, ours.ell.crc
        ) == (ell.CI, ell.CC, ell.ACC, ell.SN, ell.CRC)  # fmt: skip
        if ours.ell.receiver is not None:
            wire = struct.pack("<HIBB", ell.M2, ell.ID2, ell.version2, ell.type2)
            assert Address.from_wire(wire) == ours.ell.receiver
    if ours.afl is not None:
        afl = packet[Afl]
        assert (afl.fragment_id, bool(afl.more)) == (ours.afl.fragment, ours.afl.more_fragments)
        assert (
            ours.afl.mcl, ours.afl.ki, ours.afl.mcr, ours.afl.mac, ours.afl.ml
        ) == (afl.MCL, afl.KI, afl.MCR, afl.MAC, afl.ML)  # fmt: skip
    if ours.transport is not None:
        tpl = packet[Tpl]
        assert (ours.transport.ci, ours.transport.acc, ours.transport.sts) == (tpl.CI, tpl.ACC, tpl.STS)
        if ours.transport.cfg is not None:
            assert (tpl.mode, tpl.blocks) == (ours.transport.mode, ours.transport.encrypted_blocks)
            extension = ours.transport.ext[0] if ours.transport.ext else 0
            assert (tpl.KDF or 0, tpl.key_id or 0) == (ours.transport.kdf, extension & 15)
        assert tpl.counter == ours.transport.counter
        if ours.transport.address is not None:
            assert address(tpl) == str(ours.transport.address)
    assert not ours.payload or bytes(packet.lastlayer()) == ours.payload
    assert again(packet) == frame


@pytest.mark.parametrize("line", telegrams(), ids=str)
def test_the_layers_of_published_telegrams(line: Published) -> None:
    same_layers(line.frame, parse(line.frame))


def same_records(plaintext: bytes) -> int:
    ours = [one for one in parse_records(plaintext, strict=False) if one.quantity != "manufacturer data"]
    packet = Records(plaintext)
    assert len(packet.records) == len(ours)
    for theirs, one in zip(packet.records, ours, strict=True):
        assert bytes(theirs) == one.wire()
        assert (theirs.storage, theirs.tariff, theirs.subunit) == (one.storage, one.tariff, one.subunit)
        assert ("instantaneous", "maximum", "minimum", "error")[theirs.function] == one.function
        number, chain = theirs.number, one.chain
        if number is not None and isinstance(one.value, (int, float)) and not isinstance(one.value, bool):
            if not chain.signed and number < 0:
                number += 1 << 8 * len(theirs.value)
            assert one.value == pytest.approx(number * 10**chain.exponent)
    assert again(packet) == plaintext
    return len(ours)


def test_the_records_of_published_telegrams() -> None:
    ran = read = 0
    for line in telegrams():
        telegram = parse(line.frame)
        if line.line in NO_KEY or line.line in REFUSED or line.line in PROPRIETARY or line.line in CUT_RECORDS:
            continue
        if telegram.ci in transport.MANUFACTURER:
            continue
        unlocked = unlock(
            telegram, line.key, accept_already_decrypted=line.already_decrypted, accept_clear_tail=True
        )  # fmt: skip
        if unlocked.telegram.ci in transport.RECORDS:
            read += same_records(unlocked.plaintext)
            ran += 1
    assert ran >= 250 and read > 2_000


def test_frames_on_the_air_of_a_small_world(tmp_path: Path) -> None:
    """Twelve meters in three security modes, through air.pcapng."""
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        log = AirLog(world, tmp_path / "air.pcapng")
        world.run(300 * NS_PER_S)
        log.close()
    modes, records = set(), 0
    published = 0
    with RawPcapNgReader(str(tmp_path / "air.pcapng")) as packets:
        for raw, about in packets:
            if about.linktype == BROKER_LINK_TYPE:
                published += raw[2:].startswith(b"gw/")
                continue
            assert about.linktype == AIR_LINK_TYPE and raw[0] != NOTE
            frame = raw[8:]
            ours = parse(frame)
            same_layers(frame, ours)
            modes.add(ours.mode)
            key = next(world.fleet.key(meter) for meter in range(world.fleet.n)
                       if world.fleet.address(meter) == ours.address)  # fmt: skip
            records += same_records(unlock(ours, key).plaintext)
    assert modes == {0, 5, 7} and records > 100 and published >= 20


def test_a_chain_with_everything() -> None:
    """Two DIFEs, VIF with text, VIFEs, LVAR: no published telegram has all of it."""
    raw = bytes.fromhex("CD9142" + "FC03" + "616263" + "AE22" + "02" + "4142")
    (record,) = Records(raw).records
    assert isinstance(record, Record)
    assert (record.storage, record.tariff, record.subunit) == (1 | 1 << 1 | 2 << 5, 1, 2)
    assert same_records(raw) == 1
