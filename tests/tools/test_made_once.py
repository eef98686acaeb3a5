"""A set-up that several workers share is made by one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.run_directory import ROOT
from tests.made_once import made_once

SHARED = """
import pytest
from tests.made_once import made_once

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    def make(folder):
        with (folder.parent / "made").open("a") as file:
            file.write("x")
        (folder / "file").write_text("content")
        return folder, 7
    return made_once(tmp_path_factory, "shared", make)

@pytest.mark.parametrize("number", range(6))
def test_it(shared, number):
    folder, seven = shared
    assert ((folder / "file").read_text(), seven) == ("content", 7)
    assert (folder.parent / "made").read_text() == "x"
"""


def test_two_workers_make_it_once(tmp_path: Path) -> None:
    (tmp_path / "test_shared.py").write_text(SHARED)
    words = ["-q", "-n", "2", "--dist", "load", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "base")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--rootdir", str(tmp_path), "-c", "/dev/null", "test_shared.py"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "6 passed" in done.stdout, done.stdout + done.stderr


def test_one_that_failed_is_tried_again(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    def fails(folder: Path) -> int:
        (folder / "left").touch()
        raise OSError("no")

    name = f"again-{tmp_path.name}"
    with pytest.raises(OSError, match="no"):
        made_once(tmp_path_factory, name, fails)
    assert made_once(tmp_path_factory, name, lambda folder: len(list(folder.iterdir()))) == 0
    assert made_once(tmp_path_factory, name, lambda folder: 1) == 0
