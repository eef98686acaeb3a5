"""Which tests begin first when several workers share them: those that take long, so that none is left for the end.

pytest-xdist (`--dist worksteal`) gives each worker one run of the collected tests, and a worker that has done its own
takes from the end of another's. Collected by name, the pages of docs/how-to, minutes long, would come last of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from itertools import islice
from typing import Final, TypeVar

FILES: Final = (
    "tests/test_how_to_*.py",
    "tests/test_tutorial.py",
    "tests/bench/cli/test_main.py",
    "tests/bench/desk/test_contract_suite.py",
)
"""Those with tests of some ten seconds and more, of which none shares a set-up with its neighbours."""

T = TypeVar("T")


def is_long(node_id: str) -> bool:
    """By the test's file."""
    return any(fnmatch(node_id.partition("::")[0], pattern) for pattern in FILES)


def dealt(items: Sequence[T], workers: int, long: Callable[[T], bool]) -> list[T]:
    """The same items, long ones in turn in front of each worker's share; the others stay in their order."""
    first = [item for item in items if long(item)]
    others = iter([item for item in items if not long(item)])
    order: list[T] = []
    left = len(items)
    for worker in range(workers):
        share = left // (workers - worker)
        mine = first[worker::workers]
        order += [*mine, *islice(others, max(0, share - len(mine)))]
        left -= share
    return [*order, *others]
