"""A check of a gateway for a terminal, and two checks side by side: lines of text, from run.json."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from reports.wording import plain

Change = Literal["new failure", "mended", "unstable", "no longer decided", "decided now", "only in one", "same"]
CHANGES: Final[tuple[Change, ...]] = (
    "new failure", "no longer decided", "unstable", "mended", "decided now", "only in one", "same",
)  # fmt: skip
_WIDTH: Final = 78
_BAD: Final = ("FAIL", "SUCCEEDED")
_GOOD: Final = ("PASS", "PREVENTED")
"""Of a row, and of an attack's cell (card_page)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One row in two checks: the older's answer, the newer's, "" where a check has no such row."""

    row: str
    title: str
    before: str
    after: str
    change: Change
    words: str


def lines(run: Mapping[str, Any]) -> Iterator[str]:
    """The table, a line or more a row, and what it comes to."""
    yield plain(run["title"])
    for row in run["scenarios"]:
        words = textwrap.wrap(plain(row["message"]), _WIDTH) or [""]
        yield f"{row['answer']:<14} {row['row']:<16} {words[0]}"
        for more in words[1:]:
            yield f"{'':<31} {more}"
    yield summary(run)


def summary(run: Mapping[str, Any]) -> str:
    count = Counter(row["answer"] for row in run["scenarios"])
    said = ", ".join(f"{count[answer]} {answer}" for answer in ("PASS", "FAIL", "INCONCLUSIVE", "NOT APPLICABLE"))
    if count["INCONCLUSIVE"] > count["PASS"] + count["FAIL"]:
        return f"no answer: {said}"
    return f"{run['outcome']}: {said}"


def pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Pair]:
    """Rows of both, what changed most first. A row is unstable when it gave several answers within one check."""
    old, new = ({row["row"]: row for row in run["scenarios"]} for run in (before, after))
    found = []
    for id_ in sorted(set(old) | set(new)):
        one, other = old.get(id_), new.get(id_)
        shown = other or one or {}
        found.append(Pair(id_, shown["title"], one["answer"] if one else "", other["answer"] if other else "",
                          _change(one, other), shown["message"]))  # fmt: skip
    return sorted(found, key=lambda pair: CHANGES.index(pair.change))


def _change(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Change:
    if one is None or other is None:
        return "only in one"
    if any(len(set(row.get("answers", ()))) > 1 for row in (one, other)):
        return "unstable"
    before, after = one["answer"], other["answer"]
    if before == after:
        return "same"
    if after in _BAD:
        return "new failure"
    if before in _BAD and after in _GOOD:
        return "mended"
    return "decided now" if after in _GOOD else "no longer decided"


def against_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The two side by side: the run named first is the newer one."""
    yield f"{plain(after['title'])}, {after['started']}, against {before['started']}"
    found = pairs(before, after)
    for pair in found:
        if pair.change != "same":
            answers = f"{pair.before or '-':<14} {pair.after or '-':<14}"
            yield f"{pair.change:<18} {pair.row:<16} {answers} {plain(pair.words)}"
    count = Counter(pair.change for pair in found)
    yield ", ".join(f"{count[change]} {change}" for change in CHANGES if count[change])
