"""Which values were seen, kept as RFC 4303 (section 3.4.3) keeps sequence numbers: the highest, and a bitmap behind it,
here one whole number of any length."""

from __future__ import annotations

NEW, SEEN, BEHIND = "new", "seen", "behind"


class Window:
    """The highest value and which of the `size` values up to it were seen; bit 0 is the highest itself."""

    def __init__(self, size: int) -> None:
        self.size, self.highest, self.seen, self.at_ns = size, -1, 0, 0

    def look(self, value: int) -> str:
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
