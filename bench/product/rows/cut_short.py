"""N lowered to one block, the rest replaced by a value in clear."""

from __future__ import annotations

from attacks.parts.forgery import cut_to_first_block
from bench.product.portal_meters import volume
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

LITRES = 11


def _shots(case: Case) -> list[Shot]:
    return [Shot(cut_to_first_block(case.held_back, volume(LITRES), case.maker), LITRES)]


ROW = PortalRow(
    "cut",
    "Blocks cut, a value appended in clear",
    ("L16",),
    ENCRYPTED,
    _shots,
    "Refuse every record in clear behind encrypted blocks; use mode 7, whose MAC covers the length.",
)
