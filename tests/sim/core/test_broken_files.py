"""A file that cannot be imported: the one that is to be mended is named, and not the good one that imports it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from sim.core.broken_files import line_in, place_of, unreadable, words_of

GOOD = "from ours_broken import Thing\n\n\nTHING = Thing\n"
CASES = [
    ("def f(:\n    pass\n", 1, "SyntaxError: invalid syntax"),
    ("X = 1\nY = (\nimport sys\n", 2, "SyntaxError: '(' was never closed"),
    ("X = 1\n\nfrom attacks.parts.survey import Surveyor\n", 3, "cannot import name 'Surveyor' from 'attacks.parts."),
    ("from attacks.attack import form\n\nF = form(ages_s=(1, 2))\n", 3,
     "; did you mean 'age_s'? it takes shows, changed, age_s, behind"),
    ("import no_such_module_at_all\n", 1, "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    ("class Thing:\n    x = {}['gone']\n", 2, "KeyError: 'gone'"),
    ("import json\n\njson.loads('{')\n", 3, "JSONDecodeError: Expecting property name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), CASES)
def test_the_broken_file_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, said: str
) -> None:
    good, broken = tmp_path / "ours_good.py", tmp_path / "ours_broken.py"
    good.write_text(GOOD, encoding="utf-8")
    broken.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("ours_good", "ours_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(Exception) as caught:  # noqa: PT011  of any kind
        importlib.import_module("ours_good")
    assert place_of(caught.value) == (broken, line)
    assert said in words_of(caught.value)
    assert unreadable(good, caught.value).startswith(f"{broken}, line {line}: cannot be imported: ")
    assert "Surveyor" not in text or "did you mean 'Survey'?" in words_of(caught.value)


def test_an_error_from_elsewhere_has_no_place() -> None:
    assert place_of(ValueError("made, not raised")) is None
    assert line_in(Path(__file__), ValueError()) is None
