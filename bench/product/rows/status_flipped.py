"""The status byte, which is in clear: a telegram that was not given, with its alarm bits turned over."""

from __future__ import annotations

from attacks.parts.forgery import with_status
from bench.product.rows.port import ENCRYPTED, Case, PortalRow, Shot

TAMPER_BITS = 0x04


def _shots(case: Case) -> list[Shot]:
    return [Shot(with_status(case.held_back, TAMPER_BITS), case.held_litres)]


ROW = PortalRow(
    "status",
    "Status bits changed",
    ("L17",),
    ENCRYPTED,
    _shots,
    "Use mode 7, whose MAC covers the status; in mode 5 believe no alarm, and no silence, without a record.",
)
