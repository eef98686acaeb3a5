"""A replay under a fresh access number: in mode 5 only plaintext bytes 8 to 15 turn into noise."""

from __future__ import annotations

from attacks.parts.forgery import with_access_number
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot


def _shots(case: Case) -> list[Shot]:
    return [Shot(with_access_number(case.genuine, (case.latest + step) % 256), case.litres) for step in (1, 2, 3)]


ROW = PortalRow(
    "new-number",
    "Replay under a new access number",
    ("L09",),
    ENCRYPTED,
    _shots,
    "Trust no access number in mode 5; refuse a telegram whose records do not read as they must; use mode 7.",
)
