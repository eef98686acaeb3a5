"""What a row of the attack on a portal is: one thing that someone without keys can send, in the modes that have it.

    ROW = PortalRow("header", "...", ("L13",), ("mode5", "mode7"), lambda case: [Shot(..., 91234)])

`shots(case)` gives telegrams made from one genuine telegram that the product has stored already (`case.genuine`), and
from ones that it was not given (`case.fresh`, `case.held_back`, `case.long`). A shot names the value in litres that
stands in the product's readings when it was believed. What counts is what was stored, and between two genuine telegrams
of the same meter that were stored as they are: the product takes such telegrams, and it still does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.core.parts import Folder

Mode = Literal["mode0", "mode5", "mode7"]
ENCRYPTED: tuple[Mode, ...] = ("mode5", "mode7")


@dataclass(frozen=True, slots=True)
class Case:
    """`genuine`: given and stored, it reads `litres` in its first encrypted block. `fresh`: sent by the meter and never
    given; it reads `fresh_litres` in its first block. `held_back`: not given either; it reads `held_litres` in its
    second block. `long`: not given either; its first two blocks are a text, and the third begins with the volume
    `held_litres`. `maker`: as in forgery. `latest`: the meter's latest access number."""

    mode: Mode
    maker: str
    genuine: bytes
    litres: int
    fresh: bytes
    fresh_litres: int
    held_back: bytes
    held_litres: int
    long: bytes
    latest: int


@dataclass(frozen=True, slots=True)
class Shot:
    """`litres`: what a product that believes it stores. `others`: so many telegrams of another meter pass before it."""

    frame: bytes
    litres: int
    others: int = 0


@dataclass(frozen=True, slots=True)
class PortalRow:
    """`threats`: ids of reports/threats.toml. `remedy`: what a portal does against it."""

    id: str
    title: str
    threats: tuple[str, ...]
    modes: tuple[Mode, ...]
    shots: Callable[[Case], list[Shot]]
    remedy: str


PORTAL_ROWS: Folder[PortalRow] = Folder("bench.product.rows", "ROW", "row of the attack on a portal", PortalRow)
