"""Do the tests notice a wrong line? Each edit flips one comparison, sign, constant or condition in a copy of the
checkout and runs the tests that mirror the file; an edit under which they stay green is a survivor.

    python -m tests.tools.mutate_code sim/portal sim/gateway sim/truth --a-file 6 --seed 20261127

Nobody can write a test against an edit that changes nothing, so survivors are read by people: the exit code is 0, and 2
when the tests are red before any edit. With another seed other edits are drawn; `--a-file 0` tries all of them.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("wmbus", "arrays", "sim", "attacks", "bench", "reports", "scenarios", "tests", "docs", "pyproject.toml")
DEADLINE_S = 900
FLIPS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """`old` at offset `at` of the file's bytes becomes `new`."""

    file: str
    line: int
    at: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.old} -> {self.new}"

    def applied(self, source: bytes) -> bytes:
        end = self.at + len(self.old.encode())
        assert source[self.at : end] == self.old.encode(), self
        return source[: self.at] + self.new.encode() + source[end:]


def edits(file: str, source: bytes) -> list[Edit]:
    """All single edits of a file, in its order."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        return starts[line - 1] + column

    def between(left: ast.expr, right: ast.expr, operator: ast.AST) -> Iterator[Edit]:
        """The operator stands between its operands, with brackets and white space around it."""
        low = place(left.end_lineno or 0, left.end_col_offset or 0)
        high = place(right.lineno, right.col_offset)
        old, new = FLIPS.get(type(operator), ("", ""))
        at = source.find(old.encode(), low, high) if old else -1
        if at >= 0 and b"#" not in source[low:high]:
            yield Edit(file, source.count(b"\n", 0, at) + 1, at, old, new)

    found: list[Edit] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                found += between(left, right, operator)
        elif isinstance(node, ast.BinOp):
            found += between(node.left, node.right, node.op)
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                found += between(left, right, node.op)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            at = place(node.lineno, node.col_offset)
            old = ast.get_source_segment(source.decode(), node) or ""
            new = str(not node.value) if isinstance(node.value, bool) else str(node.value + 1)
            if source[at : at + len(old.encode())] == old.encode():  # not so inside an f-string of Python 3.11
                found.append(Edit(file, node.lineno, at, old, new))
    return sorted(set(found), key=lambda edit: edit.at)


def mirror(file: str, root: Path) -> list[str]:
    """The tests of a file: those of its stem, and those of its folder where there are none."""
    path = Path(file)
    folder = Path("tests") / path.parent
    own = folder / f"test_{path.stem}.py"
    while not (root / folder).is_dir():
        folder = folder.parent
    return [str(own)] if (root / own).is_file() else [str(folder)]


class Copies:
    """Copies of the checkout, one a worker."""

    def __init__(self, root: Path, folder: Path, workers: int) -> None:
        self._free: queue.Queue[Path] = queue.Queue()
        for number in range(workers):
            copy = folder / str(number)
            copy.mkdir()
            for name in COPIED:
                if (root / name).is_dir():
                    shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
                elif (root / name).exists():
                    shutil.copy(root / name, copy / name)
            self._free.put(copy)

    def green(self, tests: list[str], edit: Edit | None = None) -> bool:
        """Whether these tests pass, under an edit or as they are. A run without an end is not green."""
        copy = self._free.get()
        path = copy / edit.file if edit else None
        before = path.read_bytes() if path else b""
        command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:benchmark"]
        try:
            if edit and path:
                path.write_bytes(edit.applied(before))
            done = subprocess.run(
                [*command, *tests], cwd=copy, env={**_environment(), "PYTHONPATH": str(copy)},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=DEADLINE_S,
            )  # fmt: skip
            return done.returncode == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            if path:
                path.write_bytes(before)
            self._free.put(copy)


def _environment() -> dict[str, str]:


    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def survivors(root: Path, places: list[str], *, a_file: int, seed: int, workers: int) -> Iterator[Edit]:
    """Edits that no test noticed, as they are found. Raises RuntimeError when the tests are red without one."""
    dice = random.Random(seed)
    chosen: list[Edit] = []
    for place in places:
        below = sorted((root / place).rglob("*.py")) if (root / place).is_dir() else [root / place]
        for path in below:
            file = path.relative_to(root).as_posix()
            all_ = edits(file, path.read_bytes())
            chosen += dice.sample(all_, min(a_file, len(all_))) if a_file else all_
    with tempfile.TemporaryDirectory(prefix="wmbench-mutants-") as folder, ThreadPoolExecutor(workers) as pool:
        copies = Copies(root, Path(folder), workers)
        tests = {tuple(mirror(edit.file, root)) for edit in chosen}
        red = [one for one, ok in zip(tests, pool.map(copies.green, map(list, tests)), strict=True) if not ok]
        if red:
            raise RuntimeError(f"red without any edit: {red}")
        noticed = pool.map(lambda edit: not copies.green(mirror(edit.file, root), edit), chosen)
        for number, (edit, seen) in enumerate(zip(chosen, noticed, strict=True), 1):
            print(f"{number}/{len(chosen)} {'noticed ' if seen else 'SURVIVED'} {edit}", file=sys.stderr, flush=True)
            if not seen:
                yield edit


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("places", nargs="+", metavar="FOLDER_OR_FILE")
    parser.add_argument("--a-file", type=int, default=6, help="edits drawn in each file; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(words)
    try:
        left = list(
            survivors(ROOT, chosen.places, a_file=chosen.a_file, seed=chosen.seed, workers=chosen.workers)
        )
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(left)} survivors" + "".join(f"\n  {edit}" for edit in left))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
