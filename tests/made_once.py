"""What a test module sets up at some cost, made once for all workers of pytest-xdist and not once by each that runs one
of its tests."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from arrays.cache_folder import locked

T = TypeVar("T")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What `make(folder)` returns, by the first that comes; the others wait for it and read it. It must be good for
    pickle, and nobody may change the folder afterwards. Where `make` fails, the next one tries again."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, kept = base / name, base / f"{name}.pickle"
    with locked(base / f"{name}.lock"):
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made = pickle.dumps(make(folder))
            fresh = kept.with_suffix(".new")
            fresh.write_bytes(made)
            os.replace(fresh, kept)
    value: T = pickle.loads(kept.read_bytes())
    return value
