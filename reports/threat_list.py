"""threats.toml as records: each threat with what stops it, its remedy, what was expected of it before anything was run,
and what other lists call it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from reports.wording import mode_text

UNEXPLAINED: Final = "why is not known yet"
THREATS: Final = Path(__file__).parent / "threats.toml"


@dataclass(frozen=True, slots=True)
class Threat:
    """`ics`: techniques of ATT&CK for ICS; `istg`: test cases of OWASP; `bsi_controls`: of the BSI's catalogue."""

    id: str
    area: str
    title: str
    stopped_by: str
    answered_by: tuple[str, ...]
    remedy: str
    stride: tuple[str, ...]
    ics: tuple[str, ...]
    istg: tuple[str, ...]
    cwe: tuple[str, ...]
    bsi_controls: tuple[str, ...]
    hypothesis: Mapping[str, str] = field(default_factory=dict)
    """Security mode -> letters of the verdicts that were expected with all defences on; a mode that is missing was said
    not to apply."""
    differs: str = ""

    @property
    def elsewhere(self) -> list[tuple[str, str]]:
        """(list, its ids for this threat), for people; lists that have none are left out."""
        lists = (("STRIDE", self.stride), ("ATT&CK for ICS", self.ics), ("CWE", self.cwe), ("OWASP ISTG", self.istg),
                 ("BSI controls", self.bsi_controls))  # fmt: skip
        return [(name, ", ".join(ids)) for name, ids in lists if ids]


@cache
def threats() -> dict[str, Threat]:
    """All, by id, in the order of the list."""
    table = tomllib.loads(THREATS.read_text(encoding="utf-8"))["threat"]
    return {row["id"]: _threat(row) for row in table}


def _threat(row: dict[str, Any]) -> Threat:
    ics, istg, cwe, bsi_controls = (tuple(row.get(key, ())) for key in ("ics", "istg", "cwe", "bsi_controls"))
    return Threat(
        row["id"], row["area"], row["title"], row["stopped_by"], tuple(row["answered_by"]), row["remedy"],
        tuple(row["stride"]), ics, istg, cwe, bsi_controls, dict(row.get("hypothesis", {})), row.get("differs", ""),
    )  # fmt: skip


def unlike(hypothesis: Mapping[str, str], found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Security mode -> letters of verdicts (mode, letter) that the hypothesis has not for it, each once. What is
    inconclusive says nothing, and of a mode that was said not to apply anything may be found."""
    others: dict[str, list[str]] = {}
    for mode, letter in found:
        plain = letter.rstrip("!")
        if mode in hypothesis and plain not in (*hypothesis[mode], "?", "-") and plain not in others.get(mode, ()):
            others.setdefault(mode, []).append(plain)
    return others


def told_unlike(hypothesis: Mapping[str, str], others: Mapping[str, Iterable[str]], differs: str) -> str:
    """That in one sentence, with the reason; "" where nothing is unlike."""
    if not others:
        return ""
    modes: dict[str, list[str]] = {}
    for mode, letters in others.items():
        said = f"{' and '.join(letters)} where {' or '.join(hypothesis[mode])} was expected"
        modes.setdefault(said, []).append(mode_text(mode))
    where = "; ".join(f"{', '.join(names)} {said}" for said, names in modes.items())
    return f"{where}: {differs or UNEXPLAINED}"
