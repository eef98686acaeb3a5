"""The nearest of the names that there are, for a name that there is not. Capitals count
for nothing; without a name near enough nothing is said."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ "; did you mean 'bind'?", to be put behind what is wrong, or ""."""
    small = {one.lower(): one for one in sorted(known)}
    near = difflib.get_close_matches(name.lower(), small, n=1)
    return f"; did you mean '{small[near[0]]}'?" if near else ""
