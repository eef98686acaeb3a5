"""A value in clear in the name of a meter that encrypts: a header of mode 0."""

from __future__ import annotations

from attacks.parts.forgery import in_mode_0
from bench.product.portal_meters import volume
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

LITRES = 78


def _shots(case: Case) -> list[Shot]:
    return [Shot(in_mode_0(case.genuine, volume(LITRES)), LITRES)]


ROW = PortalRow(
    "downgrade-mode-0",
    "In clear: a header of mode 0",
    ("L19",),
    ENCRYPTED,
    _shots,
    "Pin each meter's security mode, and refuse whatever comes in another, a telegram without a header too.",
)
