"""The README's table of verdicts is what the card's scenarios expect, cell by cell, and those are run."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODES = ("none", "mode5", "mode7")


def expected() -> dict[str, dict[str, str]]:
    """variant -> {"mode5 on": letter}, from the `world.expect(...)` calls of scenarios/card."""
    table: dict[str, dict[str, str]] = {}
    for path in sorted((ROOT / "scenarios" / "card").glob("test_*.py")):
        tree = ast.parse(path.read_text())
        loops = {
            node.target.id: ast.literal_eval(node.iter)
            for node in ast.walk(tree)
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "expect":
                named = node.args[1]
                variants = loops[named.id] if isinstance(named, ast.Name) else [ast.literal_eval(named)]
                for keyword in [k for k in node.keywords if k.arg in ("on", "off")]:
                    assert isinstance(keyword.value, ast.Tuple)
                    for mode, letter in zip(MODES, keyword.value.elts, strict=True):
                        assert isinstance(letter, ast.Name)
                        for variant in variants:
                            table.setdefault(variant, {})[f"{mode} {keyword.arg}"] = letter.id.replace("N", "-")
    return table


def test_the_table_of_verdicts_is_what_the_scenarios_expect() -> None:
    rows = re.findall(
        r"^\|[^|]*\| ([^|]+) \| (\S) / (\S) \| (\S) / (\S) \| (\S) / (\S) \|$", (ROOT / "README.md").read_text(), re.M
    )
    columns = [f"{mode} {defences}" for mode in MODES for defences in ("off", "on")]
    written = {variant: dict(zip(columns, cells, strict=True)) for variant, *cells in rows}
    assert len(written) >= 19
    assert written == expected()
