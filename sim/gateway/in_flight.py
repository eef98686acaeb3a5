"""Which bundle goes out next, and what its outcome says about it. Pure: no socket, no disk, no clock.

    ready ──publish──► in flight ──portal's acknowledgement──► gone
      ▲                   │ overtaken: a later one of this connection was acknowledged, this one not     (a refusal)
      │                   │ unaccepted: it was the oldest without PUBACK when the connection broke       (a refusal)
      │                   │ late: no acknowledgement for a while                                      (no refusal)
      │                   ▼
      └── path is good ─ suspect: travels alone, the last acknowledged bundle behind it as proof of the path

A broker keeps the order of one client's publishes, so being overtaken is evidence; being alone without an answer is
not, because the portal may be away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sim.core.bundle import Taken, digest

WINDOW = 64  # in flight at once; a well-known cloud cuts clients off at 100
REFUSALS_MAX = 5


@dataclass(slots=True)
class _Item:
    payload: bytes
    order: int = 0  # of publishing, on this connection
    published_ns: int = 0
    suspect: bool = False
    refusals: int = 0
    reason: str = ""
    digest: str = ""  # of the payload, once it was published


class InFlight:
    """Starts with what the outbox holds: (sequence, payload), oldest first. `match` False: an acknowledged number is
    enough, whatever content the portal has under it."""

    def __init__(self, stored: Iterable[tuple[int, bytes]], *, match: bool = True) -> None:
        self._match = match
        self._items: dict[int, _Item] = {}
        self._ready: deque[int] = deque()
        self._suspects: deque[int] = deque()
        self._published: dict[int, _Item] = {}  # in order of publishing
        self._sent: deque[int] = deque()  # sequences as published on this connection, 0 for anything else
        self._order = 0
        self._proof: tuple[int, bytes] | None = None
        self._proof_order = 0
        for sequence, payload in stored:
            self.add(sequence, payload)

    @property
    def busy(self) -> bool:
        return bool(self._items)

    @property
    def waiting(self) -> tuple[int, ...]:
        return tuple(sorted(self._items)) if self._items else ()

    def add(self, sequence: int, payload: bytes) -> None:
        self._items[sequence] = _Item(payload)
        self._ready.append(sequence)

    # --- out ---------------------------------------------------------------------------------------------------

    def next(self, now_ns: int) -> list[tuple[int, bytes]]:
        """What to publish now as (sequence, payload): one bundle, or a suspect and its proof; empty when nothing
        may go. Counts as published."""
        if self._ready and len(self._published) < WINDOW:
            sequence = self._ready.popleft()
            return [self._depart(sequence, now_ns)]
        if self._suspects and not self._ready and not self._published:
            sequence = self._suspects.popleft()
            leaving = [self._depart(sequence, now_ns)]
            if self._proof is not None:
                self._proof_order = self._count(0)
                leaving.append(self._proof)
            return leaving
        return []

    def other_published(self) -> None:
        """Something that is no bundle (a birth) went out on this connection."""
        self._count(0)

    def _depart(self, sequence: int, now_ns: int) -> tuple[int, bytes]:
        item = self._items[sequence]
        item.order, item.published_ns = self._count(sequence), now_ns
        item.digest = item.digest or digest(item.payload)
        self._published[sequence] = item
        return sequence, item.payload

    def _count(self, sequence: int) -> int:
        self._order += 1
        self._sent.append(sequence)
        return self._order

    # --- what came of it ---------------------------------------------------------------------------------------

    def acknowledged(self, taken: Iterable[Taken]) -> list[int]:
        """The portal committed these. Returns those of them that were waiting. What was never published cannot have
        been committed, and of another content nothing is known: neither leaves."""
        known, latest = [], 0
        for sequence, mark in taken:
            if self._proof is not None and sequence == self._proof[0] and mark == digest(self._proof[1]):
                latest = max(latest, self._proof_order)
            item = self._items.get(sequence)
            if item is None or (self._match and (item.digest == "" or item.digest != mark)):
                continue
            del self._items[sequence]
            known.append(sequence)
            latest = max(latest, item.order)
            if self._published.pop(sequence, None) is None:  # acknowledged while waiting to be sent again
                (self._suspects if item.suspect else self._ready).remove(sequence)
            self._proof, self._proof_order = (sequence, item.payload), 0
        if latest:
            overtaken = [number for number, item in self._published.items() if item.order < latest]
            for number in overtaken:
                self._refused(number, "later bundles were acknowledged, this one never was")
        if known:
            self._path_is_good()
        return known

    def published_until(self, unacknowledged: int) -> None:
        """So many publishes of this connection lack a PUBACK; the others need not be remembered."""
        while len(self._sent) > max(unacknowledged, 0):
            self._sent.popleft()

    def connection_ended(self) -> None:
        """Everything is to be published again. Call `published_until` before with the count at the loss."""
        if self._sent and self._sent[0] in self._published:
            self._refused(self._sent[0], "the connection broke before the broker accepted it")
        for number, item in self._published.items():
            (self._suspects if item.suspect else self._ready).append(number)
        self._published.clear()
        self._sent.clear()
        self._order = self._proof_order = 0
        for item in self._items.values():
            item.order = 0
        self._ready = deque(sorted(self._ready))

    def late(self, before_ns: int) -> None:
        """No answer since before_ns: suspect, without blame."""
        while self._published:
            number, item = next(iter(self._published.items()))
            if item.published_ns > before_ns:
                return
            self._doubt(number)

    def take_refused(self) -> list[tuple[int, str, str]]:
        """Bundles that had REFUSALS_MAX refusals, with the reason of the last and their digests; they leave."""
        if not self._suspects:
            return []
        refused = [number for number in self._suspects if self._items[number].refusals >= REFUSALS_MAX]
        taken = []
        for number in refused:
            self._suspects.remove(number)
            item = self._items.pop(number)
            taken.append((number, f"refused {REFUSALS_MAX} times: {item.reason}", item.digest))
        return taken

    def _refused(self, number: int, reason: str) -> None:
        item = self._items[number]
        item.refusals += 1
        item.reason = reason
        self._doubt(number)

    def _doubt(self, number: int) -> None:
        item = self._published.pop(number)
        item.suspect, item.order = True, 0
        self._suspects.append(number)

    def _path_is_good(self) -> None:
        """Those that were only late are no suspects any more."""
        innocent = [number for number in self._suspects if not self._items[number].refusals]
        if innocent:
            for number in innocent:
                self._items[number].suspect = False
            self._suspects = deque(number for number in self._suspects if number not in set(innocent))
            self._ready = deque(sorted([*self._ready, *innocent]))
