"""The history: what happened, in the order of world time, and a digest that two equal runs share.

The digest is two sums of hashes modulo 2**64, so it does not depend on the order in which parts of a window were worked
out (batch, shard, worker), only on what happened. Frames enter it as packed integers through a 64-bit mixer that numpy
computes for whole windows; records enter it as blake2b of their canonical JSON. Records marked `observed` are written
but not digested.

The file is JSON lines: {"t": world ns, "event": "AlarmRaised", ...fields}. Frames are written only when the history is
opened with `frames=True`: {"t", "event": "Frame", "source", "k", "receiver", "fate", "rssi_dbm", "length"}.

Memory holds the rare records only. Those marked `bulk` (one for each bundle, window or refused telegram) are read back
from the file when somebody asks for them, so a month's history takes no more memory than a day's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from arrays.splitmix import GOLDEN, mixed
from sim.core.events import Event, Fate

_LANE = (1 << 64) - 1
I64 = NDArray[np.int64]
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """The fate of frames at receivers: equal-length int64 arrays, one row a (frame, receiver in reach) pair.

    `source` is the transmitter's index in the site, `k` the number of its frame, `start_ns` when it began,
    `length_bytes` telegram bytes without CRCs (0: a jammer), `rssi_cdbm` at that receiver in 1/100 dBm.
    """

    start_ns: I64
    source: I64
    k: I64
    receiver: I64
    fate: I64
    rssi_cdbm: I64
    length_bytes: I64

    def __len__(self) -> int:
        return len(self.start_ns)

    @classmethod
    def of(cls, rows: list[tuple[int, int, int, int, int, int, int]]) -> FrameBatch:
        """From rows in field order."""
        table = np.array(rows, dtype=np.int64).reshape(-1, 7)
        return cls(*(np.ascontiguousarray(table[:, column]) for column in range(7)))

    @classmethod
    def joined(cls, parts: Sequence[FrameBatch]) -> FrameBatch:
        """All rows of several batches."""
        none = np.zeros(0, dtype=np.int64)
        return cls(*(np.concatenate([none, *(getattr(part, name) for part in parts)]) for name in cls.__slots__))

    def part(self, rows: NDArray[Any]) -> FrameBatch:
        """Some of the rows, by index or mask."""
        return FrameBatch(*(getattr(self, name)[rows] for name in self.__slots__))

    @property
    def heard(self) -> int:
        """How many frames at least one receiver received."""
        mine = self.fate == Fate.RECEIVED
        frames = np.stack([self.start_ns[mine], self.source[mine], self.k[mine]])
        order = frames[:, np.lexsort(frames)]
        return int((order[:, 1:] != order[:, :-1]).any(axis=0).sum()) + bool(order.shape[1])


class History:
    """Append-only. `listeners` see each record as it is written (progress bars, checks that follow a run). Without a
    path there is no file, and memory holds every record."""

    def __init__(self, path: Path | None = None, *, frames: bool = False) -> None:
        self._path = path
        self._file: IO[str] | None = path.open("w", encoding="utf-8") if path is not None else None
        self._frames = frames
        self._low = 0
        self._high = 0
        self.fates: dict[str, int] = {fate.label: 0 for fate in Fate}
        self._kept: dict[type[Event], list[Event]] = {}
        self._places: dict[type[Event], list[int]] = {}
        self.written = 0
        """Records so far: the place that the next one gets. World time may stand still meanwhile; it does not."""
        self.listeners: list[Callable[[Event], None]] = []

    def record(self, event: Event) -> None:
        """Write one record. A full disk raises OSError from here: the caller says so and stops the run."""
        body = as_json(event)
        line = json.dumps(body, separators=(",", ":"), sort_keys=True)
        if not event.observed:
            hashed = hashlib.blake2b(line.encode(), digest_size=16).digest()
            self._add(int.from_bytes(hashed[:8], "big"), int.from_bytes(hashed[8:], "big"))
        if self._file is not None:
            self._file.write(line + "\n")
        if self._path is None or not event.bulk:
            self._kept.setdefault(type(event), []).append(event)
            self._places.setdefault(type(event), []).append(self.written)
        self.written += 1
        for listener in self.listeners:
            listener(event)

    def frames(self, batch: FrameBatch) -> None:
        """Count and digest a batch; write its rows when the history was opened with frames=True."""
        if not len(batch):
            return
        with np.errstate(over="ignore"):
            low = np.zeros(len(batch), dtype=np.uint64)
            high = np.full(len(batch), GOLDEN, dtype=np.uint64)
            for name in ("start_ns", "source", "k", "receiver", "fate", "rssi_cdbm", "length_bytes"):
                column = getattr(batch, name).astype(np.uint64)
                low = mixed(low + column + GOLDEN)
                high = mixed(high ^ (column * np.uint64(0xD1B54A32D192ED03)))
            self._add(int(high.sum(dtype=np.uint64)), int(low.sum(dtype=np.uint64)))
        for fate, count in zip(*np.unique(batch.fate, return_counts=True), strict=True):
            self.fates[Fate(int(fate)).label] += int(count)
        if self._frames and self._file is not None:
            self._write_frames(self._file, batch)

    def _write_frames(self, file: IO[str], batch: FrameBatch) -> None:
        order = np.lexsort((batch.receiver, batch.k, batch.source, batch.start_ns))
        columns = [
            getattr(batch, name)[order].tolist()
            for name in ("start_ns", "source", "k", "receiver", "fate", "rssi_cdbm", "length_bytes")
        ]
        for start, source, k, receiver, fate, rssi, length in zip(*columns, strict=True):
            file.write(
                f'{{"t":{start},"event":"Frame","source":{source},"k":{k},"receiver":{receiver},'
                f'"fate":"{Fate(fate).label}","rssi_dbm":{rssi / 100},"length":{length}}}\n'
            )

    def _add(self, high: int, low: int) -> None:
        # The lanes are added apart: a carry from one to the other would depend on how a window was cut into batches.
        self._high = (self._high + high) & _LANE
        self._low = (self._low + low) & _LANE

    @property
    def digest(self) -> str:
        """32 hex digits; equal for equal runs."""
        return f"{self._high:016x}{self._low:016x}"

    def of(self, kind: type[E]) -> list[E]:
        """The records of one kind, in order. Raises OSError when the file cannot be read."""
        return list(self.each(kind))

    def placed(self, kind: type[E]) -> list[tuple[int, E]]:
        """Those of a kind that is not `bulk`, each with its place."""
        assert not kind.bulk, "of those only the file knows the order"
        return list(zip(self._places.get(kind, ()), self.each(kind), strict=True))

    def each(self, kind: type[E]) -> Iterator[E]:
        """The same, one after the other: those of a `bulk` kind are never all in memory."""
        if self._path is None or not kind.bulk:
            return iter(cast("list[E]", list(self._kept.get(kind, ()))))
        return self._read_back(self._path, kind)

    def _read_back(self, path: Path, kind: type[E]) -> Iterator[E]:
        self.flush()
        mark = f'"event":"{kind.__name__}"'  # within a JSON string its quotes would be escaped
        with path.open(encoding="utf-8") as file:
            for line in file:
                if mark in line:
                    body = json.loads(line)
                    del body["event"]
                    yield kind(body.pop("t"), **body)

    def flush(self) -> None:
        """Write what is buffered. Raises OSError."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Flush and close; a second call does nothing."""
        file, self._file = self._file, None  # once: a full disk fails every time it is tried
        if file is not None:
            file.close()


def as_json(event: Event) -> dict[str, Any]:
    """The record as it stands in events.jsonl."""
    body: dict[str, Any] = {"event": type(event).__name__, "t": event.time_ns}
    for field in dataclasses.fields(event):
        if field.name != "time_ns":
            body[field.name] = getattr(event, field.name)
    return body
