"""threats.toml as records: each threat with what stops it, its remedy, and what other lists call it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

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
    return {
        row["id"]: Threat(
            row["id"], row["area"], row["title"], row["stopped_by"], tuple(row["answered_by"]), row["remedy"],
            tuple(row["stride"]), *(tuple(row.get(key, ())) for key in ("ics", "istg", "cwe", "bsi_controls")),
        )
        for row in table
    }  # fmt: skip
