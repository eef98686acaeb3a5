"""The reference gateway as a box (sim.desk), and what the memory of its process holds."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from bench.rig.secrets import BLOCK_BYTES, Found, Secrets
from sim.core.clock import wall_ns, wall_s
from sim.desk import inventory
from sim.desk.box import Box, BoxError
from sim.feeders.port import Sent

DEADLINE_S: Final = 30.0
_HEADER: Final = bytes.fromhex("4493157856341233037a")  # of the frame around what it is to hold


class GatewayProcess:
    """The ready entry "reference". What it delivers is acknowledged. Its files are no part of the run, because of what
    it is given to `hold`. Use it with `with`. Raises BoxError."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        """Telegrams that arrived."""
        entry = inventory.find("reference", None)
        command = (*entry.run.command, "--bundle-age", "0.2")
        entry = dataclasses.replace(entry, run=dataclasses.replace(entry.run, command=command))
        self._directory = tempfile.TemporaryDirectory(prefix="wmbench-gateway-")
        self._box = Box(entry, Path(self._directory.name))
        self._given = 0

    def __enter__(self) -> GatewayProcess:
        self._box.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._directory:
            self._box.stop()

    def receive(self, telegram: bytes, rssi_dbm: float = -60.0) -> None:
        """A telegram ends on the air. One that the process has no room for yet waits until it has."""
        end_s = wall_s() + DEADLINE_S
        while not self._box.feed(Sent(telegram, "T1", rssi_dbm, wall_ns())):
            if wall_s() > end_s:
                raise BoxError(f"the gateway's process takes nothing: {self._box.problem}")
            self._box.turn(0.01)
        self._given += 1

    def deliver(self) -> int:
        """Wait for what it has; returns how many telegrams it has not delivered."""
        end_s = wall_s() + DEADLINE_S
        while len(self.taken) < self._given and wall_s() < end_s:
            self._box.turn(0.05)
            self.taken += [row.frame for row in self._box.take() if row.frame is not None]
        self._box.turn(0.5)  # the last acknowledgement arrives
        return self._given - len(self.taken)

    def hold(self, content: bytes) -> None:
        """Let it keep these bytes in its memory: as a telegram that nobody acknowledges."""
        body = _HEADER + content
        self.receive(bytes((len(body),)) + body)
        self._box.turn(1.0)

    def in_memory(self, secrets: Secrets) -> list[Found]:
        """Secrets in its memory: of all that it has written to, and of nothing that is mapped from a file as it is.
        Raises OSError where this machine lets nobody look."""
        return [found for blocks in _regions(self._pid()) for found in secrets.in_stream(blocks)]

    def _pid(self) -> int:
        if self._box.pid is None:
            raise BoxError(f"the gateway's process has ended: {self._box.last_words()}")
        return self._box.pid


def memory_of(pid: int) -> bytes:
    """All that a process may write to, one region behind the other. Raises OSError where this machine lets nobody
    look."""
    return b"".join(block for blocks in _regions(pid) for block in blocks)


def _regions(pid: int) -> Iterator[Iterator[bytes]]:
    """The memory of a process, one run of blocks for each of its mappings that can be written to."""
    with Path(f"/proc/{pid}/maps").open(encoding="utf-8") as maps:
        lines = [line.split(maxsplit=5) for line in maps]
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for span, rights, *_ in lines:
            if rights.startswith("rw"):
                begin, end = (int(edge, 16) for edge in span.split("-"))
                yield _blocks(lambda size, at: os.pread(memory, size, at), begin, end)
    finally:
        os.close(memory)


def _blocks(read: Callable[[int, int], bytes], begin: int, end: int) -> Iterator[bytes]:
    while begin < end:
        try:
            block = read(min(BLOCK_BYTES, end - begin), begin)
        except OSError:  # a device, or gone since
            return
        if not block:
            return
        begin += len(block)
        yield block
