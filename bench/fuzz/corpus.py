"""The cases that are kept, in tests/fuzz/corpus: one file a target, a line of JSON a case, with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from bench.fuzz.edges import Coverage
from bench.fuzz.target import Target, TargetKind
from bench.run_directory import ROOT
from bench.run_errors import CannotRun

FOLDER: Final = ROOT / "tests" / "fuzz" / "corpus"
MOST: Final = 40  # cases of a target that are kept for what they reach
NEW_WAY: Final = "reaches what no other does"


class Kept(NamedTuple):
    """`why`: a finding that was mended, or NEW_WAY."""

    case: bytes
    why: str


def load(target: str, folder: Path = FOLDER) -> list[Kept]:
    """Of one target; none where there is no file. Raises CannotRun."""
    path = folder / f"{target}.jsonl"
    if not path.exists():
        return []
    kept = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            body = json.loads(line)
            kept.append(Kept(bytes.fromhex(body["case"]), str(body["why"])))
        except (ValueError, KeyError, TypeError):
            raise CannotRun(f'{path}, line {number}: {{"case": HEX, "why": TEXT}} is expected') from None
    return kept


def save(target: str, kept: Iterable[Kept], folder: Path = FOLDER) -> None:
    """Write one target's file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"case": one.case.hex(), "why": one.why}) for one in kept]
    (folder / f"{target}.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def distilled(kind: TargetKind, target: Target, cases: Iterable[Kept]) -> list[Kept]:
    """Those that were findings, and of the others, shortest first, those that reach something new; MOST at most."""
    every = list(dict.fromkeys(cases))
    findings = [one for one in every if one.why != NEW_WAY]
    coverage = Coverage(kind.code)
    kept: list[Kept] = []
    try:
        for one in sorted((one for one in every if one.why == NEW_WAY), key=lambda one: len(one.case)):
            words, edges = coverage.of(lambda one=one: target.play([one.case]))  # type: ignore[misc]
            if (edges or coverage.new_words(words[0])) and len(one.case) <= 2_000:
                kept.append(one)
    finally:
        coverage.close()
    return findings + kept[:MOST]
