"""The same bytes again, after more telegrams than a cache of the latest ones holds."""

from __future__ import annotations

from bench.product.rows.port import Case, PortalRow, Shot

OTHERS = 12


def _shots(case: Case) -> list[Shot]:
    return [Shot(case.genuine, case.litres, others=OTHERS)]


ROW = PortalRow(
    "replay-later",
    "Replay behind twelve others",
    ("L08",),
    ("mode0", "mode5", "mode7"),
    _shots,
    "Keep the counter or the time of the latest telegram of each meter, not a cache of telegrams.",
)
