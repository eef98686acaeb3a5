"""A finding: cases that broke a promise, made small, saved, played again with ./wmbench fuzz --replay FILE."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from bench.fuzz.target import TARGETS, Found, TargetKind, scratch
from bench.run_errors import CannotRun

TRIALS: Final = 250  # of making one small


@dataclass(frozen=True, slots=True)
class Finding:
    """`cases` in order, in hex, played together on a target that was checked `age` times before, then checked. `what`:
    which promise, in words."""

    target: str
    what: str
    cases: tuple[str, ...]
    seed: int = 0
    age: int = 0

    @property
    def kind(self) -> str:
        """`what` without its numbers: the same kind is kept once."""
        return re.sub(r"0x[0-9a-f]+|[0-9]+", "N", f"{self.target}: {self.what}")

    def save(self, path: Path) -> None:
        """As JSON, with the way to play it again."""
        body = asdict(self) | {"again": f"./wmbench fuzz --replay {path}"}
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Finding:
        """Raises CannotRun."""
        try:
            body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            cases = tuple(body["cases"])
            [bytes.fromhex(case) for case in cases]
            return cls(
                str(body["target"]), str(body.get("what", "")), cases, int(body.get("seed", 0)), int(body.get("age", 0))
            )
        except OSError as error:
            raise CannotRun(f"{path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CannotRun(f"{path}: no finding of ./wmbench fuzz: target and cases, in hex, are expected") from None


def broken(kind: TargetKind, cases: Sequence[bytes], age: int = 0) -> str | None:
    """What these cases break on a target that was checked so often before; None when they break nothing."""
    folder = Path(tempfile.mkdtemp(prefix="wmbench-fuzz-", dir=scratch()))
    try:
        target = kind.make(folder)
        try:
            for _ in range(age):
                target.check()
            target.play(cases)
            target.check()
        finally:
            target.close()
    except Exception as error:
        return said(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


def said(error: BaseException) -> str:
    """Which promise an exception breaks."""
    if isinstance(error, Found):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, {last.name}: {str(error)[:200]!r}"


def small(kind: TargetKind, found: Finding) -> Finding:
    """As few and as short cases as break the same promise; as they are, where a fresh target does not break it."""
    trials, age = TRIALS, found.age

    def same(some: Sequence[bytes]) -> bool:
        nonlocal trials
        trials -= 1
        now = broken(kind, some, age) if trials >= 0 else None
        return now is not None and replace(found, what=now).kind == found.kind

    kept = [bytes.fromhex(case) for case in found.cases]
    age = 0
    if not same(kept):
        age = found.age
    if age == 0 or same(kept):
        kept = _fewer(kept, same)
        for at in range(len(kept)):
            others = kept[:at], kept[at + 1 :]

            def shorter(some: list[Any], others: tuple[list[bytes], list[bytes]] = others) -> bool:
                return same([*others[0], bytes(some), *others[1]])

            kept[at] = bytes(_fewer(list(kept[at]), shorter))
    return replace(found, cases=tuple(case.hex() for case in kept), age=age)


def _fewer(items: list[Any], holds: Callable[[list[Any]], bool]) -> list[Any]:
    """Some of the items for which it still holds: halves are left out, then quarters, then single ones."""
    size = len(items) // 2
    while size:
        at = 0
        while at < len(items) and len(items) > 1:
            without = items[:at] + items[at + size :]
            if without and holds(without):
                items = without
            else:
                at += size
        size //= 2
    return items


def replay(path: Path) -> str | None:
    """What a saved finding breaks today. Raises CannotRun, UnknownPart."""
    finding = Finding.load(path)
    return broken(TARGETS.find(finding.target), [bytes.fromhex(case) for case in finding.cases], finding.age)
