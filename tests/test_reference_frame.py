"""docs/reference/frame.md: each command on the page gives the output that stands under it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "frame.md"


def examples() -> list[tuple[str, str]]:
    """(command, output) of each `$ ...` in the console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    parts = [part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.M) if part]
    return [(command, output) for command, _, output in parts]


@pytest.mark.parametrize(("command", "output"), examples(), ids=lambda text: text[:40])
def test_the_example_runs_as_it_stands(command: str, output: str, tmp_path: Path) -> None:
    ours = command.replace("./wmbench", f"{shlex.quote(sys.executable)} -m bench")
    done = subprocess.run(
        ["sh", "-c", ours], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == output


def test_the_page_has_its_examples() -> None:
    assert len(examples()) == 7
