"""A value in clear in the name of a meter that encrypts: mode 0 behind an extended link layer."""

from __future__ import annotations

from attacks.parts.forgery import behind_ell
from bench.product.portal_meters import volume
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

LITRES = 80


def _shots(case: Case) -> list[Shot]:
    return [Shot(behind_ell(case.genuine, volume(LITRES)), LITRES)]


ROW = PortalRow(
    "downgrade-ell",
    "In clear: mode 0 behind an extended link layer",
    ("L19",),
    ENCRYPTED,
    _shots,
    "Pin each meter's security mode, and refuse whatever comes in another, a telegram without a header too.",
)
