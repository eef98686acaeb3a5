"""Every folder of parts is a kind that `list` and `show` know; a user's own folder has the kind's name."""

from __future__ import annotations

import ast

import pytest

from bench.cli import catalogue
from bench.run_directory import ROOT
from sim.core import own
from sim.core.parts import Folder

ROOMS = ("sim", "bench", "attacks", "reports", "arrays", "wmbus")
NO_FOLDER = {"attacks"}
"""Of own.FOLDERS, what is found by folder and is no Folder."""


def made_in_the_source() -> dict[str, str]:
    """Package -> module:NAME, of each Folder and Kinds that a module of ours makes."""
    found = {}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if "Folder" not in (text := path.read_text(encoding="utf-8")) and "Kinds" not in text:
            continue
        for node in ast.parse(text).body:
            value = getattr(node, "value", None)
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(value, ast.Call):
                name = value.func.id if isinstance(value.func, ast.Name) else ""
                if name in ("Folder", "Kinds"):
                    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                    found[ast.literal_eval(value.args[0])] = f"{module}:{ast.unparse(target)}"
    return found


def test_every_folder_of_parts_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_in_the_source()
    assert len(made) > 15
    asked: list[object] = []

    def ask(folder: object, _more: object) -> list[object]:
        asked.append(folder)
        return []

    monkeypatch.setattr(catalogue, "_parts", ask)
    by_package = {}
    for kind, entries in catalogue.ENTRIES.items():
        asked.clear()
        if getattr(entries, "__name__", "") == "<lambda>":  # made by _of: it asks one folder
            entries()
            (folder,) = asked
            assert isinstance(folder, Folder)
            by_package[folder.package] = kind
    assert set(by_package) == set(made)
    for name, package in own.FOLDERS.items():
        assert name in NO_FOLDER or by_package[package] == name


def test_a_check_is_listed_in_the_order_of_judgement() -> None:
    from sim.portal.check import in_order

    listed = catalogue.entries("checks")
    assert [one["id"] for one in listed] == [one.id for one in in_order()]
    assert all(one["title"] and "refuses_as" in one for one in listed)
