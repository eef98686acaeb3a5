"""A file that is there whole or not at all: a reader, also after a crash, finds the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """An empty file beside `path`, which takes its place when the block ends, and goes where the block fails.
    `private`: 0600 before the first byte is in it. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666))
        yield fresh
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def write(path: Path, content: str | bytes, *, private: bool = False, durable: bool = False) -> Path:
    """`content`, text in UTF-8, as the whole of `path`. `durable`: on the disk when this returns. Raises OSError."""
    with replacing(path, private=private) as fresh:
        if isinstance(content, str):
            fresh.write_text(content, encoding="utf-8")
        else:
            fresh.write_bytes(content)
        if durable:
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
    return path
