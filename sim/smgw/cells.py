"""Cells: what passes inside TLS on a WAN whose sizes and times are to say nothing.

    kind (1) | bytes that count (2) | these bytes | zeros up to the size of a cell

A message goes in as many cells as it needs. Where both sides agreed on a size every cell has it, so each is one TLS
record of one length; without a size (0) a cell is as long as what is in it. A dummy cell holds nothing that counts.
The layout is of this model: no text that fixes one could be opened.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from sim.core.refused import Refusal

HEAD_BYTES: Final = 3
CELL_LEAST_BYTES: Final = 256
CELL_MOST_BYTES: Final = 16_384
"""What one TLS record holds."""
MESSAGE_MOST_BYTES: Final = (1 << 24) + 4_096
"""Of a body of 16 MiB and its head."""
DUMMY_BYTES: Final = 200
"""Of a dummy cell where cells have no size: about a short question."""


class CellKind(IntEnum):
    DUMMY = 0
    MORE = 1  # the message goes on in the next one that is no dummy
    LAST = 2
    CALL = 3  # a dummy of the side that cannot ask: something waits there


class BadCell(Refusal):
    """Bytes that are no cell. `reason` is the stable code: "size", "kind", "count", "filling", "long"."""


def check_size(cell_bytes: int) -> str:
    """Why cells cannot have this size; "" where they can."""
    if cell_bytes == 0 or CELL_LEAST_BYTES <= cell_bytes <= CELL_MOST_BYTES:
        return ""
    return f"{cell_bytes} is no size of a cell: 0 (none), or {CELL_LEAST_BYTES} to {CELL_MOST_BYTES}"


def encode(message: bytes, cell_bytes: int) -> list[bytes]:
    """A message as cells."""
    room = (cell_bytes or CELL_MOST_BYTES) - HEAD_BYTES
    pieces = [message[at : at + room] for at in range(0, len(message), room)] or [b""]
    kinds = [CellKind.MORE] * (len(pieces) - 1) + [CellKind.LAST]
    return [_cell(kind, piece, cell_bytes) for kind, piece in zip(kinds, pieces, strict=True)]


def dummy(cell_bytes: int, kind: CellKind = CellKind.DUMMY) -> bytes:
    """A cell that holds nothing."""
    return _cell(kind, b"", cell_bytes or DUMMY_BYTES)


def _cell(kind: CellKind, piece: bytes, cell_bytes: int) -> bytes:
    head = bytes((kind,)) + len(piece).to_bytes(2, "big")
    return (head + piece).ljust(cell_bytes, b"\0")


def kind_of(cell: bytes) -> CellKind:
    """Raises BadCell (kind)."""
    try:
        return CellKind(cell[0])
    except (IndexError, ValueError):
        raise BadCell("kind", f"a cell begins with 0 to 3, not with {cell[:1].hex() or 'nothing'}") from None


class Joiner:
    """Puts messages together out of cells, one cell a call. Raises BadCell; after that nothing that comes is joined."""

    def __init__(self, cell_bytes: int) -> None:
        self._cell_bytes = cell_bytes
        self._message = bytearray()
        self._broken = False

    def take(self, cell: bytes) -> bytes | None:
        """A whole message, or None where none has ended."""
        if self._broken:
            raise BadCell("kind", "an earlier cell was none")
        try:
            return self._taken(cell)
        except BadCell:
            self._broken = True
            raise

    def _taken(self, cell: bytes) -> bytes | None:
        if len(cell) < HEAD_BYTES or len(cell) > CELL_MOST_BYTES or self._cell_bytes not in (0, len(cell)):
            wanted = self._cell_bytes or f"{HEAD_BYTES} to {CELL_MOST_BYTES}"
            raise BadCell("size", f"a cell of {len(cell)} bytes; {wanted} were agreed")
        kind, count = kind_of(cell), int.from_bytes(cell[1:HEAD_BYTES], "big")
        end = HEAD_BYTES + count
        if end > len(cell) or (count and kind in (CellKind.DUMMY, CellKind.CALL)):
            raise BadCell("count", f"{count} bytes that count in a cell of {len(cell)} of kind {kind.name}")
        if any(cell[end:]):
            raise BadCell("filling", "behind the bytes that count stands something else than zeros")
        if kind in (CellKind.DUMMY, CellKind.CALL):
            return None
        self._message += cell[HEAD_BYTES:end]
        if len(self._message) > MESSAGE_MOST_BYTES:
            raise BadCell("long", f"a message of more than {MESSAGE_MOST_BYTES} bytes")
        if kind is CellKind.MORE:
            return None
        whole = bytes(self._message)
        self._message.clear()
        return whole
