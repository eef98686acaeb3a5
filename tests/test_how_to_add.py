"""docs/how-to/add-*.md: each page followed to the letter, in a copy of the tree."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from attacks.attack import attack
from bench.run_directory import ROOT
from sim.core.events import Fate
from sim.portal.alarm import Around, Watcher
from sim.portal.check import Meter, Sight
from tests.how_to import blocks, copied, follow, run

PAGES = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))
KEEP = ROOT / "docs" / "how-to" / "keep-a-part-here.md"


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


@pytest.mark.acceptance
def test_what_a_part_that_stays_asks_for(tmp_path: Path) -> None:
    """With the parts of all pages: the pages made from code are written by one command, and what is left to be written
    by hand is named by the tests that the page says."""
    copied(tmp_path, PAGES)
    follow(KEEP, tmp_path)
    (line,) = re.findall(r"^`(\./wmbench pytest [^`]*)` names", KEEP.read_text(encoding="utf-8"), re.M)
    done = run(line, tmp_path)
    assert done.returncode == 1, done.stderr
    files = {Path(block.path or ""): block.text for page in PAGES for block in blocks(page)}
    scenarios = {path.name for path in files if path.parts[:1] == ("scenarios",)}
    assert len(scenarios) >= 4
    for name in ("pace", "dead", "antenna_lost", "narrow", "clockwork", "dev-electricity", *scenarios):
        assert name in done.stdout, name


def test_each_page_says_where_a_part_that_stays_is_told_of() -> None:
    assert [page.name for page in PAGES if f"]({KEEP.name})" not in page.read_text(encoding="utf-8")] == []


def test_the_alarms_page_says_all_that_a_watcher_hears_and_may_ask() -> None:
    page = (ROOT / "docs" / "how-to" / "add-an-alarm.md").read_text(encoding="utf-8")
    heard = {f"| `{name}({_words(method)})` |" for name, method in vars(Watcher).items() if not name.startswith("__")}
    asked = {f"| `self.around.{one.name}` |" for one in dataclasses.fields(Around) if one.name != "episodes"}
    assert [line for line in sorted(heard | asked) if line not in page] == []


def _words(method: Callable[..., object]) -> str:
    return ", ".join(list(inspect.signature(method).parameters)[1:])


def test_the_attacks_page_says_what_each_word_of_a_record_is() -> None:
    page = (ROOT / "docs" / "how-to" / "add-an-attack.md").read_text(encoding="utf-8")
    wanted = [name for name, one in inspect.signature(attack).parameters.items() if one.default is one.empty]
    assert [name for name in [*wanted, "forms", "needs"] if f"\n| `{name}` |" not in page] == ["id", "title"]


def test_the_checks_page_names_what_it_is_shown_in_its_order() -> None:
    page = " ".join((ROOT / "docs" / "how-to" / "add-a-check.md").read_text(encoding="utf-8").split())
    for shown in (Sight, Meter):
        assert ", ".join(f"`{name}`" for name in shown._fields) in page


def test_the_faults_page_names_each_fate() -> None:
    page = (ROOT / "docs" / "how-to" / "add-a-fault.md").read_text(encoding="utf-8")
    assert ", ".join(f"`{fate.label}`" for fate in Fate) in " ".join(page.split())


def test_a_page_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "add-nothing.md"
    file = "A file, `docs/x.txt`:\n\n```text\nhello\n```\n"
    page.write_text(file + "\n```sh\ncat docs/x.txt\n```\n\n```console\nbye\n```\n")
    with pytest.raises(AssertionError, match=r"add-nothing\.md says\nbye\n\nand it printed\nhello"):
        follow(page, tmp_path)
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match="false"):
        follow(page, tmp_path / "again")
