"""A value in clear in the name of a meter that encrypts: no header at all (CI 78)."""

from __future__ import annotations

from attacks.parts.forgery import without_header
from bench.product.portal_meters import volume
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

LITRES = 77


def _shots(case: Case) -> list[Shot]:
    return [Shot(without_header(case.genuine, volume(LITRES)), LITRES)]


ROW = PortalRow(
    "downgrade-no-header",
    "In clear: no header at all (CI 78)",
    ("L19",),
    ENCRYPTED,
    _shots,
    "Pin each meter's security mode, and refuse whatever comes in another, a telegram without a header too.",
)
