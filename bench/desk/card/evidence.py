"""What a cell was decided by: what was fed and what came while it was played, in a file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.desk.stand import Stand

FOLDER: Final = "cells"


class Places(NamedTuple):
    """Bytes of fed.jsonl and delivered.jsonl."""

    fed: int
    came: int


def places(stand: Stand) -> Places:
    """How far both logs are."""
    stand.flush()
    return Places(*(log.stat().st_size for log in _logs(stand)))


def keep(stand: Stand, since: Places, number: int) -> str:
    """The file of a cell, below the stand's directory: a line for each telegram fed ("what": "fed") and each delivery
    ("came") since then, by the wall's time. "" when nothing was."""
    stand.flush()
    rows: list[dict[str, Any]] = []
    for what, log, at in zip(("fed", "came"), _logs(stand), since, strict=True):
        with log.open("rb") as file:
            file.seek(at)
            rows += [{"what": what, **json.loads(line)} for line in file]
    if not rows:
        return ""
    name = f"{FOLDER}/{number:02d}.jsonl"
    (stand.directory / FOLDER).mkdir(exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in sorted(rows, key=lambda row: int(row["wall_ns"])))
    (stand.directory / name).write_text(text, encoding="utf-8")
    return name


def _logs(stand: Stand) -> tuple[Path, Path]:
    return stand.directory / "fed.jsonl", stand.directory / "delivered.jsonl"
