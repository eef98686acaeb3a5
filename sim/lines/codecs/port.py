"""What a codec is: a format in which telegrams arrive, read from a stream as it comes, and written.

Two sides of a serial dongle speak: the gateway's program sends commands and reads telegrams; the dongle answers and
sends telegrams. `reader` is the gateway's ear, `write` the dongle's voice, `dongle` the dongle's ear: it takes what the
program sends and gives the bytes to answer. Formats without commands have none.

The rule kept here: neither side ever raises on bytes from outside, and where a stream was cut does not matter: fed
byte by byte or at once, the same things come out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from sim.core.parts import Folder
from sim.lines.reception import Mode, Reception

ANSWER_S: Final = 0.05
"""How long a dongle takes to answer: within the 100 ms that programs grant, and not at once. wmbusmeters 3.0.0 begins
to wait after it has asked; an answer that is there before costs it five seconds, or the dongle."""


class Bad(NamedTuple):
    """Something in the stream that is no telegram. `words` says why; `marked`: the receiver itself marks it so."""

    words: str
    marked: bool = False


class Got(NamedTuple):
    """One thing read. `line`: where it began, counted from 1 (text), or the byte (binary)."""

    line: int
    what: Reception | Bad


class Reader(Protocol):
    """One stream being read."""

    def feed(self, data: bytes) -> list[Got]:
        """The next bytes; what they completed."""
        ...

    def end(self) -> list[Got]:
        """Nothing more will come; what was left."""
        ...


class Dongle(Protocol):
    """A dongle's ear: the commands of the program at the other end."""

    def feed(self, data: bytes) -> bytes:
        """The next bytes; what to answer to the commands that they completed."""
        ...

    def hears(self, mode: Mode) -> bool:
        """Whether it receives this mode, as the program set it."""
        ...


@dataclass(frozen=True, slots=True)
class Codec:
    """One format. `claims`: whether these bytes, a line of text or a block, are surely this format and no other.
    `baud`: a serial dongle's rate, None for what has none. `says_broken`: it passes on telegrams whose CRCs did not
    fit, and marks them."""

    id: str
    title: str
    claims: Callable[[bytes], bool]
    reader: Callable[[], Reader]
    write: Callable[[Reception], bytes]
    dongle: Callable[[], Dongle] | None = None
    baud: int | None = None
    binary: bool = False
    says_broken: bool = False


CODECS: Folder[Codec] = Folder("sim.lines.codecs", "CODEC", "line format", Codec)
