"""World files: what is read, and what an author is told."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.core.settings import SpecError, build, changed, names_from, number, one_of, read_toml, without
from sim.portal.check import check_ids
from sim.world_spec import load

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
    assert spec.portal.checks == check_ids()
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
    left = spec.with_setting("portal.checks", without("bind", "ts")).portal.checks
    assert left == tuple(one for one in check_ids() if one not in ("bind", "ts"))
    assert {"ahead", "jump", "mcr", "acc", "age"} <= set(left)
    fewer = spec.with_setting("portal.checks", ["ts", "age"])
    assert fewer.with_setting("portal.checks", "without:age").portal.checks == ("ts",)
    assert repr(without("bind", "ts")) == "without bind, ts"
    with pytest.raises(SpecError, match=r"'bnd' is not one of .*; did you mean 'bind'"):
        spec.with_setting("portal.checks", without("bnd"))
    assert {g.security for g in spec.with_setting("fleet.security", "none").fleet} == {"none"}
    named = spec.with_setting("fleet.b.count", 5)
    assert [g.count for g in named.fleet] == [2, 5]
    assert spec.digest != named.digest


@pytest.mark.parametrize("key", ["portal.cheks", "window_s.x", "fleet.c.count", "nothing"])
def test_an_unknown_setting_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SpecError):
        load(write(tmp_path, GOOD)).with_setting(key, 1)


# --- tables of several kinds, lists of known names ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Oil:
    kind: str = "oil"
    name: str = "all"
    litres: int = number(3, low=1)


@dataclass(frozen=True, slots=True)
class Candle:
    kind: str = "candle"
    name: str = "all"
    hours: int = 8


def _kinds() -> dict[str, type]:
    return {"candle": Candle, "oil": Oil}


@dataclass(frozen=True, slots=True)
class House:
    lamp: Oil | Candle = one_of(_kinds, default="oil")
    spare: tuple[Oil | Candle, ...] = one_of(_kinds, default="candle")
    rooms: tuple[str, ...] = names_from(lambda: ("hall", "attic"))


def house(path: Path, text: str) -> House:
    path.write_text(text)
    return build(House, *read_toml(path))


def test_a_table_has_the_keys_of_its_kind(tmp_path: Path) -> None:
    made = house(tmp_path / "h.toml", "[lamp]\nlitres = 5\n[[spare]]\n[[spare]]\nkind = 'oil'\n")
    assert (made.lamp, made.spare, made.rooms) == (Oil(litres=5), (Candle(), Oil()), ("hall", "attic"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lamp]\nkind = 'candel'\n", r"h\.toml, line 2: lamp\.kind: there is no 'candel'; did you mean 'candle'\?"),
        ("[lamp]\nhours = 2\n", r"h\.toml, line 2: lamp\.hours: unknown key\. Known: kind, litres, name"),
        ("[lamp]\nlitres = 0\n", r"h\.toml, line 2: lamp\.litres: 0 is not 1 or more"),
        ("rooms = ['atic']\n", r"line 1: rooms\[0\]: 'atic' is not one of 'hall', 'attic'; did you mean 'attic'\?"),
        ("rooms = [3]\n", r"line 1: rooms\[0\]: 3 is not text"),
        ("lamp = 3\n", r"line 1: lamp: 3 is not a table"),
    ],
)
def test_what_no_kind_has_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        house(tmp_path / "h.toml", text)


def test_another_kind_keeps_the_keys_that_both_have() -> None:
    one = House(lamp=Oil(name="porch", litres=9))
    assert changed(one, "lamp.kind", "candle").lamp == Candle(name="porch")
    assert changed(one, "lamp.litres", 2).lamp == Oil(name="porch", litres=2)
    with pytest.raises(SpecError, match=r"lamp\.kind: there is no 'gas'"):
        changed(one, "lamp.kind", "gas")
    said = r"lamp\.litres: kind 'candle' has no key 'litres'; oil has it: set lamp\.kind=oil before it"
    with pytest.raises(SpecError, match=said):
        changed(House(lamp=Candle(name="porch")), "lamp.litres", 2)
    with pytest.raises(SpecError, match="unknown key 'wick'"):
        changed(one, "lamp.wick", 2)


@pytest.mark.parametrize(("text", "said"), [("a = " + "[" * 3_000, "brackets"), ("a = " + "9" * 5_000, "more digits")])
def test_what_no_reader_of_toml_foresees_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=f"odd.toml: .*{said}"):
        read_toml(path)
