"""Two telegrams byte by byte, field by field: what an attacker changed, with the names of wmbus.explain.

Every byte of the sent telegram stands in exactly one field, and every byte of the original that is not in the sent one
stands in the field behind which it was. Nothing is decrypted: ciphertext is called so.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import NamedTuple

from wmbus.errors import BadTelegram
from wmbus.explain import annotate


class Cell(NamedTuple):
    """One byte, as two hex digits; "" where one of the two has none."""

    original: str
    sent: str

    @property
    def differs(self) -> bool:
        return self.original != self.sent


class Field(NamedTuple):
    """`offset` counts from the L field of the sent telegram."""

    offset: int
    layer: str
    meaning: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        return any(cell.differs for cell in self.cells)


def fields(sent: bytes, original: bytes | None = None) -> list[Field]:
    """`original` None: nothing to compare with, so nothing differs."""
    names = _names(sent)
    cells: list[list[Cell]] = [[] for _ in names]
    field_at = [number for number, (_, size, _, _) in enumerate(names) for _ in range(size)]
    at = 0
    for cell in _aligned(sent, sent if original is None else original):
        cells[field_at[min(at, len(sent) - 1)] if cell.sent else field_at[max(at - 1, 0)]].append(cell)
        at += bool(cell.sent)
    return [Field(offset, layer, meaning, tuple(row))
            for (offset, _, layer, meaning), row in zip(names, cells, strict=True)]  # fmt: skip


def _names(data: bytes) -> list[tuple[int, int, str, str]]:
    """(offset, size, layer, meaning) of each field, without gaps; at least one."""
    try:
        notes = annotate(data)
    except (BadTelegram, ValueError, IndexError) as error:
        return [(0, len(data), "", f"no telegram: {error}")]
    found = [(note.offset, len(note.data), note.layer, note.meaning) for note in notes if note.data]
    end = sum(size for _, size, _, _ in found)
    if [offset for offset, _, _, _ in found] != _starts(found) or end > len(data):
        return [(0, len(data), "", "a telegram with CRCs")]
    return found if end == len(data) else [*found, (end, len(data) - end, "", "behind the telegram's end")]


def _starts(found: list[tuple[int, int, str, str]]) -> list[int]:
    starts, at = [], 0
    for _, size, _, _ in found:
        starts.append(at)
        at += size
    return starts


def _aligned(sent: bytes, original: bytes) -> list[Cell]:
    """The bytes of both, side by side where they belong together."""
    cells: list[Cell] = []
    for _, low, high, begin, end in SequenceMatcher(None, original, sent, autojunk=False).get_opcodes():
        old, new = original[low:high], sent[begin:end]
        for k in range(max(len(old), len(new))):
            cells.append(Cell(f"{old[k]:02x}" if k < len(old) else "", f"{new[k]:02x}" if k < len(new) else ""))
    return cells
