"""The card on a gateway that holds keys, from card.json: lines for a terminal, report.html with the evidence of each
cell, and two cards side by side."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from reports import check_text, page, palette
from reports.wording import mode_text, plain

FILE: Final = "card.json"  # as bench.run_directory finds it
PLACE: Final = "card"
"""The stand's directory, below the run's."""
ANSWERS: Final = ("SUCCEEDED", "PREVENTED", "INCONCLUSIVE", "NOT APPLICABLE")
CHANGE_COLOURS: Final = {"new failure": "red solid", "no longer decided": "amber", "mended": "green",
                         "decided now": "green", "only in one": "grey", "same": "grey"}  # fmt: skip
CHANGE_WORDS: Final = {"new failure": "succeeds now", "mended": "prevented now"}
_LOGS: Final = ("fed.jsonl", "delivered.jsonl", "box/stdout", "box/stderr", "endpoint/broker.log")


def write(directory: Path, against: Path | None = None) -> Path:
    """`against`: another card's directory, the older of the two. Raises RunError, OSError."""
    return page.write(directory, render(read(directory), directory, read(against) if against is not None else None))


def render(card: dict[str, Any], directory: Path, before: dict[str, Any] | None = None) -> str:
    place = (directory / PLACE).resolve()
    cells = [{**cell, "file": _link(place, cell["evidence"])} for cell in card["cells"]]
    return page.environment().get_template("card.html.j2").render(
        run=card, summary=summary(card), colours=palette.VERDICTS, before=before, change_colours=CHANGE_COLOURS,
        change_words=CHANGE_WORDS, pairs=pairs(before, card) if before is not None else [],
        cards=[(name, list(of)) for name, of in itertools.groupby(cells, key=lambda cell: str(cell["card"]))],
        logs=[f"{PLACE}/{name}" for name in _LOGS if (place / name).exists()],
        claims=[(key, value) for key, value in card["claims"].items() if value not in ("", 0, 0.0, [], False)],
    )  # fmt: skip


def lines(card: Mapping[str, Any]) -> Iterator[str]:
    """A line a cell, and what it comes to."""
    for one in card["cells"]:
        mode = mode_text(one["security"])
        shots = f"{one['achieved']} of {one['reached']}" if one["reached"] else ""
        yield plain(f"{one['verdict']:<14} {one['card']:<17} {one['variant']:<48} {mode:<8} {shots:<8} {one['why']}")
    yield summary(card)


def summary(card: Mapping[str, Any]) -> str:
    count = Counter(one["verdict"] for one in card["cells"])
    return ", ".join(f"{count[answer]} {answer}" for answer in ANSWERS)


def pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[check_text.Pair]:
    """Cells of both, what changed most first."""
    return check_text.pairs(_as_rows(before), _as_rows(after))


def against_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The two side by side: the one named first is the newer one."""
    yield f"{plain(after['title'])}, {after['started']}, against {before['started']}"
    found = pairs(before, after)
    for pair in found:
        if pair.change != "same":
            said = CHANGE_WORDS.get(pair.change, pair.change)
            yield f"{said:<18} {plain(pair.row)}: {pair.before or '-'}, {pair.after or '-'} now; {plain(pair.words)}"
    count = Counter(pair.change for pair in found)
    every = [change for change in check_text.CHANGES if count[change]]
    yield ", ".join(f"{count[change]} {CHANGE_WORDS.get(change, change)}" for change in every)


def read(directory: Path) -> dict[str, Any]:
    """card.json of a run directory. Raises RunError."""
    return page.body_of(directory / FILE, "card", "`./wmbench gateway card` makes one")


def _as_rows(card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "scenarios": [
            {"row": ", ".join(filter(None, (one["card"], one["variant"], mode_text(one["security"])))),
             "title": one["variant"], "answer": one["verdict"], "message": one["why"]}
            for one in card["cells"]
        ]
    }  # fmt: skip


def _link(place: Path, name: str) -> str:
    """As a link from the page; "" for what is not there."""
    file = (place / name).resolve()
    return f"{PLACE}/{name}" if name and file.is_relative_to(place) and file.is_file() else ""
