"""The same bytes again, at once. A small cache of the latest telegrams hides it."""

from __future__ import annotations

from bench.product.rows.port import Case, PortalRow, Shot


def _shots(case: Case) -> list[Shot]:
    return [Shot(case.genuine, case.litres)]


ROW = PortalRow(
    "replay-at-once",
    "Replay at once",
    ("L08",),
    ("mode0", "mode5", "mode7"),
    _shots,
    "Refuse what is not newer: mode 7 by its counter; mode 5 by the time inside the ciphertext.",
)
