"""Files that a command line names: read, or written, or refused in one sentence with the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.run_errors import CannotRun


def read(path: Path, most_bytes: int, otherwise: str) -> bytes:
    """All of it. `otherwise`: what to do about one that cannot be read, or is longer. Raises CannotRun."""
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or error}; {otherwise}") from None
    if len(data) > most_bytes:
        raise CannotRun(f"{path}: more than {most_bytes} bytes; {otherwise}")
    return data


@contextmanager
def writing(otherwise: str = "name a file that can be written") -> Iterator[None]:
    """Around what writes them. Raises CannotRun."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        raise CannotRun(f"{where}{error.strerror or error}; {otherwise}") from None
