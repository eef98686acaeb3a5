"""Bits of a ciphertext block turned over: in CBC the next block changes by just those bits, and a text hides the
noise."""

from __future__ import annotations

from attacks.parts.forgery import with_block_flipped
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

FLIP, AT = 0x09, 4  # the third byte of the volume's digits, which stand in bytes 2 to 5 of the third block
LITRES = 95_678


def _shots(case: Case) -> list[Shot]:
    return [Shot(with_block_flipped(case.long, 1, FLIP, at=AT), LITRES)]


ROW = PortalRow(
    "block-flip",
    "Ciphertext bits turned over",
    ("L14",),
    ENCRYPTED,
    _shots,
    "Use mode 7; in mode 5 nothing shows it but a value that jumps.",
)
