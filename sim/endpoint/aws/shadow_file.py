"""Device shadows on the companion's disk: shadows.json in its working directory.

A list of {"thing", "name" (null: the classic one), "state", "metadata", "version"}. It is written once a second: a
companion that is killed loses what came since, which the service would not. Versions of deleted shadows are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sim.core import whole_file
from sim.endpoint.aws.shadows import Shadows

FILE: Final = "shadows.json"


def write(shadows: Shadows, directory: Path = Path()) -> None:
    """Whole or not at all."""
    rows = [{"thing": thing, "name": name, **found} for (thing, name), found in shadows.everything().items()]
    whole_file.write(directory / FILE, json.dumps(rows))


def read(directory: Path = Path()) -> list[dict[str, Any]]:
    """The rows; none where there is no file. Raises ValueError for a file that is none of ours, OSError."""
    place = directory / FILE
    if not place.exists():
        return []
    found = json.loads(place.read_text(encoding="utf-8"))
    if not isinstance(found, list) or not all(isinstance(one, dict) and "thing" in one for one in found):
        raise ValueError(f"{place} is no file of shadows")
    return found


def restore(shadows: Shadows, directory: Path = Path()) -> None:
    """What was written, into an account's shadows."""
    for row in read(directory):
        shadows.put(row["thing"], row["name"], row)


def classic(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Thing -> state, metadata and version of its shadow without a name."""
    return {
        str(row["thing"]): {key: row.get(key) for key in ("state", "metadata", "version")}
        for row in rows
        if row.get("name") is None
    }
