"""Compiled code is kept under what it is made of: every constant, table and function in it counts, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from arrays import content
from bench.run_directory import ROOT

SOURCE = '''
import numpy as np
from arrays.jit import intrinsic, njit, overload
LIMIT, TABLE, UNUSED = 7, np.arange(5), 1
SHAPES = {"a": (1, 2)}
def helper(x):
    return x + 1
@njit(inline="always")
def inner(x):
    return later(x) + TABLE[0] if x in (1, 2) else LIMIT
@njit()
def outer(x):
    "Says."
    return inner(x) + helper(x) + len(SHAPES)
@njit()
def later(x):
    return x - 1
@overload(helper)
def _helper(x):
    return lambda x: x + 1
'''


def made(source: str = SOURCE) -> Callable[..., int]:
    module = types.ModuleType("made")
    exec(compile(source, "made.py", "exec"), module.__dict__)
    function: Callable[..., int] = module.outer.py_func
    return function


BEFORE = content.digest(made())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT, TABLE, UNUSED = 7", "LIMIT, TABLE, UNUSED = 8"), ("np.arange(5)", "np.arange(5) + 1"),
        ("np.arange(5)", "np.arange(5, dtype=np.int32)"), ("return x + 1\n@njit", "return x + 2\n@njit"),
        ("lambda x: x + 1", "lambda x: x + 2"), ("x - 1", "x - 2"), ("(1, 2) else", "(1, 3) else"),
        ('inline="always"', 'inline="never"'), ('{"a": (1, 2)}', '{"a": (1, 3)}'), ("in (1, 2)", "in {1, 2}"),
    ],
)  # fmt: skip
def test_what_a_function_is_made_of_counts(old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    assert content.digest(made(SOURCE.replace(old, new))) != BEFORE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"), [(", 1\nSHAPES", ", 2\nSHAPES"), ("\n@njit()\ndef outer", "\n\n# why\n@njit()\ndef outer")]
)
def test_what_is_not_in_it_does_not(old: str, new: str) -> None:
    assert SOURCE.count(old) == 1
    assert content.digest(made(SOURCE.replace(old, new))) == BEFORE  # type: ignore[arg-type]


def test_a_name_that_is_still_missing_is_said() -> None:
    with pytest.raises(content.Unresolved, match="outer names helper"):
        content.digest(made(SOURCE.replace("def helper", "def other").replace("@overload(helper)", "@overload(other)")))  # type: ignore[arg-type]


def test_everything_of_ours_can_be_kept(tmp_path: Path) -> None:
    """In processes whose hashes have other seeds, under the same names."""
    told = """
import gc, os
from arrays import content, jit
from sim.city import conduct, stored_readings, warm_up
from sim import world
from sim.meters import per_day
dispatchers = [one for one in gc.get_objects() if id(one) in jit._ours and hasattr(one, "py_func")]
for name, digest in sorted((jit._ours[id(one)], content.digest(one.py_func)) for one in dispatchers):
    print(name, digest)
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", told], cwd=ROOT, check=True, capture_output=True, text=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "NUMBA_CACHE_DIR": str(tmp_path)},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1]
    assert len(said[0].splitlines()) > 50
