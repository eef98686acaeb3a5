"""Blocks out of a stream of bytes: torn reads, two at once, and the way back into step after bytes that fit nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sim.lines.codecs.port import Bad, Got
from sim.lines.reception import Reception

MAX_BLOCK_BYTES = 1 << 10


class Block(NamedTuple):
    """What stands at the beginning of some bytes. `size` 0: no block begins here; -1: it is not all there yet.
    `said`: what the block says, None for an answer to a command."""

    size: int
    said: Reception | Bad | None = None


NO_BLOCK, TORN = Block(0), Block(-1)


class BlockReader:
    """A stream of blocks. Bytes in which no block begins are passed over and counted, once for each run of them."""

    def __init__(self, at: Callable[[bytes], Block]) -> None:
        self._at = at
        self._rest = b""
        self._place = 0
        self._strays = 0

    def feed(self, data: bytes) -> list[Got]:
        return self._read(self._rest + data, whole=False)

    def end(self) -> list[Got]:
        got = self._read(self._rest, whole=True)
        return got + self._stray()

    def _read(self, data: bytes, *, whole: bool) -> list[Got]:
        got: list[Got] = []
        at = 0
        while at < len(data):
            block = self._at(data[at : at + MAX_BLOCK_BYTES])
            if block.size == TORN.size and not whole:
                break
            if block.size <= 0:
                at, self._strays = at + 1, self._strays + 1
                self._place += 1
                continue
            got += self._stray()
            if block.said is not None:
                got.append(Got(self._place, block.said))
            at += block.size
            self._place += block.size
        self._rest = data[at:]
        return got

    def _stray(self) -> list[Got]:
        count, self._strays = self._strays, 0
        if not count:
            return []
        return [
            Got(self._place - count, Bad(f"{count} byte{'' if count == 1 else 's'} in which no whole block begins"))
        ]
