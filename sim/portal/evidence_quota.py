"""How much evidence is kept: of each sender so much, of the same message once, and what was dropped is counted.

Whoever may publish in a gateway's name can send bad messages without end, and a retained one comes again with each
session of the portal. A sender's quota is its own, so nobody can use up another's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sim.core.bundle import digest
from sim.portal.store_port import Evidence, Store

ROWS_MOST: Final = 1_000
BYTES_MOST: Final = 8_000_000


@dataclass(slots=True)
class _Held:
    rows: int = 0
    size_bytes: int = 0


class EvidenceQuota:
    """Of one store. `kept` is within a take; `forget` after one that was rolled back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.forget()

    def forget(self) -> None:
        """Back to what is committed."""
        self._held: dict[str, _Held] = {}
        self._seen: set[tuple[str, str, str]] = set()
        for row in self._store.evidence():
            self._note(row)

    def kept(self, rows: Iterable[Evidence]) -> list[Evidence]:
        """Those to be stored."""
        out = []
        for row in rows:
            held = self._held.get(row.topic, _Held())
            full = held.rows >= ROWS_MOST or held.size_bytes + len(row.payload) > BYTES_MOST
            if not full and (row.topic, row.reason, digest(row.payload)) not in self._seen:
                self._note(row)
                out.append(row)
        return out

    def _note(self, row: Evidence) -> None:
        held = self._held.setdefault(row.topic, _Held())
        held.rows += 1
        held.size_bytes += len(row.payload)
        self._seen.add((row.topic, row.reason, digest(row.payload)))
