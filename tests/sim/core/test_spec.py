"""World files: what is read, and what an author is told."""

from pathlib import Path

import pytest

from sim.core.spec import CHECKS, SpecError, load

GOOD = """
title = "Two meters"
window_s = 60

[[fleet]]
name = "a"
type = "vipa-c10"
count = 2

[[fleet]]
name = "b"
type = "techem-radio-4"
count = 1
security = "mode7"

[[gateway]]
count = 1
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "two.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_world_is_read_with_its_defaults(tmp_path: Path) -> None:
    spec = load(write(tmp_path, GOOD))
    assert spec.name == "two"
    assert spec.meters == 3
    assert spec.window_s == 60.0
    assert spec.portal.checks == CHECKS
    assert spec.fleet[1].security == "mode7"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count = 2", 'count = "2"', ["line 8", "fleet[0].count", "'2' is not a whole number"]),
        ("count = 2", "count = 0", ["line 8", "fleet[0].count", "not between 1 and 10000000"]),
        ("count = 2", "cuont = 2", ["line 8", "cuont", "did you mean 'count'?"]),
        ('security = "mode7"', 'security = "mode9"', ["line 14", "'mode9' is not one of 'none', 'mode5', 'mode7'"]),
        ("window_s = 60", "window_s = nan", ["line 3", "window_s"]),
        ('title = "Two meters"', 'title = ""', ["line 2", "title", "is empty"]),
        ('title = "Two meters"', "", ["title", "is missing"]),
        ("[[gateway]]\ncount = 1", "", ["gateway", "is missing"]),
        ("[[gateway]]\ncount = 1", "gateway = []", ["gateway"]),
        ("[[gateway]]", "[[gateway]", ["not TOML", "line 16"]),
        ("[[gateway]]", "[portal]\nchecks = ['acc', 'luck']\n[[gateway]]", ["line 17", "'luck' is not one of"]),
    ],
)
def test_an_author_is_told_file_line_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(SpecError) as error:
        load(path)
    assert str(path) in str(error.value)
    for words in told:
        assert words in str(error.value)


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "bin.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(SpecError, match="byte 9 is not UTF-8"):
        load(tmp_path / "bin.toml")


def test_settings_reach_into_tables_and_groups(tmp_path: Path) -> None:
    spec = load(write(tmp_path, GOOD))
    assert spec.with_setting("portal.checks", []).portal.checks == ()
    assert {g.security for g in spec.with_setting("fleet.security", "none").fleet} == {"none"}
    named = spec.with_setting("fleet.b.count", 5)
    assert [g.count for g in named.fleet] == [2, 5]
    assert spec.digest != named.digest


@pytest.mark.parametrize("key", ["portal.cheks", "window_s.x", "fleet.c.count", "nothing"])
def test_an_unknown_setting_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SpecError):
        load(write(tmp_path, GOOD)).with_setting(key, 1)
