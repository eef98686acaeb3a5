"""A message of security mode 13 from its frames, by the tables and by nothing of `wmbus`: link header, extended link
layer I, AFL, transport layer, TLS records, each field by its place."""

from __future__ import annotations

from typing import Any

_FLAGS = {"mcl": 13, "ml": 12, "mcr": 11, "mac": 10, "ki": 9}


def message_in_words(frames: list[bytes]) -> dict[str, Any]:
    """Everything that the frames of one message say. AssertionError: they say something that cannot be."""
    said: dict[str, Any] = {"fragments": len(frames), "numbers": [], "access": [], "c": []}
    body = b""
    for place, frame in enumerate(frames):
        assert frame[0] == len(frame) - 1, "L counts what follows it"
        said["c"].append(frame[1])
        address = frame[2:10].hex()
        assert said.setdefault("address", address) == address, "one sender"
        if frame[10] == 0x8E:
            said["receiver"] = frame[13:21].hex()
            frame = frame[:10] + b"\x8c" + frame[11:13] + frame[21:]
        assert frame[10] == 0x8C, "extended link layer I, or III with a receiver"
        said["access"].append(frame[12])
        assert frame[13] == 0x90, "AFL"
        afl_end = 15 + frame[14]
        control = frame[15] + 256 * frame[16]
        more, number = bool(control & 1 << 14), control % 256
        flags = {name for name, bit in _FLAGS.items() if control >> bit & 1}
        said["numbers"].append(number)
        assert more is (place + 1 < len(frames)), "only the last fragment has none behind it"
        assert number == (place + 1 if len(frames) > 1 else 0), "fragments count from 1; one frame is no fragment"
        if place == 0:
            assert flags == {"mcl", "ml"} and afl_end == 20, "the first says what the AFL has and how long all is"
            assert frame[17] == 1 << 6, "of the message's own fields the length alone; no authentication"
            said["length"] = frame[18] + 256 * frame[19]
        else:
            assert not flags and afl_end == 17
        body += frame[afl_end:]
    assert len(body) == said["length"], "to the byte"
    said["ci"] = body[0]
    at = 9 if body[0] in (0x5B, 0x5F, 0x72, 0x9F) else 1
    if at == 9:
        said["to"] = body[1:9].hex()
    said["acc"], said["sts"] = body[at], body[at + 1]
    n, upper, extension = body[at + 2], body[at + 3], body[at + 4]
    said["mode"], said["content"], said["kind"] = upper & 0b11111, upper >> 6, extension & 0b1111
    assert not upper >> 5 & 1 and not extension >> 4, "reserved bits"
    stream = body[at + 5 :]
    said["records"] = []
    while stream and stream[0] != ord("/"):
        size = 256 * stream[3] + stream[4]
        assert stream[1] == 3 and len(stream) >= 5 + size, "a whole record of TLS"
        said["records"].append((stream[0], size))
        stream = stream[5 + size :]
    said["fill"] = len(stream)
    assert stream == b"/" * len(stream)
    told = sum(5 + size for _, size in said["records"])
    assert n == (told if told < 255 else 255), "N"
    return said
