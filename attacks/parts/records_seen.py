"""What a tap sees of a TLS connection: its records, one by one, of which the header is never encrypted."""

from __future__ import annotations

from typing import Final, NamedTuple

HEADER_BYTES: Final = 5
APPLICATION_DATA: Final = 23
_MAJOR: Final = 3


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
            kind, major, length = self._kept[0], self._kept[1], int.from_bytes(self._kept[3:HEADER_BYTES], "big")
            if major != _MAJOR or not 20 <= kind <= 24:
                self.strange = True
                break
            if len(self._kept) < HEADER_BYTES + length:
                break
            found.append(Record(kind, length))
            self._kept = self._kept[HEADER_BYTES + length :]
        return found
