"""Version of the meter changed in the link layer: in mode 5 it is part of the IV, and a digit of the value changes."""

from __future__ import annotations

from attacks.parts.forgery import with_version
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

FLIP = 0x09
LITRES = 91_234  # byte 6 of the plaintext is the third of the BCD digits' bytes


def _shots(case: Case) -> list[Shot]:
    return [Shot(with_version(case.fresh, FLIP), LITRES if case.mode == "mode5" else case.fresh_litres)]


ROW = PortalRow(
    "header",
    "Version changed in the header",
    ("L13", "L21"),
    ENCRYPTED,
    _shots,
    "Look keys up by the whole address (maker, number, version, type), never by the number alone.",
)
