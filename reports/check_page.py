"""report.html of a check of a gateway, and of an attack on a broker: what came out, every row with its sentence and its
evidence; and two checks side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from reports import check_text, page

COLOURS: Final = {"PASS": "green", "FAIL": "red solid", "INCONCLUSIVE": "amber", "NOT APPLICABLE": "grey"}
CHANGE_COLOURS: Final = {"new failure": "red solid", "no longer decided": "amber", "unstable": "amber",
                         "mended": "green", "decided now": "green", "only in one": "grey", "same": "grey"}  # fmt: skip
EVIDENCE: Final = ("fed.jsonl", "torn.jsonl", "delivered.jsonl", "soak.jsonl", "box/stdout", "box/stderr",
                   "endpoint/broker.log", "wire.pcap", "row.json")  # fmt: skip
_FIRST: Final = ("FAIL", "INCONCLUSIVE", "PASS", "NOT APPLICABLE")


def write(directory: Path, against: Path | None = None) -> Path:
    """`against`: another check's directory, the older of the two. Raises RunError, OSError."""
    return page.write(directory, render(_read(directory), directory, _read(against) if against is not None else None))


def render(run: dict[str, Any], directory: Path, before: dict[str, Any] | None = None) -> str:
    rows = sorted(run["scenarios"], key=lambda row: _FIRST.index(row["answer"]))
    return page.environment().get_template("check.html.j2").render(
        run=run, rows=rows, colours=COLOURS, summary=check_text.summary(run),
        evidence={row["row"]: _evidence(directory, row["evidence"]) for row in rows},
        before=before, pairs=check_text.pairs(before, run) if before is not None else [],
        change_colours=CHANGE_COLOURS,
        claims=[(key, value) for key, value in run["check"]["claims"].items() if value not in ("", 0, 0.0, [], False)],
    )  # fmt: skip


def _evidence(directory: Path, folder: str) -> list[str]:
    """Files of a row that are there, as links from the page."""
    base = (directory / folder).resolve()
    if not folder or not base.is_relative_to(directory.resolve()):
        return []
    return [f"{folder}/{name}" for name in EVIDENCE if (base / name).exists()]


def _read(directory: Path) -> dict[str, Any]:
    makers = "`./wmbench gateway check` and `./wmbench attack broker` make one"
    return page.body_of(directory / "run.json", "check", makers)
