"""docs/how-to/add-*.md: each page followed to the letter, in a copy of the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.run_directory import ROOT
from tests.how_to import blocks, follow

PAGES = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))


def test_there_are_pages() -> None:
    assert PAGES


def test_no_command_takes_the_python_that_happens_to_be_there() -> None:
    """The system's has none of our packages; `./wmbench pytest` and `.venv/bin/python` have."""
    pages = sorted((ROOT / "docs" / "how-to").glob("*.md"))
    lines = [
        (page.name, line)
        for page in pages
        for one in blocks(page)
        if one.kind == "sh"
        for line in one.text.splitlines()
    ]
    ours = [
        (name, line) for name, line in lines if re.match(r"(pip|pytest|python[\d.]*)\b(?! -m zipfile)", line.strip())
    ]
    assert len(lines) > 50 and ours == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.acceptance
def test_the_page_works_as_it_stands(page: Path, tmp_path: Path) -> None:
    follow(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_adding_a_part_is_one_file_of_code(page: Path) -> None:
    """Beside it a test or a scenario, a world, a page; and no file that exists already."""
    paths = [block.path for block in blocks(page) if block.path is not None]
    code = [path for path in paths if path.endswith(".py") and not Path(path).name.startswith("test_")]
    assert len(code) == 1, code
    assert not [path for path in paths if (ROOT / path).exists()]


def test_a_page_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "add-nothing.md"
    file = "A file, `docs/x.txt`:\n\n```text\nhello\n```\n"
    page.write_text(file + "\n```sh\ncat docs/x.txt\n```\n\n```console\nbye\n```\n")
    with pytest.raises(AssertionError, match=r"add-nothing\.md says\nbye\n\nand it printed\nhello"):
        follow(page, tmp_path)
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match="false"):
        follow(page, tmp_path / "again")
