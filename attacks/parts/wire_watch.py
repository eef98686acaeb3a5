"""What a watcher of the wire reads between gateways and the broker, without any key: packets of a capture, put together
into TCP streams, and what stands in them.

    with Capture(pcap, port):                       needs the right to open AF_PACKET sockets (root)
        ...
    streams = tcp_streams(pcap, port)
    found(streams, {"a topic": b"gw/gw-0001/up"})   names of what stands in any of them

A capture may come from any program that writes pcap or pcapng.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from scapy.data import DLT_EN10MB
from scapy.layers.inet import IP, TCP
from scapy.utils import PcapReader, RawPcapWriter

_ALL_PROTOCOLS: Final = 3  # ETH_P_ALL
_READ_S: Final = 0.2
_SO_ATTACH_FILTER: Final = 26
_TLS_TYPES: Final = (20, 21, 22, 23)  # change cipher spec, alert, handshake, application data (RFC 8446, 5.1)
_TLS_APPLICATION_DATA: Final = 23


class Capture:
    """Writes what passes an interface ("": all of them) to or from a TCP port into a pcap file, until the block ends.
    Raises PermissionError."""

    def __init__(self, pcap: Path, port: int, interface: str = "lo") -> None:
        self._pcap, self._port, self._interface = pcap, port, interface
        self._ended = threading.Event()

    def __enter__(self) -> Capture:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
        self._attach_filter()
        if self._interface:
            self._socket.bind((self._interface, 0))
        self._socket.settimeout(_READ_S)
        self._thread = threading.Thread(target=self._record, name="wire watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _attach_filter(self) -> None:
        """The kernel hands over TCP over IPv4 to and from the port alone (classic BPF): on an interface that others use
        too, what is theirs would fill the buffer, and there would never be silence at the end."""
        steps = (
            (0x28, 0, 0, 12), (0x15, 0, 8, 0x0800),  # the frame's type: IPv4, else drop
            (0x30, 0, 0, 23), (0x15, 0, 6, 6),  # its protocol: TCP, else drop
            (0xB1, 0, 0, 14),  # x: the length of its IP header
            (0x48, 0, 0, 14), (0x15, 2, 0, self._port),  # source port: take
            (0x48, 0, 0, 16), (0x15, 0, 1, self._port),  # target port: take, else drop
            (0x06, 0, 0, 1 << 18), (0x06, 0, 0, 0),
        )  # fmt: skip
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
        where = struct.pack("HL", len(steps), ctypes.addressof(program))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, where)

    def _record(self) -> None:
        """Until the block has ended and the kernel has no more packets for us."""
        wanted = struct.pack("!H", self._port)
        with RawPcapWriter(str(self._pcap), linktype=DLT_EN10MB) as writer:
            writer.write_header(None)
            while True:
                try:
                    packet, where = self._socket.recvfrom(1 << 17)
                except TimeoutError:
                    if self._ended.is_set():
                        return
                    continue
                header = 14 + 4 * (packet[14] & 15) if len(packet) > 34 else len(packet)
                ports = (packet[header : header + 2], packet[header + 2 : header + 4])
                twice = where[0] == "lo" and where[2] == socket.PACKET_OUTGOING  # the loopback shows each packet twice
                if not twice and wanted in ports:
                    writer.write_packet(packet)


@dataclass(frozen=True, slots=True)
class Stream:
    """One direction of one TCP connection. `whole`: no byte of it is missing in the capture."""

    source: tuple[str, int]
    target: tuple[str, int]
    data: bytes
    whole: bool


def tcp_streams(pcap: Path, port: int) -> list[Stream]:
    """The bytes of every connection to or from a port, each direction by itself, in order, without repetitions. Raises
    OSError, and scapy's error for a file that is no capture."""
    segments: dict[tuple[str, int, str, int], list[tuple[int, bytes]]] = {}
    first: dict[tuple[str, int, str, int], int] = {}
    with PcapReader(str(pcap)) as reader:
        for packet in reader:
            if not packet.haslayer(IP) or not packet.haslayer(TCP):
                continue
            if port not in (packet[TCP].sport, packet[TCP].dport):
                continue
            tcp, key = packet[TCP], (packet[IP].src, packet[TCP].sport, packet[IP].dst, packet[TCP].dport)
            if "S" in str(tcp.flags):
                first[key], segments[key] = (tcp.seq + 1) % (1 << 32), []
            size = packet[IP].len - 4 * packet[IP].ihl - 4 * tcp.dataofs  # without the padding of short frames
            if size > 0:
                segments.setdefault(key, []).append((tcp.seq, bytes(tcp.payload)[:size]))
    return [
        Stream((key[0], key[1]), (key[2], key[3]), *_joined(parts, first.get(key)))
        for key, parts in segments.items() if parts
    ]  # fmt: skip


def _joined(parts: list[tuple[int, bytes]], first: int | None) -> tuple[bytes, bool]:
    """Segments in the order of their sequence numbers, which begin again after 2^32."""
    begin = parts[0][0] if first is None else first
    at, data, whole = 0, bytearray(), first is not None
    for offset, segment in sorted(((number - begin) % (1 << 32), segment) for number, segment in parts):
        if offset > at:
            whole = False
            at = offset
        data += segment[at - offset :]
        at = max(at, offset + len(segment))
    return bytes(data), whole


def found(streams: Iterable[Stream], secrets: Mapping[str, bytes]) -> set[str]:
    """The names of those secrets that stand in a stream, as they are or as hex in either case."""
    texts = [(stream.data, stream.data.lower()) for stream in streams]
    return {
        name for name, secret in secrets.items()
        if any(secret in data or secret.hex().encode() in lower for data, lower in texts)
    }  # fmt: skip


def tls_bytes(stream: Stream) -> int | None:
    """Bytes of application data, when the stream is nothing but TLS records; None when anything else passes."""
    at, inside = 0, 0
    while at < len(stream.data):
        if len(stream.data) - at < 5:
            return None
        kind, major, _, length = struct.unpack("!BBBH", stream.data[at : at + 5])
        if kind not in _TLS_TYPES or major != 3 or at + 5 + length > len(stream.data):
            return None
        inside += length if kind == _TLS_APPLICATION_DATA else 0
        at += 5 + length
    return inside
