"""Compiled code that works on addresses stays within its arrays; and the pages beside them kill who does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from bench.run_directory import ROOT

pytest.importorskip("numba")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are closed by Linux's mprotect")

_BESIDE = """
import ctypes
import sys
import numpy as np
from tests.edges import guarded
at_end = sys.argv[1] == "end"
array = guarded(np.arange(5000, dtype=np.uint8), at_end=at_end)
assert array[0] == 0 and array[4999] == 135
ctypes.string_at(array.ctypes.data + (5000 if at_end else -1), 1)
"""


def test_nobody_leaves_the_arrays() -> None:
    subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.edges"], cwd=ROOT, check=True,
        env=os.environ | {"MALLOC_PERTURB_": "165"},
    )  # fmt: skip


@pytest.mark.parametrize("side", ["begin", "end"])
def test_who_does_is_killed(side: str) -> None:
    assert subprocess.run([sys.executable, "-c", _BESIDE, side], cwd=ROOT, check=False).returncode == -signal.SIGSEGV
