"""Which values were seen, kept as RFC 4303 (section 3.4.3) keeps sequence numbers: the highest, and a bitmap behind it.

Several gateways hear a meter and each publishes in its own time, so "greater than the last" would refuse genuine
telegrams every day (docs/decisions/portal-anti-replay-window.md). A window is one row a meter and kind, written in the
transaction that stores the readings and forgotten when that is rolled back.
"""

from __future__ import annotations

from sim.portal.store import Store

NEW, SEEN, BEHIND = 0, 1, 2


class Window:
    """The highest value and which of the `size` values up to it were seen; bit 0 is the highest itself."""

    __slots__ = ("at_ns", "highest", "seen", "size")

    def __init__(self, size: int, highest: int = -1, seen: int = 0, at_ns: int = 0) -> None:
        self.size, self.highest, self.seen, self.at_ns = size, highest, seen, at_ns

    def look(self, value: int) -> int:
        """NEW, SEEN, or BEHIND: so old that nobody can tell."""
        behind = self.highest - value
        if behind < 0 or not self.seen:
            return NEW
        if behind >= self.size:
            return BEHIND
        return SEEN if self.seen >> behind & 1 else NEW

    def mark(self, value: int) -> None:
        behind = self.highest - value
        if not self.seen:
            self.highest, self.seen = value, 1
        elif behind < 0:
            # A jump beyond the window would shift a huge integer only to mask it away.
            shifted = self.seen << -behind if -behind < self.size else 0
            self.seen = (shifted | 1) & ((1 << self.size) - 1)
            self.highest = value
        elif behind < self.size:
            self.seen |= 1 << behind


class Windowed:
    """A check whose state is one window a meter, kept in rows of `kind`."""

    kind: str
    size: int

    def __init__(self, store: Store) -> None:
        self._store = store
        self.windows: dict[str, Window] = {}
        self._changed: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Back to what is committed: after a rollback, and at the start."""
        rows = self._store.query("SELECT meter, highest, seen, at_ns FROM freshness WHERE kind = ?", (self.kind,))
        self.windows = {
            meter: Window(self.size, highest, int.from_bytes(seen, "big"), at_ns)
            for meter, highest, seen, at_ns in rows
        }
        self._changed.clear()

    def of(self, meter: str) -> Window:
        """The window that is about to be written."""
        self._changed.add(meter)
        window = self.windows.get(meter)
        if window is None:
            window = self.windows[meter] = Window(self.size)
        return window

    def write(self) -> None:
        """Inside the transaction that stores the readings."""
        rows = []
        for meter in self._changed:
            window = self.windows[meter]
            seen = window.seen.to_bytes((window.seen.bit_length() + 7) // 8, "big")
            rows.append((meter, self.kind, window.highest, seen, window.at_ns))
        self._store.insert("freshness", rows, replace=True)
        self._changed.clear()
