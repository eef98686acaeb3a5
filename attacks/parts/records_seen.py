"""What a tap sees of a TLS connection: its records, one by one, of which the header is never encrypted."""

from __future__ import annotations

import struct
from typing import NamedTuple

from wmbus.tls_records import HEADER_BYTES, KINDS, VERSIONS


class Record(NamedTuple):
    """`length`: of what follows the header."""

    kind: int
    length: int


class Records:
    """One direction of one connection; bytes may be cut anywhere. `strange`: they are no TLS, and nothing more is
    read."""

    def __init__(self) -> None:
        self._kept = b""
        self.strange = False

    def feed(self, data: bytes) -> list[Record]:
        """Records that ended in these bytes."""
        found = []
        self._kept += data
        while not self.strange and len(self._kept) >= HEADER_BYTES:
            kind, version, length = struct.unpack(">BHH", self._kept[:HEADER_BYTES])
            if kind not in KINDS or version not in VERSIONS:
                self.strange = True
                break
            if len(self._kept) < HEADER_BYTES + length:
                break
            found.append(Record(kind, length))
            self._kept = self._kept[HEADER_BYTES + length :]
        return found
