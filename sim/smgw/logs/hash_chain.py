"""Rows that hang on one another: each holds the digest of the one before it.

    digest(row) = SHA-256(digest of the row before, number, entry)

A row that is missing leaves a hole in the numbers, and the next one names a digest that nobody has; a changed row no
longer has its digest; rows out of order stand at the wrong number. Who rewrites every later row as well makes a chain
that is sound in itself: its end is then not the one that the gateway signed. So the ends of all logs are signed
together (`statement`), and a consumer who kept an older signed end can hold later rows against that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sim.smgw.logs.log_entries import Entry, Level, LogEvent
from sim.smgw.refusals import RuleError

"""Ours: of one row as a line."""


class Place(NamedTuple):
    """A row's number and digest. Before the first row: number 0, and a digest of the gateway's and the log's name."""

    number: int
    digest: str


class Ends(NamedTuple):
    """The part of a chain that is there: behind `base` (the last row that was rolled out, or the beginning), up to and
    with `last`."""

    base: Place
    last: Place


class Row(NamedTuple):
    """`before`: the digest of the row before it."""

    number: int
    before: str
    entry: Entry
    digest: str

    @property
    def place(self) -> Place:
        return Place(self.number, self.digest)


class Finding(NamedTuple):
    """What is wrong, and at which row."""

    number: int
    what: str

    def __str__(self) -> str:
        return f"row {self.number}: {self.what}"


def beginning(gateway: str, log: str) -> Place:
    """What the first row hangs on."""
    return Place(0, hashlib.sha256(json.dumps([gateway, log]).encode()).hexdigest())


def following(last: Place, entry: Entry) -> Row:
    """The row behind another one."""
    number = last.number + 1
    return Row(number, last.digest, entry, _digest(number, last.digest, entry))


def encode(row: Row) -> bytes:
    """One line of JSON, with its end."""
    return json.dumps([row.number, row.before, *row.entry, row.digest], ensure_ascii=True).encode() + b"\n"


def decode(line: bytes) -> Row:
    """Raises RuleError (log-row) for what is no row; whether its digest is right is `verify`'s to say."""
    try:
        number, before, at_s, level, event, subject, user, outcome, text, content, digest = json.loads(line)
        entry = Entry(at_s, Level(level), LogEvent(event), subject, user, outcome, text, content)
        numbers, texts = (number, at_s, outcome), (before, subject, user, text, content, digest)
    except (ValueError, TypeError):
        raise RuleError("log-row", "a line that is no row of a log") from None
    if not (all(type(one) is int for one in numbers) and all(isinstance(one, str) for one in texts)):
        raise RuleError("log-row", "a row with a field of another kind")
    return Row(number, before, entry, digest)


def verify(rows: Iterable[Row], ends: Ends, *, known: Place | None = None) -> list[Finding]:
    """What is wrong with the rows of a log, whose signed ends these are; nothing: []. Rows behind `ends.last` were
    written since that was signed, and only hang on it. `known`: an end that the reader kept from before."""
    found: list[Finding] = []
    last = ends.base
    digests = {last.number: last.digest}
    for row in rows:
        if row.number <= last.number:
            found.append(Finding(row.number, f"stands behind row {last.number}"))
            continue
        if row.number > last.number + 1:
            found += [Finding(number, "is missing") for number in _few(last.number + 1, row.number)]
        elif row.before != last.digest:
            found.append(Finding(row.number, "does not hang on the row before it"))
        if row.digest != _digest(row.number, row.before, row.entry):
            found.append(Finding(row.number, "was changed"))
        last = row.place
        digests[last.number] = last.digest
    if last.number < ends.last.number:
        found += [Finding(number, "is missing") for number in _few(last.number + 1, ends.last.number + 1)]
    if not found and digests.get(ends.last.number, ends.last.digest) != ends.last.digest:
        found.append(Finding(ends.last.number, "is not the one that the gateway signed"))
    if not found and known is not None:
        if digests.get(known.number, known.digest) != known.digest:
            found.append(Finding(known.number, "is not the one that was kept from before"))
        elif known.number > last.number:
            found.append(Finding(known.number, "was kept from before and is missing"))
    return found


def _few(first: int, end: int) -> range:
    """Numbers of missing rows; a hole of millions is named by its first thousand."""
    return range(first, min(end, first + 1_000))


def _digest(number: int, before: str, entry: Entry) -> str:
    return hashlib.sha256(json.dumps([number, before, *entry]).encode()).hexdigest()


# --- signed ends ----------------------------------------------------------------------------------------------------


def statement(gateway: str, at_s: int, ends: Mapping[str, Ends]) -> bytes:
    """What the gateway signs: the ends of all its logs."""
    logs = {name: [*one.base, *one.last] for name, one in sorted(ends.items())}
    return json.dumps({"gateway": gateway, "at_s": at_s, "logs": logs}, sort_keys=True).encode()


def ends_in(signed: bytes, gateway: str) -> dict[str, Ends]:
    """The ends that a statement names. Raises RuleError (log-ends) where it is none of this gateway."""
    try:
        given: dict[str, Any] = json.loads(signed)
        if given["gateway"] != gateway:
            raise RuleError("log-ends", "signed for another gateway")
        return {
            str(name): Ends(Place(int(a), str(b)), Place(int(c), str(d)))
            for name, (a, b, c, d) in given["logs"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RuleError("log-ends", "this is no statement of logs' ends") from None
