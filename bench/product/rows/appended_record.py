"""A second volume in clear behind the encrypted blocks: which one is stored?"""

from __future__ import annotations

from attacks.parts.forgery import with_tail
from bench.product.portal_meters import volume
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

LITRES = 66


def _shots(case: Case) -> list[Shot]:
    return [Shot(with_tail(case.held_back, volume(LITRES)), LITRES)]


ROW = PortalRow(
    "tail",
    "A second value appended in clear",
    ("L15",),
    ENCRYPTED,
    _shots,
    "Refuse every record in clear behind encrypted blocks.",
)
