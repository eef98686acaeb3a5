"""What all pages share: their templates, the words in them, and how they come to stand in a run directory."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from reports import palette
from reports.run_model import RunError
from reports.wording import duration_text, mode_text, number_text, ratio_text, value_text, wall_time_text
from sim.core import whole_file
from sim.core.clock import world_time
from sim.core.quoting import shown

TEMPLATES: Final = Path(__file__).parent / "templates"
COMPILED: Final = Path(__file__).parents[1] / ".cache" / "templates"
_OPTIONS: Final[dict[str, Any]] = {
    "autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True,
}  # fmt: skip


class _Compiled(FileSystemBytecodeCache):
    """Templates as they were compiled, beside what else is, for the next process: compiling them takes longer than
    filling them. One that has changed is compiled again; where nothing can be written it goes without."""

    def __init__(self, folder: Path) -> None:
        made_by = zlib.crc32(f"{version('jinja2')} {_OPTIONS}".encode())
        super().__init__(str(folder), f"{made_by:08x}-%s")

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def environment() -> Environment:
    """Templates escape everything; a name that was not given is an error. One for all pages of a process: it holds what
    was compiled of them, and nobody adds to it."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), bytecode_cache=_Compiled(COMPILED), **_OPTIONS)
    made.filters |= {
        "world_time": world_time, "wall_time": wall_time_text, "number": number_text, "value": value_text,
        "mode": mode_text,
        "duration": duration_text, "ratio": ratio_text, "shown": shown,
    }  # fmt: skip
    made.globals |= {"theme": Markup(palette.css()), "outcome_colours": palette.OUTCOMES}
    return made


def write(run_directory: Path, text: str) -> Path:
    """report.html; one that stands there stays until the new one is whole. Raises OSError."""
    return whole_file.write(run_directory / "report.html", text)


def body_of(path: Path, kind: str, makers: str) -> dict[str, Any]:
    """What a verb left in a run directory. `makers`: which verbs make one. Raises RunError."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: {error}; it is no {kind} that can be read") from None
    if not isinstance(body, dict) or body.get("kind") != kind:
        raise RunError(f"{path.parent} is no {kind}; {makers}")
    return body
