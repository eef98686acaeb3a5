"""The smallest sets of switches under which nothing succeeds, by what must be hit.

When an attack succeeds under a set, switches are added while it still does. What is left over then is a set of which at
least one must be on: without any of them this attack gets through whatever else is on. Candidates are the smallest sets
that hit all that are known; the first that stops everything is an answer, and so are the others of its size that do.
Sets are tried as questions to the portal itself: nothing is assumed of what a switch does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Needed(Generic[C]):
    """At least one of `one_of` must be on, or `cell` succeeds."""

    one_of: frozenset[str]
    cell: C


@dataclass(frozen=True, slots=True)
class Found(Generic[C]):
    """`sets`: all smallest ones. `needed`: why."""

    sets: tuple[frozenset[str], ...]
    needed: tuple[Needed[C], ...]


def smallest_sets(switches: Sequence[str], succeeding: Callable[[frozenset[str]], C | None],
                  succeeds: Callable[[frozenset[str], C], bool]) -> Found[C]:  # fmt: skip
    """`succeeding(on)`: an attack that succeeds under a set, None when none does; `succeeds(on, cell)`: whether this
    one does. Nothing may succeed with all on."""
    needed: list[Needed[C]] = []
    while True:
        answers: list[frozenset[str]] = []
        for candidate in _hitting(switches, [one.one_of for one in needed]):
            cell = succeeding(candidate)
            if cell is None:
                answers.append(candidate)
                continue
            needed.append(_needed(switches, candidate, cell, succeeds))
            break
        else:
            return Found(tuple(answers), tuple(needed))


def _needed(
    switches: Sequence[str], on: frozenset[str], cell: C, succeeds: Callable[[frozenset[str], C], bool]
) -> Needed[C]:
    for switch in switches:
        if switch not in on and succeeds(on | {switch}, cell):
            on |= {switch}
    return Needed(frozenset(switches) - on, cell)


def _hitting(switches: Sequence[str], wanted: Sequence[frozenset[str]]) -> Iterator[frozenset[str]]:
    """All smallest sets that have one of each."""
    useful = [one for one in switches if any(one in some for some in wanted)]
    for size in range(len(useful) + 1):
        fitting = [frozenset(some) for some in combinations(useful, size) if all(set(some) & one for one in wanted)]
        if fitting:
            yield from fitting
            return
