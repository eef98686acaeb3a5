"""WebSocket frames by the examples of RFC 6455, at the bounds of their lengths, in pieces of any size."""

from __future__ import annotations

import pytest

from sim.endpoint.websocket import BINARY, CLOSE, PING, BadFrame, Frames, accept, head

MASK = bytes.fromhex("37fa213d")


def pair() -> tuple[Frames, Frames]:
    return Frames(lambda: MASK), Frames()


def test_the_examples_of_the_standard() -> None:
    assert accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # 1.3
    client, server = pair()
    masked = bytes.fromhex("82 85 37fa213d 7f9f4d5158")  # 5.7, as a binary frame
    assert client.encode(b"Hello") == masked and server.feed(masked) == b"Hello"
    assert server.encode(b"Hello") == bytes.fromhex("82 05 48656c6c6f")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 150_000])
@pytest.mark.parametrize("step", [1_000_000, 7])
def test_any_length_in_any_pieces(size: int, step: int) -> None:
    payload = bytes(index % 251 for index in range(size))
    for sender, receiver in (pair(), pair()[::-1]):
        wire, got = sender.encode(payload) + sender.encode(b"end"), b""
        step_now = step if size < 1_000 else max(step, 997)
        for at in range(0, len(wire), step_now):
            got += receiver.feed(wire[at : at + step_now])
        assert got == payload + b"end"


def test_a_ping_is_answered_and_a_close_ends_it() -> None:
    client, server = pair()
    assert (
        server.feed(client.encode(b"x", PING) + client.encode(b"data") + client.encode(b"\x03\xe8", CLOSE)) == b"data"
    )
    assert bytes(server.replies) == bytes.fromhex("8a0178") + bytes.fromhex("880203e8") and server.ended
    assert server.feed(client.encode(b"late")) == b""


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (bytes.fromhex("8205 48656c6c6f"), "a client's frame is masked"),
        (bytes.fromhex("8185 37fa213d 7f9f4d5158"), "a frame of kind 1"),
        (bytes.fromhex("c285 37fa213d 7f9f4d5158"), "an extension"),
        (bytes.fromhex("82ff ffffffffffffffff"), "the limit is"),
    ],
)
def test_what_is_no_frame_of_ours(wire: bytes, said: str) -> None:
    with pytest.raises(BadFrame, match=said):
        Frames().feed(wire)


def test_a_head_is_whole_or_nothing() -> None:
    text = b"GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade:  websocket \r\n\r\nrest"
    for end in range(len(text) - 5):
        assert head(text[:end]) is None
    found = head(text)
    assert found is not None and found[1] == b"rest"
    assert found[0].headers == {"host": "a", "upgrade": "websocket"} and found[0].line == "GET /mqtt HTTP/1.1"
    for bad in (b"GET\r\nHost: a\r\nhost: b\r\n\r\n", b"GET\r\nno colon\r\n\r\n", b"G\xff\r\n\r\n", b"x" * 20_000):
        with pytest.raises(BadFrame):
            head(bad)


def test_binary_is_what_mqtt_is() -> None:
    assert Frames().encode(b"")[0] == 0x80 | BINARY
