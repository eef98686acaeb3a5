"""A telegram on its way through the transforms that a gateway made, undone one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


class CannotUndo(ValueError):
    """These bytes are not what the transform makes; one sentence."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is known of one telegram on its way. `source`, `port`, `counter`: the device and, of LoRaWAN, its port and
    frame counter. `stamp` (a reception's), `rssi_dbm`, `values`: where a transform finds them beside the telegram.
    `unreadable`: why nothing came of it; then it goes no further."""

    data: bytes
    source: str = ""
    port: int | None = None
    counter: int | None = None
    stamp: datetime | None = None
    rssi_dbm: float | None = None
    values: Mapping[str, object] | None = None
    unreadable: str = ""


Undo = Callable[[Piece], list[Piece]]


@dataclass(frozen=True, slots=True)
class Transform:
    """`make()`: a new one, with a memory of its own where it has one (fragments)."""

    title: str
    make: Callable[[], Undo] = field(repr=False)
