"""points.jsonl: every finished shard of a sweep, one line each, appended as it comes, so that nothing finished is lost.

The rule kept here: a line is a whole ShardResult and says which job it is of. What was cut short by a kill is no line,
and its job is done again.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.run_directory import RunDirectoryError
from bench.sweep.worker_pool import Job
from sim.city.conduct import ShardResult

NAME: Final = "points.jsonl"
Key = tuple[int, int, int]


class Log:
    """Appends to a run directory's points.jsonl."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._heal()

    def _heal(self) -> None:
        """A line that a kill cut short goes, so that the next one does not hang on to it."""
        if self._path.exists():
            data = self._path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                self._path.write_bytes(whole)

    def add(self, job: Job, result: ShardResult) -> None:
        """Raises OSError."""
        point, seed, shard = job.key
        values = {name: _plain(getattr(result, name)) for name in ShardResult.__slots__}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"point": point, "seed": seed, "shard": shard, "result": values}) + "\n")


def read(directory: Path) -> dict[Key, ShardResult]:
    """What is finished, by point, seed and shard. Raises RunDirectoryError."""
    path = directory / NAME
    found: dict[Key, ShardResult] = {}
    if not path.exists():
        return found
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):
        try:
            row = json.loads(line)
            values = {name: _whole(value) for name, value in row["result"].items()}
            found[row["point"], row["seed"], row["shard"]] = ShardResult(**values)
        except (ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
            raise RunDirectoryError(f"{path}, line {number}: no finished shard ({error}); take it out") from None
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "type": str(value.dtype), "shape": list(value.shape)}
    if isinstance(value, tuple):
        return {"tuple": [_plain(entry) for entry in value]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        return {"record": f"{kind.__module__}:{kind.__qualname__}", "values": {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }}  # fmt: skip
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


def _whole(value: Any) -> Any:
    if isinstance(value, dict) and "array" in value:
        return np.array(value["array"], dtype=value["type"]).reshape(value["shape"])
    if isinstance(value, dict) and "tuple" in value:
        return tuple(_whole(entry) for entry in value["tuple"])
    if isinstance(value, dict) and "record" in value:
        module, _, name = value["record"].partition(":")
        if not module.startswith("sim."):
            raise ValueError(f"{module} holds no results")
        values = {key: _whole(entry) for key, entry in value["values"].items()}
        return getattr(importlib.import_module(module), name)(**values)
    return [_whole(entry) for entry in value] if isinstance(value, list) else value
