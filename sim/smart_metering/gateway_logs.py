"""A gateway's logs on its disk: one file a log, a row a line, and a file with their signed ends.

A row is one write at the end of its file, so a program that is killed leaves whole rows; a torn last line, as a power
cut of the machine may leave, is cut off and said in the system log. Ends are signed by the module once for all logs
(`seal`), when rows were written since: rows behind a signed end hang on it. Written by one thread, read by any.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from sim.smgw.logs.hash_chain import (
    Ends,
    Finding,
    Place,
    Row,
    beginning,
    decode,
    encode,
    ends_in,
    following,
    statement,
    verify,
)
from sim.smgw.logs.log_entries import SYSTEM, Entry, Level, LogEvent
from sim.smgw.logs.log_limits import LogLimit, limit_of, to_roll_out
from sim.smgw.module.port import ModuleError
from sim.smgw.refusals import RuleError

_SUFFIX: Final = ".jsonl"
_ENDS: Final = "ends.json"


class SignedEnds(NamedTuple):
    """`statement` is what was signed, by the key of the certificate that the gateway signs under."""

    statement: bytes
    signature: bytes


class GatewayLogs:
    """`sign`: by the module. `limits`: how large a log of a name may be. Opened again on its folder it goes on where it
    was; what is wrong with a chain then goes to the system log."""

    def __init__(
        self, folder: Path, gateway: str, sign: Callable[[bytes], bytes], now_s: int,
        limits: Callable[[str], LogLimit] = limit_of,
    ) -> None:  # fmt: skip
        self._folder, self._gateway, self._sign, self._limits = folder, gateway, sign, limits
        self._ends: dict[str, Ends] = {}
        self._counts: dict[str, int] = {}
        self._unsigned = False
        folder.mkdir(parents=True, exist_ok=True)
        unreadable = ""
        try:
            signed = self._signed_ends()
        except RuleError as error:
            signed, unreadable = {}, error.detail
        there = {unquote(path.stem) for path in folder.glob(f"*{_SUFFIX}")}
        for log in sorted(there | set(signed)):
            self._open(log, self._path(log), signed, now_s)
        if unreadable:
            self.write(SYSTEM, Entry(now_s, Level.FATAL, LogEvent.CHAIN_BROKEN, _ENDS, gateway, 1, unreadable))

    def _open(self, log: str, path: Path, signed: dict[str, Ends], now_s: int) -> None:
        wrong: list[Finding] = []
        data = path.read_bytes() if path.exists() else b""
        if data and not data.endswith(b"\n"):
            data = data[: data.rfind(b"\n") + 1]
            os.truncate(path, len(data))
            wrong.append(Finding(data.count(b"\n") + 1, "was torn in writing, and is cut off"))
        start = signed.get(log, Ends(beginning(self._gateway, log), beginning(self._gateway, log)))
        rows = [row for row in rows_in(data) if row.number > start.base.number]
        wrong += verify(rows, start)
        end = rows[-1].place if rows else start.last
        # A chain that lost its end goes on behind the number that was signed, so that no number is given twice.
        self._ends[log] = Ends(start.base, end if end.number >= start.last.number else start.last)
        self._counts[log] = len(rows)
        for one in wrong[:10]:
            text = f"the log '{log}': {one}"
            self.write(SYSTEM, Entry(now_s, Level.FATAL, LogEvent.CHAIN_BROKEN, log, self._gateway, 1, text))

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, log: str, entry: Entry) -> Row:
        """Raises RuleError (log-full); the system log says so too."""
        start = beginning(self._gateway, log)
        ends = self._ends.setdefault(log, Ends(start, start))
        if self._counts.get(log, 0) >= self._limits(log).rows_most:
            ends = self._meter_table_now(log, ends, entry.at_s)
        row = following(ends.last, entry)
        path = self._path(log)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, encode(row))
        finally:
            os.close(file)
        self._ends[log] = Ends(ends.base, row.place)
        self._counts[log] = self._counts.get(log, 0) + 1
        self._unsigned = True
        return row

    def has_room(self, log: str, now_s: int) -> bool:
        """Another row can be written now."""
        limit = self._limits(log)
        if self._counts.get(log, 0) < limit.rows_most:
            return True
        try:
            to_roll_out(self.rows(log), limit, now_s)
        except RuleError:
            return False
        return True

    def _meter_table_now(self, log: str, ends: Ends, now_s: int) -> Ends:
        rows = self.rows(log)
        try:
            gone = to_roll_out(rows, self._limits(log), now_s)
        except RuleError as error:
            if log != SYSTEM:
                text = f"the log '{log}' is full: {error.detail}"
                self.write(SYSTEM, Entry(now_s, Level.ERROR, LogEvent.LOG_FULL, log, self._gateway, 1, text))
            raise
        path = self._path(log)
        whole = path.with_suffix(".new")
        whole.write_bytes(b"".join(map(encode, rows[gone:])))
        rolled = self._ends[log] = Ends(rows[gone - 1].place, ends.last)
        try:
            self.seal(now_s)  # first the base, then the rows: killed in between, rows before the base are left over
        except ModuleError as error:
            self._ends[log] = ends
            raise RuleError("log-full", f"nothing is rolled out while the module does not sign: {error}") from None
        self._counts[log] = len(rows) - gone
        whole.replace(path)
        return rolled

    def seal(self, now_s: int) -> None:
        """Have the ends signed, where a row was written since. Raises ModuleError."""
        if not self._unsigned and (self._folder / _ENDS).exists():
            return
        said = statement(self._gateway, now_s, self._ends)
        whole = self._folder / f"{_ENDS}.new"
        whole.write_text(json.dumps({"statement": said.decode(), "signature": self._sign(said).hex()}), "utf-8")
        whole.replace(self._folder / _ENDS)
        self._unsigned = False

    # --- reading ----------------------------------------------------------------------------------------------------

    def rows(self, log: str) -> list[Row]:
        """Oldest first. A line that is no row is left out: `verify` misses its number."""
        path = self._path(log)
        base = self._ends[log].base.number if log in self._ends else 0
        return [one for one in rows_in(path.read_bytes()) if one.number > base] if path.exists() else []

    @property
    def names(self) -> list[str]:
        """Logs that have a row."""
        return list(self._ends)

    def last(self, log: str) -> Place:
        """Where a log ends now."""
        return self._ends[log].last if log in self._ends else beginning(self._gateway, log)

    def signed(self) -> SignedEnds | None:
        """The ends as they were signed last; None before that."""
        return signed_in(self._folder)

    def _signed_ends(self) -> dict[str, Ends]:
        signed = self.signed()
        return {} if signed is None else ends_in(signed.statement, self._gateway)

    def _path(self, log: str) -> Path:
        return self._folder / f"{quote(log, safe='')}{_SUFFIX}"


def rows_in(data: bytes) -> list[Row]:
    """The rows of a log's file; what is no row is left out."""
    rows = []
    for line in data.splitlines(keepends=True):
        with contextlib.suppress(RuleError):
            rows.append(decode(line))
    return rows


def signed_in(folder: Path) -> SignedEnds | None:
    """The signed ends that lie in a folder of logs; None where none do. Raises RuleError (log-ends)."""
    path = folder / _ENDS
    if not path.exists():
        return None
    try:
        given = json.loads(path.read_text("utf-8"))
        return SignedEnds(given["statement"].encode(), bytes.fromhex(given["signature"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RuleError("log-ends", f"{path.name} holds no signed ends; keep the logs as evidence") from None
