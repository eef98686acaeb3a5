"""docs/reference: the pages made from the code are those of this code, and every row of them says something."""

from __future__ import annotations

import re

import pytest

from bench.run_directory import ROOT
from tests.tools import reference


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    page = reference.PAGES[name]()
    there = (reference.PLACE / name).read_text(encoding="utf-8")
    assert there == page, "python -m tests.tools.reference writes it anew"
    mute = [line for line in page.splitlines() if re.search(r"^\| `.*\|  ?\|$", line) and line.count("|") < 5]
    assert mute == [], "a public member without a docstring"
    links = re.findall(r"\]\(([\w./-]+)\)", page)
    assert all((reference.PLACE / link).exists() for link in links)


def test_the_pages_are_whole() -> None:
    world = reference.world_file()
    assert "| `age_max_s` | number | `1800.0` | 1.0 to 31536000.0 |" in world
    assert '| `security` | text | `"mode5"` | `"none"`, `"mode5"`, `"mode7"` |' in world
    tables = reference.portal_tables()
    assert "| `volume_m3` | double precision |" in tables
    assert "| bad mac |" in tables
    heads = re.findall(r"^## `Can\.(\w+)`", reference.reach_page(), re.M)
    assert heads == [can.name for can in reference.CAPABILITIES]
    codes = re.findall(r"^\| (\d+) \|", reference.exit_codes(), re.M)
    assert codes == ["0", "1", "2", "3", "4", "5", "6", "130"]


def test_each_page_of_the_reference_is_found_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    there = sorted(path.name for path in reference.PLACE.glob("*.md"))
    assert [name for name in there if f"docs/reference/{name}" not in readme] == []
