"""A value in clear in the name of a meter that encrypts: no encrypted block (N = 0)."""

from __future__ import annotations

from attacks.parts.forgery import with_no_block
from bench.product.portal_meters import volume
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

LITRES = 79


def _shots(case: Case) -> list[Shot]:
    return [Shot(with_no_block(case.genuine, volume(LITRES)), LITRES)]


ROW = PortalRow(
    "downgrade-no-block",
    "In clear: no encrypted block (N = 0)",
    ("L19",),
    ENCRYPTED,
    _shots,
    "Pin each meter's security mode, and refuse whatever comes in another, a telegram without a header too.",
)
