"""Where in a message something stands, as an inventory says it.

    ""                              the whole payload
    $.params.telegrams[*].data      a JSON path: members, [3] (from 0), [*] (each), ['a.b'] for names with dots
    column 5                        a column of a line, counted from 1
    topic 3                         a level of the topic, counted from 1

Paths with [*] that begin alike are read together: the time of the second telegram is the second time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_STEP: Final = re.compile(r"\.([^.\[\]'\"\s]+)|\[(\d{1,6})\]|\[(\*)\]|\['([^']+)'\]")
_NUMBERED: Final = re.compile(r"(column|topic) ([1-9]\d{0,3})")
Step = str | int
Indices = tuple[int, ...]
ABSENT: Final = object()
"""What `at` gives where nothing stands."""


class BadPlace(ValueError):
    """A place that means nothing; one sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """`kind`: "whole", "json", "column" or "topic". `steps` of a JSON path: names, numbers, and "*" as `Star`;
    `number` of a column or level, from 1."""

    kind: str
    steps: tuple[Step | Star, ...] = ()
    number: int = 0


class Star:
    """[*]"""

    def __repr__(self) -> str:
        return "[*]"


STAR: Final = Star()


@lru_cache(maxsize=1_024)
def place(text: str) -> Place:
    """Raises BadPlace."""
    if not text:
        return Place("whole")
    if numbered := _NUMBERED.fullmatch(text):
        return Place(numbered[1], number=int(numbered[2]))
    if not text.startswith("$"):
        raise BadPlace(f"{text!r} is neither a JSON path like $.data, nor 'column 5', nor 'topic 3'")
    steps: list[Step | Star] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise BadPlace(f"{text!r}: at letter {at + 1} a JSON path goes on with .name, [3], [*] or ['a name']")
        name, number, each, quoted = step.groups()
        steps.append(STAR if each else int(number) if number else name or quoted)
        at = step.end()
    return Place("json", tuple(steps))


def written(steps: tuple[Step | Star, ...]) -> str:
    """Steps -> the JSON path that means them."""
    out = "$"
    for step in steps:
        if isinstance(step, Star):
            out += "[*]"
        elif isinstance(step, int):
            out += f"[{step}]"
        else:
            out += f".{step}" if _STEP.fullmatch(f".{step}") else f"['{step}']"
    return out


def every(body: object, steps: tuple[Step | Star, ...]) -> list[tuple[Indices, object]]:
    """All that stands at a JSON path, each with the numbers that its [*] are."""
    found: list[tuple[Indices, object]] = [((), body)]
    for step in steps:
        if isinstance(step, Star):
            found = [
                ((*indices, at), entry)
                for indices, one in found
                if isinstance(one, list)
                for at, entry in enumerate(one)
            ]
        else:
            found = [(indices, inner) for indices, one in found if (inner := _inner(one, step)) is not ABSENT]
    return found


def at(body: object, steps: tuple[Step | Star, ...], indices: Indices) -> object:
    """What stands at a JSON path for the telegram of these indices; ABSENT if nothing does."""
    left = list(indices)
    for step in steps:
        if isinstance(step, Star):
            if not left:
                return ABSENT
            step = left.pop(0)
        body = _inner(body, step)
    return body


def _inner(body: object, step: Step) -> object:
    if isinstance(step, str) and isinstance(body, dict):
        return body.get(step, ABSENT)
    if isinstance(step, int) and isinstance(body, list) and step < len(body):
        return body[step]
    return ABSENT
