"""The port of a door that is fuzzed. A case is bytes; what they stand for is the target's own business."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sim.core.parts import Folder
from sim.core.seeds import Dice


class Found(Exception):
    """A promise that was broken; the message says which, without the case."""


SECRET: Final = "c0ffee11decade22facade33bedabb1e"
"""A key in drawn files. It may stand in no message."""
_LONGEST: Final = 4_000


_MEMORY: Final = "/dev/shm"
_ROOM_MB: Final = 1_000


def scratch() -> str | None:
    """Where targets keep their files: in memory where there is room, since a portal waits for its disk after each take
    and what a disk does is not asked here; None: where temporary files go."""
    try:
        there = os.statvfs(_MEMORY)
    except OSError:
        return None
    room = there.f_bavail * there.f_frsize >= _ROOM_MB << 20 and os.access(_MEMORY, os.W_OK)
    return _MEMORY if room else None


def plain(message: str, *, lines: int = 1) -> None:
    """What a message to a person must be: so many lines, of characters that a terminal only shows, without a key.
    Raises Found."""
    if SECRET in message.lower():
        raise Found("a message repeats a key")
    odd = next((letter for letter in message if not (letter.isprintable() or letter == "\n")), None)
    if odd is not None:
        raise Found(f"a message holds {odd!r}, raw")
    if len(message) > _LONGEST or message.strip().count("\n") >= lines:
        raise Found(f"a message of {len(message)} characters in {message.count(chr(10)) + 1} lines")


class Target(Protocol):
    """One door, open. What `play` and `check` raise, whatever it is, is a finding."""

    def draw(self, dice: Dice) -> bytes:
        """A case by structure."""

    def change(self, case: bytes, dice: Dice) -> bytes:
        """Another case, near to this one."""

    def play(self, cases: Sequence[bytes]) -> list[str]:
        """Put them through the door, together if it takes many; a few words of what became of each."""

    def check(self) -> None:
        """Alive, and genuine service kept, after what was played. Raises Found."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One file of targets/. `make(folder)`: a target with a folder of its own. Of a round: `batches` times `together`
    drawn cases, then `guided` ones, each by itself. `code`: the packages whose edges guide."""

    id: str
    title: str
    make: Callable[[Path], Target]
    batches: int
    together: int
    guided: int
    code: tuple[str, ...]


TARGETS: Folder[TargetKind] = Folder("bench.fuzz.targets", "TARGET", "fuzz target", TargetKind)
