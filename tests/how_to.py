"""A page of docs/how-to, followed to the letter in a copy of the tree.

On a page, a fenced block behind a line that ends with "`path/of/a/file`:" is the content of that file. A `sh` block
holds commands; a `console` block right behind it is what they print, where "..." stands for whatever lines there are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from arrays import cache_folder
from bench.run_directory import PLACE, ROOT
from tests.bench.command_line import PATIENCE_S

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".cache", "runs", ".*_cache", ".hypothesis", ".tox")
"""What Python compiled is taken along: it holds for the copy, whose files have the times of ours."""
_BLOCK = re.compile(r"(?:^[^\n]*`(?P<path>[\w./-]+)`:\n\n?)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.S | re.M)


@dataclass(frozen=True)
class Block:
    """One fenced block; `path` where the line in front of it names a file."""

    kind: str
    text: str
    path: str | None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order. A line that names a file counts only right in front of its block."""
    text = page.read_text(encoding="utf-8")
    return [Block(found["kind"], found["text"], found["path"]) for found in _BLOCK.finditer(text)]


def follow(page: Path, folder: Path) -> list[str]:
    """Copy the tree into `folder` where `copied` has not, write the page's files, run its commands; returns what each
    command printed. A command that fails, or prints something else than the page says, is an AssertionError."""
    tree = copied(folder)
    printed: list[str] = []
    last = ""
    for block in blocks(page):
        if block.path is not None:
            write(block, tree)
        elif block.kind == "sh":
            last = "".join(_ran(line, folder) for line in block.text.splitlines() if line.strip())
            printed.append(last)
        elif block.kind == "console":
            assert fits(block.text, last), f"{page.name} says\n{block.text}\nand it printed\n{last}"
    assert printed, f"{page.name} has no command"
    return printed


def copied(folder: Path, pages: Iterable[Path] = ()) -> Path:
    """The copy of the tree in `folder`, with the files that these pages name, made where there is none yet."""
    tree = folder / "tree"
    if not tree.exists():
        shutil.copytree(ROOT, tree, ignore=_LEFT_OUT)
    for block in (block for page in pages for block in blocks(page) if block.path is not None):
        write(block, tree)
    return tree


def write(block: Block, tree: Path) -> None:
    """The file that a block is the content of."""
    assert block.path is not None
    place = tree / block.path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(block.text, encoding="utf-8")


def _ran(line: str, folder: Path) -> str:
    done = run(line, folder)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command in the copy that `copied` made."""
    tree = folder / "tree"
    command = re.sub(r"^\./wmbench(?= |$)", f'"{sys.executable}" -m bench', line.strip())
    command = re.sub(r"^\.venv/bin/python(?= )", f'"{sys.executable}"', command)
    around = {**os.environ, "PYTHONPATH": str(tree), PLACE: str(folder / "runs"), "COLUMNS": "160"}
    around["NUMBA_CACHE_DIR"] = str(cache_folder.base())  # code is kept by its content, so a copy can share it
    return subprocess.run(
        command, shell=True, cwd=tree, env=around, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def fits(wanted: str, printed: str) -> bool:
    """Columns may be wider: a run of blanks is one."""
    wanted, printed = ("\n".join(" ".join(line.split()) for line in text.splitlines()) for text in (wanted, printed))
    return re.search(re.escape(wanted).replace(r"\.\.\.", ".*"), printed, re.S) is not None
