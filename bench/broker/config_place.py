"""The line of a mosquitto.conf that a finding is about, and the line that is wrong by not being there: line 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import named_files
from bench.run_errors import CannotRun

MOST_BYTES = 1 << 20


def settings(path: Path) -> list[tuple[int, str]]:
    """(line, setting) of each line that sets one. Raises CannotRun."""
    text = named_files.read(path, MOST_BYTES, "name the broker's mosquitto.conf")
    if b"\0" in text:
        raise CannotRun(f"{path}: no mosquitto.conf; that is text, one setting a line")
    lines = text.decode("utf-8", "replace").splitlines()
    return [
        (number, words[0]) for number, line in enumerate(lines, 1) if (words := line.split()) and words[0][0] != "#"
    ]


def line_of(known: Sequence[tuple[int, str]], wanted: Sequence[str]) -> int:
    """Of the nearest setting that stands there; the last of its name holds."""
    for name in wanted:
        if found := [number for number, setting in known if setting == name]:
            return found[-1]
    return 1
