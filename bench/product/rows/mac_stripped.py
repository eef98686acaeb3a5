"""Mode 7 with its counter and without its MAC."""

from __future__ import annotations

from attacks.parts.forgery import without_mac
from bench.product.rows.port import Case, PortalRow, Shot


def _shots(case: Case) -> list[Shot]:
    return [Shot(without_mac(case.held_back), case.held_litres)]


ROW = PortalRow(
    "no-mac", "The MAC taken out", ("L20",), ("mode7",), _shots, "Refuse mode 7 without a MAC of the agreed length."
)
