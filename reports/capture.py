"""air.pcapng: what was on the simulated air and what reached the portal through the broker, for Wireshark.

pcapng, little endian, times of the world's own calendar in nanoseconds, two interfaces:

air     link type DLT_USER0 (147). Each packet is one frame at one receiver: a pseudo header of eight bytes, big endian,
        then the telegram from its L field, without CRCs (none for a jammer's burst):

        offset size  field
        0      1     version    1; 255 marks a note, whose text in UTF-8 follows the pseudo header
        1      1     mode       1 T1, 2 C1, 3 S1
        2      1     fate       sim.core.events.Fate
        3      1     origin     0 a meter, 1 an attacker
        4      2     receiver   number of the gateway in the site
        6      2     RSSI       1/100 dBm at that receiver, signed

broker  link type DLT_USER1 (148). Each packet is one MQTT message as the broker delivered it to the portal: the length
        of its topic in two bytes, big endian, the topic in UTF-8, the payload. There is no TCP and no TLS in it,
        because those bytes are not seen at the portal.

A day of a large site is more than anyone opens, so a limit holds; what attackers sent is kept beyond it. Comments of
the section say which Unix time is world time 0 and, for each interface, whether it is whole or at which limit it was
cut, with the first and last time of what was kept and of what was left out (`Extent`); where it was cut the last packet
is a note that says how much. `reports/wireshark/wmbus.lua` reads the packets. Comments are put on packets after the
verdicts are known: `comment` writes the file again.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple

from sim.core.clock import NS_PER_S, Calendar
from sim.core.digits import whole_of
from sim.core.whole_file import replacing

AIR_LINK_TYPE: Final = 147
BROKER_LINK_TYPE: Final = 148
AIR, BROKER = 0, 1  # numbers of the interfaces
VERSION: Final = 1
NOTE: Final = 255
COMMENT_BYTES_MAX: Final = 1_000
_MAX_TELEGRAM_BYTES: Final = 4_096
_PSEUDO: Final = struct.Struct(">BBBBHh")
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6  # block types
_SECTION_HEAD_BYTES: Final = 16  # before its options
_COMMENT, _END = 1, 0  # options of every block
_NAME, _DESCRIPTION, _RESOLUTION = 2, 3, 9  # options of an interface
_BEGAN: Final = "world time 0 is this Unix time in ns: "
_EXTENT_BYTES: Final = 320  # of the comment of each interface that close() writes into its place at the head
_UNCLOSED: Final = "not closed: its writer was stopped, so packets may be missing at its end"
_SPAN: Final = r"t = ([0-9]+\.[0-9]{9}) s to ([0-9]+\.[0-9]{9}) s"
_EXTENT: Final = re.compile(
    rf"(\w+): (?:whole|cut at (.{{1,120}}?)): ([0-9]+) kept(?:, {_SPAN})?(?:; ([0-9]+) left out, {_SPAN})?"
)
_HEAD: Final = struct.Struct("<II")
_PACKET_HEAD: Final = struct.Struct("<IIIII")
INTERFACES: Final = (
    (AIR_LINK_TYPE, "air", "simulated air, 868 MHz: frames at each receiver, with pseudo header, without CRCs"),
    (BROKER_LINK_TYPE, "broker", "MQTT messages as the broker delivered them to the portal: topic and payload only, "
                                 "no TCP and no TLS"),
)  # fmt: skip


class BadCapture(ValueError):
    """Not a capture that this module wrote, or one that was cut."""


class Packet(NamedTuple):
    """`number` counts from 1, as Wireshark does. `unix_ns` is calendar time, `time_ns` the world's; `body` is with the
    pseudo header."""

    number: int
    interface: int
    unix_ns: int
    time_ns: int
    body: bytes
    comment: str

    @property
    def is_attack(self) -> bool:
        """A frame on the air that an attacker sent."""
        return self.interface == AIR and len(self.body) >= _PSEUDO.size and self.body[0] != NOTE and self.body[3] == 1

    @property
    def telegram(self) -> bytes:
        """Of a frame on the air; empty for a burst or a note."""
        return b"" if self.interface != AIR or self.body[:1] == bytes([NOTE]) else self.body[_PSEUDO.size :]

    @property
    def payload(self) -> bytes:
        """Of an MQTT message."""
        return self.body[2 + int.from_bytes(self.body[:2], "big") :] if self.interface == BROKER else b""


class Extent(NamedTuple):
    """How far a capture goes on one interface, attackers' packets aside: those are always kept. Times are the world's,
    in ns, of the first and last packet; 0 where there is none. `limit`: at what it was cut, "" where it is whole."""

    interface: str
    limit: str = ""
    kept: int = 0
    first_ns: int = 0
    last_ns: int = 0
    left_out: int = 0
    left_out_first_ns: int = 0
    left_out_last_ns: int = 0

    def __str__(self) -> str:
        text = f"{self.interface}: {f'cut at {self.limit}' if self.limit else 'whole'}: {self.kept} kept"
        text += f", {_span(self.first_ns, self.last_ns)}" if self.kept else ""
        between = _span(self.left_out_first_ns, self.left_out_last_ns)
        return text + (f"; {self.left_out} left out, {between}" if self.left_out else "")

    def with_kept(self, time_ns: int) -> Extent:
        """Packets need not come in the order of time: receivers are played a window at a time."""
        first_ns = min(self.first_ns, time_ns) if self.kept else time_ns
        return self._replace(kept=self.kept + 1, first_ns=first_ns, last_ns=max(self.last_ns, time_ns))

    def with_left_out(self, times_ns: Sequence[int], limit: str) -> Extent:
        """One or more."""
        first_ns, last_ns = min(times_ns), max(times_ns)
        return self._replace(
            limit=self.limit or limit, left_out=self.left_out + len(times_ns),
            left_out_first_ns=min(self.left_out_first_ns, first_ns) if self.left_out else first_ns,
            left_out_last_ns=max(self.left_out_last_ns, last_ns),
        )  # fmt: skip


class Capture:
    """An open air.pcapng. `written` counts packets but the note; close() writes the note and how far it goes."""

    def __init__(self, path: Path, calendar: Calendar, limit_packets: int = 1_000_000) -> None:
        self.written = 0
        self._extents = [Extent(name) for _, name, _ in INTERFACES]
        self._limit = limit_packets
        self._last_ns = 0
        epoch = calendar.start
        self._start_ns = int(epoch.timestamp()) * 1_000_000_000 + epoch.microsecond * 1_000
        self._file = path.open("wb", buffering=1 << 20)
        began = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _option(_COMMENT, f"{_BEGAN}{self._start_ns}")
        self._extents_at = _HEAD.size + len(began)
        self._file.write(_block(_SECTION, began + self._reserved([_UNCLOSED] * len(INTERFACES)) + _option(_END, b"")))
        for link_type, name, description in INTERFACES:
            options = _option(_NAME, name) + _option(_DESCRIPTION, description) + _option(_RESOLUTION, b"\x09")
            head = struct.pack("<HHI", link_type, 0, 0)
            self._file.write(_block(_INTERFACE, head + options + _option(_END, b"")))

    def frame(
        self, time_ns: int, mode: int, fate: int, origin: int, receiver: int, rssi_cdbm: int, telegram: bytes
    ) -> None:
        """One frame at one receiver; beyond the limit a meter's is only counted. RSSI is clipped to what 16 bits hold.
        Raises OSError when the disk is full and ValueError for bytes that are no telegram."""
        if len(telegram) > _MAX_TELEGRAM_BYTES:
            raise ValueError(f"{len(telegram)} bytes are no telegram")
        rssi_cdbm = max(-32_768, min(32_767, rssi_cdbm))
        head = _PSEUDO.pack(VERSION, mode, fate, origin, min(receiver, 65_535), rssi_cdbm)
        self._write(AIR, time_ns, head + telegram, keep=origin != 0)

    def message(self, time_ns: int, topic: str, payload: bytes, *, keep: bool = False) -> None:
        """One message at the portal; `keep`: beyond the limit too. Raises OSError when the disk is full."""
        name = topic.encode()[:65_535]
        self._write(BROKER, time_ns, len(name).to_bytes(2, "big") + name + payload, keep=keep)

    @property
    def left_out(self) -> int:
        """Packets that the caller or the limit left out."""
        return sum(extent.left_out for extent in self._extents)

    def leave_out(self, interface: int, times_ns: Sequence[int], limit: str) -> None:
        """Count packets that are not written because of `limit`, in words: of what, how many."""
        if times_ns:
            self._extents[interface] = self._extents[interface].with_left_out(times_ns, limit)

    def close(self) -> None:
        """Write the note if anything was left out, how far each interface goes, and close. Harmless when closed
        already."""
        if self._file.closed:
            return
        try:
            if self.left_out:
                text = f"{self.left_out} more packets were left out: a limit was reached"
                self._packet(AIR, self._last_ns, _PSEUDO.pack(NOTE, 0, 0, 0, 0, 0) + text.encode())
            self._file.seek(self._extents_at)
            self._file.write(self._reserved(map(str, self._extents)))
        finally:
            self._file.close()

    @staticmethod
    def _reserved(texts: Iterable[str]) -> bytes:
        """Comments of the same length whatever they say."""
        return b"".join(_option(_COMMENT, text[:_EXTENT_BYTES].ljust(_EXTENT_BYTES)) for text in texts)

    def _write(self, interface: int, time_ns: int, body: bytes, *, keep: bool) -> None:
        if self.written >= self._limit and not keep:
            self.leave_out(interface, [time_ns], f"{self._limit} packets")
            return
        if not keep:
            self._extents[interface] = self._extents[interface].with_kept(time_ns)
        self._last_ns = time_ns
        self._packet(interface, time_ns, body)
        self.written += 1

    def _packet(self, interface: int, time_ns: int, body: bytes) -> None:
        self._file.write(_packet_block(interface, self._start_ns + time_ns, body, ""))

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def packets(path: Path) -> Iterator[Packet]:
    """All packets in order; the end of a capture that was cut is left out. Raises OSError, and BadCapture for another
    kind of file."""
    number = start_ns = 0
    with path.open("rb") as file:
        for kind, body in _blocks(file):
            if kind == _SECTION:
                start_ns = _began(body)
            elif kind == _PACKET:
                number += 1
                yield _packet_of(number, body, start_ns)


def extents(path: Path) -> list[Extent]:
    """How far it goes, by interface; [] where it does not say, as a capture that was never closed or is of an older
    version. Raises OSError, and BadCapture for another kind of file."""
    with path.open("rb") as file:
        for _, body in _blocks(file):
            texts = [text.strip() for text in _comments_in(body, _SECTION_HEAD_BYTES)]
            return [_extent(*said.groups(default="")) for text in texts if (said := _EXTENT.fullmatch(text))]
    return []


def _extent(name: str, limit: str, *figures: str) -> Extent:
    return Extent(name, limit, *(whole_of(figure.replace(".", ""), (1 << 64) - 1) or 0 for figure in figures))


def _span(first_ns: int, last_ns: int) -> str:
    first, last = (f"{ns // NS_PER_S}.{ns % NS_PER_S:09d}" for ns in (first_ns, last_ns))
    return f"t = {first} s to {last} s"


def comment(path: Path, words: Mapping[int, str]) -> None:
    """Write the capture again with `words[number]` as the only comment of the packet of this number, and none on the
    others. The old file stays until the new one is whole. Raises OSError and BadCapture."""
    number = 0
    with replacing(path) as fresh, path.open("rb") as old, fresh.open("wb", buffering=1 << 20) as new:
        for kind, body in _blocks(old):
            if kind == _PACKET:
                number += 1
                text = words.get(number, "")
                if text or _has_options(body):
                    packet = _packet_of(number, body, 0)
                    new.write(_packet_block(packet.interface, packet.unix_ns, packet.body, text))
                    continue
            new.write(_block(kind, body))


# --- blocks ----------------------------------------------------------------------------------------------------


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return _HEAD.pack(kind, size) + body + struct.pack("<I", size)


def _option(code: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<HH", code, len(data)) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _packet_block(interface: int, unix_ns: int, body: bytes, words: str) -> bytes:
    head = _PACKET_HEAD.pack(interface, unix_ns >> 32, unix_ns & 0xFFFFFFFF, len(body), len(body))
    text = words.encode()[:COMMENT_BYTES_MAX].decode(errors="ignore")
    options = _option(_COMMENT, text) + _option(_END, b"") if text else b""
    return _block(_PACKET, head + _padded(body) + options)


def _has_options(block: bytes) -> bool:
    size = int.from_bytes(block[12:16], "little")  # of the packet, behind interface and time
    return len(block) != _PACKET_HEAD.size + size + -size % 4


def _packet_of(number: int, block: bytes, start_ns: int) -> Packet:
    interface, high, low, size, _ = _PACKET_HEAD.unpack_from(block)
    at = _PACKET_HEAD.size
    unix_ns = high << 32 | low
    words = "".join(_comments_in(block, at + size + -size % 4)[-1:])
    return Packet(number, interface, unix_ns, unix_ns - start_ns, block[at : at + size], words)


def _began(section: bytes) -> int:
    """The Unix time in ns at which the world began; 0 where the section does not say."""
    said = [text.removeprefix(_BEGAN) for text in _comments_in(section, _SECTION_HEAD_BYTES) if text.startswith(_BEGAN)]
    return whole_of(said[0], (1 << 64) - 1) or 0 if said else 0


def _comments_in(block: bytes, at: int) -> list[str]:
    """The comments among the options that begin there."""
    found = []
    while at + 4 <= len(block):
        code, length = struct.unpack_from("<HH", block, at)
        if code == _COMMENT:
            found.append(block[at + 4 : at + 4 + length].decode(errors="replace"))
        at += 4 + length + -length % 4
    return found


def _blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(type, body) of each whole block."""
    first = True
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        kind, size = _HEAD.unpack(head)
        if first and kind != _SECTION:
            raise BadCapture(f"{file.name} is no pcapng")
        first = False
        if size < 12 or size % 4:
            raise BadCapture(f"{file.name} has a block of {size} bytes")
        rest = file.read(size - _HEAD.size)
        if len(rest) < size - _HEAD.size:
            return
        yield kind, rest[:-4]
