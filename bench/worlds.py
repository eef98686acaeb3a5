"""Worlds and sweeps by name or by path: ours in scenarios/, and those of the user's own repository beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sim.core import own
from sim.core.meant import did_you_mean
from sim.core.settings import SpecError

SCENARIOS: Final = Path(__file__).resolve().parents[1] / "scenarios"


def known(kind: str = own.WORLDS) -> Mapping[str, Path]:
    """Name -> file of every world, or every sweep. Raises SpecError for a name that is taken."""
    return own.named_files(SCENARIOS / kind, own.folder(kind))


def find(name: str, *, beside: Path | None = None, kind: str = own.WORLDS) -> Path:
    """The file of a world of this name; else a path from the folder `beside`, or from here. Raises SpecError."""
    there = known(kind)
    if name in there:
        return there[name]
    for path in ((beside or Path()) / name, Path(name)):
        if path.is_file():
            return path
    what = kind.removesuffix("s")
    hint = did_you_mean(name, there) or ":"
    raise SpecError(f"there is no {what} {name!r}{hint} a TOML file, or one of: {', '.join(there)}")
