"""Security mode 13: what is encoded is read by a parser of other words; what cannot be is refused with its byte."""

from __future__ import annotations

import contextlib
import random
import ssl

import pytest

from tests.oracles.mode13_in_words import message_in_words
from wmbus import mode13, tls_records
from wmbus.as_json import message_json, to_json
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.explain import annotate, notes_of
from wmbus.fragments import Reassembly
from wmbus.link import Address
from wmbus.receiver import unlock

METER = Address("WMB", "63000001", 1, 2)
FRONT = bytes((0x08,)) + METER.wire() + bytes.fromhex("8c0007")
APPLIED = bytes.fromhex("1703030020") + bytes(range(32))


def client_hello() -> bytes:
    """Of OpenSSL, TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    out = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


HELLO = client_hello()


def sent(stream: bytes = HELLO, part_bytes: int = 90, ci: int = mode13.CI_TLS_SHORT, **fill: int) -> list[bytes]:
    address = METER if ci == mode13.CI_TLS_TO_METER else None
    return mode13.frames_of(FRONT, mode13.body_of(stream, 9, ci, address, **fill), part_bytes)


def joined(frames: list[bytes]) -> Telegram:
    reassembly = Reassembly()
    for frame in frames[:-1]:
        assert reassembly.add(parse(frame)) is None
    whole = reassembly.add(parse(frames[-1]))
    assert whole is not None
    return whole


def refused(frames: list[bytes]) -> BadTelegram:
    with pytest.raises(BadTelegram) as error:
        mode13.message_of(joined(frames))
    return error.value


@pytest.mark.parametrize("part_bytes", [1, 7, 90, 200])
@pytest.mark.parametrize("ci", [mode13.CI_TLS_SHORT, mode13.CI_TLS_TO_METER])
def test_frames_are_read_by_a_parser_of_other_words(part_bytes: int, ci: int) -> None:
    if part_bytes == 1 and len(HELLO) + 16 > 255:
        part_bytes = 2
    frames = sent(part_bytes=part_bytes, ci=ci, fill=3)
    said = message_in_words(frames)
    assert (said["mode"], said["kind"], said["acc"], said["ci"]) == (13, 1, 9, ci)
    assert said["records"] == [(22, len(HELLO) - 5)] and said["fill"] == 3
    assert ("to" in said) == (ci == mode13.CI_TLS_TO_METER)
    message = mode13.message_of(joined(frames))
    assert message.stream == HELLO
    assert [one.kind for one in message.records[0].messages] == [tls_records.CLIENT_HELLO]


def test_one_frame_is_no_fragment_and_a_long_message_says_255() -> None:
    (frame,) = sent(APPLIED, 200, ci=0x7A)
    said = message_in_words([frame])
    assert said["numbers"] == [0] and said["records"] == [(23, 32)] and said["ci"] == 0x7A
    long = APPLIED[:3] + (600).to_bytes(2, "big") + bytes(600)
    assert message_in_words(sent(long, 200, ci=0x7A))["length"] == 605 + 6
    assert mode13.message_of(joined(sent(long, 200, ci=0x7A))).stream == long


def test_a_channel_is_asked_for_without_a_byte_of_tls() -> None:
    (frame,) = mode13.frames_of(FRONT, mode13.asks_for_channel(4), 200)
    said = message_in_words([frame])
    assert (said["mode"], said["kind"], said["records"]) == (13, 0, [])
    assert mode13.message_of(parse(frame)) == (mode13.CHANNEL, (), b"")
    broken = bytearray(frame)
    broken[-2] = 13
    broken[-3] = 5
    assert refused([bytes(broken)]).reason is Reason.BAD_HEADER


def test_missing_moved_repeated_and_foreign_fragments_are_refused() -> None:
    frames = sent(part_bytes=40)
    assert len(frames) > 4
    other = [frame[:4] + b"\x99" + frame[5:] for frame in frames]
    for order in ([0, 2], [0, 1, 1], [1], [0, 1, 3, 2], [0, 1, 0, 2]):
        *before, last = order
        reassembly = Reassembly()
        for number in before:
            with contextlib.suppress(BadTelegram):
                reassembly.add(parse(frames[number]))
        with pytest.raises(BadTelegram) as error:
            reassembly.add(parse(frames[last]))
        assert error.value.reason is Reason.FRAGMENT
    reassembly = Reassembly()
    reassembly.add(parse(frames[0]))
    with pytest.raises(BadTelegram, match="was due"):
        reassembly.add(parse(other[1]))


def test_more_than_was_announced_is_refused_before_it_is_all_there() -> None:
    frames = sent(part_bytes=40)
    less = bytearray(frames[0])
    less[18:20] = (60).to_bytes(2, "little")
    reassembly = Reassembly()
    assert reassembly.add(parse(bytes(less))) is None
    with pytest.raises(BadTelegram, match="ML says 60 bytes, there are 80"):
        reassembly.add(parse(frames[1]))
    more = bytearray(frames[0])
    more[18:20] = (999).to_bytes(2, "little")
    assert refused([bytes(more), *frames[1:]]).reason is Reason.FRAGMENT


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (23, 0x10, Reason.BAD_HEADER),  # N
        (24, 0x07, Reason.MODE_UNSUPPORTED),  # mode 7 shows the same extension byte
        (25, 0x02, Reason.BAD_HEADER),  # the kind of protocol
        (20, 0x7A, Reason.BAD_HEADER),  # a handshake as data of an application
        (26, 0x18, Reason.BAD_TLS),  # a heartbeat
        (27, 0x02, Reason.BAD_TLS),  # no version of TLS
        (29, 0xFF, Reason.BAD_TLS),  # a record's length
        (30, 0x01, Reason.BAD_TLS),  # one that ends before the message does
    ],
)
def test_a_message_that_contradicts_itself_is_refused(place: int, value: int, reason: Reason) -> None:
    first, *others = sent()
    broken = bytearray(first)
    broken[place] = value
    assert refused([bytes(broken), *others]).reason is reason


def test_fill_is_counted_and_bounded() -> None:
    with pytest.raises(CannotEncode):
        mode13.body_of(HELLO, 9, mode13.CI_TLS_SHORT, fill=16)
    frames = sent(part_bytes=200, fill=15)
    longer = mode13.frames_of(FRONT, mode13.body_of(HELLO, 9, mode13.CI_TLS_SHORT, fill=15) + b"\x2f", 200)
    assert mode13.message_of(joined(frames)).stream == HELLO
    assert refused(longer).reason is Reason.BAD_TLS


def test_no_bytes_raise_anything_but_a_refusal() -> None:
    draw = random.Random(13)
    frames = sent(part_bytes=60)
    for _ in range(400):
        broken = [bytearray(frame) for frame in frames]
        for _ in range(draw.choice((1, 2, 5))):
            frame = draw.choice(broken)
            frame[draw.randrange(1, len(frame))] = draw.randrange(256)
        reassembly = Reassembly()
        for one in broken:
            json_of_it = to_json(bytes(one), strict=False)
            assert json_of_it
            try:
                whole = reassembly.add(parse(bytes(one)))
                if whole is not None:
                    message_json(whole)
                    mode13.message_of(whole)
            except BadTelegram:
                continue


def test_what_is_decoded_names_records_and_hides_nothing() -> None:
    frames = sent()
    first, second = to_json(frames[0]), to_json(frames[1])
    assert first["security"] == "mode13" and "error" not in first
    assert first["tls"]["records"][0]["kind"] == "handshake" and first["tls"]["whole"] is False
    assert first["afl"]["ml"] == len(HELLO) + 6 and (first["afl"]["fragment"], second["afl"]["fragment"]) == (1, 2)
    assert second["error"]["reason"] == "fragment"
    whole = message_json(joined(frames))
    assert whole["tls"]["records"][0]["messages"] == ["client hello"] and whole["records"] == []
    for notes, data in ((annotate(frames[0]), frames[0]), (notes_of(joined(frames)), joined(frames).raw)):
        assert b"".join(note.data for note in notes) == data
    assert any("handshake: client hello" in note.meaning for note in notes_of(joined(frames)))
    with pytest.raises(BadTelegram, match="a session opens"):
        unlock(joined(frames), bytes(16))
