"""Link layer: CRC, address, frame formats A and B against published telegrams."""

import pytest
from published import telegrams

from wmbus import link
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address


def test_crc_of_the_check_string():
    assert link.crc16(b"123456789") == 0xC2B7


def test_address_of_a_published_telegram():
    vip = Address("VIP", "23701267", 0x1E, 8)
    assert vip.wire() == bytes.fromhex("3059671270231e08")
    assert Address.from_wire(vip.wire()) == vip
    assert str(vip) == "VIP 23701267 1E 08"


@pytest.mark.parametrize("bad", [("vip", "23701267"), ("VI", "23701267"), ("VIP", "2370126"), ("VIP", "2370126X")])
def test_an_address_that_has_no_bytes(bad):
    with pytest.raises(CannotEncode):
        Address(bad[0], bad[1], 1, 8).wire()


def test_every_published_address():
    for t in telegrams():
        address = Address.from_wire(t.frame[2:10])
        assert address.manufacturer.upper() == t.record["manufacturer"], t
        assert address.wire() == t.frame[2:10], t
        assert address.id.lower() == t.record["id"].lower(), t
        assert f"{address.version:02x}" == t.record["version"], t
        assert f"{address.device_type:02x}" == t.record["device_type"], t


def test_published_frames_with_crcs_strip_and_come_back():
    seen = {"A": 0, "B": 0}
    for t in telegrams():
        for fmt, add, strip in (
            ("A", link.add_crcs_a, link.strip_crcs_a),
            ("B", link.add_crcs_b, link.strip_crcs_b),
        ):
            if f"format {fmt}" not in t.record["kind"]:
                continue
            assert link.frame_format(t.wire) == fmt
            frame = strip(t.wire)
            assert add(frame) == t.wire
            assert link.strip_crcs(t.wire) == frame
            if t.record.get("hex_no_crc"):
                assert frame.hex() == t.record["hex_no_crc"]
            seen[fmt] += 1
    print(f"format A: {seen['A']}, format B: {seen['B']} published frames")
    assert seen == {"A": 12, "B": 10}


@pytest.mark.parametrize("fmt", ["A", "B"])
def test_one_flipped_bit_anywhere_is_a_crc_error_or_a_length_error(fmt):
    t = next(t for t in telegrams() if f"format {fmt}" in t.record["kind"])
    strip = link.strip_crcs_a if fmt == "A" else link.strip_crcs_b
    for bit in range(8 * len(t.wire)):
        broken = bytearray(t.wire)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadTelegram) as refused:
            strip(bytes(broken))
        assert refused.value.reason in (Reason.CRC, Reason.LENGTH_MISMATCH, Reason.TOO_SHORT)


@pytest.mark.parametrize("l_field", [10, 24, 25, 26, 41, 42, 62, 126, 127, 251])
def test_both_formats_at_block_edges(l_field):
    frame = bytes([l_field]) + bytes(n & 255 for n in range(l_field))
    a = link.add_crcs_a(frame)
    assert len(a) == link.length_a(l_field)
    assert link.strip_crcs_a(a) == frame
    assert link.strip_crcs_b(link.add_crcs_b(frame)) == frame


def test_length_must_match():
    with pytest.raises(BadTelegram) as refused:
        link.check_length(bytes.fromhex("0b44b40990121319130778"))
    assert refused.value.reason is Reason.LENGTH_MISMATCH
    with pytest.raises(BadTelegram) as refused:
        link.check_length(b"\x01\x44")
    assert refused.value.reason is Reason.TOO_SHORT
    with pytest.raises(CannotEncode):
        link.add_crcs_a(b"\x05\x44")
    with pytest.raises(CannotEncode):
        link.add_crcs_b(bytes([253]) + bytes(253))
