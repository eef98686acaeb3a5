"""Which edges of Python code a case was the first to reach: what guides towards cases that do something new.

Python 3.12 and later tell each line and each way of a branch once and are then silent (sys.monitoring), so what is
known costs nothing. Python 3.11 traces; a function that has shown nothing new for a while is traced now and then only,
the later the more of its lines were never reached.
Compiled loops are not seen: there a target's words (verdict and reason) guide instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any, ClassVar, Final, TypeVar

from bench.run_directory import ROOT

T = TypeVar("T")
_IDLE: Final = 150  # calls of a function without a new edge, once all of its lines were reached
_LONG_IDLE: Final = 20_000  # before that
_NOW_AND_THEN: Final = 32


class Coverage:
    """Edges seen so far, in files of these packages. Open one at a time, and close it."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._roots = tuple(os.path.join(ROOT, package.replace("/", os.sep)) for package in packages)
        self.edges = 0
        self._words: set[str] = set()
        self._tracer = _Monitoring(self) if sys.version_info >= (3, 12) else _Tracing(self)

    def ours(self, code: CodeType) -> bool:
        """Is its file one of those that guide?"""
        return code.co_filename.startswith(self._roots)

    def of(self, work: Callable[[], T]) -> tuple[T, int]:
        """What `work()` returns, and how many edges it was the first to reach."""
        before = self.edges
        self._tracer.begin()
        try:
            done = work()
        finally:
            self._tracer.end()
        return done, self.edges - before

    def new_words(self, words: str) -> bool:
        """Were these words of a target said for the first time?"""
        known = words in self._words or len(self._words) > 10_000
        if not known:
            self._words.add(words)
        return not known

    def close(self) -> None:
        self._tracer.close()


class _Seen:
    """Edges of one function."""

    __slots__ = ("calls", "edges", "idle", "unseen")

    def __init__(self, code: CodeType) -> None:
        self.edges: set[tuple[int, int]] = set()
        self.unseen = {line for _, _, line in code.co_lines() if line} - {code.co_firstlineno}
        self.idle = self.calls = 0


class _Tracing:
    """Python 3.11."""

    def __init__(self, owner: Coverage) -> None:
        self._owner = owner
        self._codes: dict[CodeType, _Seen | None] = {}

    def begin(self) -> None:
        sys.settrace(self._called)

    def end(self) -> None:
        sys.settrace(None)

    def close(self) -> None:
        self._codes.clear()

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        try:
            seen = self._codes[code]
        except KeyError:
            seen = self._codes[code] = _Seen(code) if self._owner.ours(code) else None
        if seen is None:
            return None
        seen.calls += 1
        seen.idle += 1
        if seen.idle > (_IDLE if not seen.unseen else _LONG_IDLE) and seen.calls % _NOW_AND_THEN:
            return None
        last = 0

        def line(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                edge = (last, frame.f_lineno)
                last = frame.f_lineno
                if edge not in seen.edges:
                    seen.edges.add(edge)
                    seen.unseen.discard(last)
                    seen.idle = 0
                    self._owner.edges += 1
            return line

        return line


class _Monitoring:
    """Python 3.12 and later; from 3.14 each way of a branch has an event of its own. There are six tools at most in a
    process, so all that are open share one, and what was silenced for one is told again when another one's turn comes.
    """

    _tool: ClassVar[int | None] = None
    _turn: ClassVar[_Monitoring | None] = None
    _open: ClassVar[int] = 0

    def __init__(self, owner: Coverage) -> None:
        self._owner = owner
        self._ways: dict[tuple[CodeType, int], set[int]] = {}
        self._monitoring: Any = getattr(sys, "monitoring")  # noqa: B009  (3.11 has none, and mypy looks as 3.11)
        self._once = hasattr(self._monitoring.events, "BRANCH_LEFT")
        if _Monitoring._tool is None:
            _Monitoring._tool = next(tool for tool in (3, 4, 2) if self._monitoring.get_tool(tool) is None)
            self._monitoring.use_tool_id(_Monitoring._tool, "wmbench fuzz")
        _Monitoring._open += 1

    def begin(self) -> None:
        """Once its turn has come, it stays on: turning it on and off would cost more than what it says."""
        if _Monitoring._turn is self:
            return
        _Monitoring._turn = self
        monitoring, events = self._monitoring, self._monitoring.events
        branches = (events.BRANCH_LEFT, events.BRANCH_RIGHT) if self._once else (events.BRANCH,)
        monitoring.register_callback(self._tool, events.LINE, self._line)
        for branch in branches:
            monitoring.register_callback(self._tool, branch, self._branch)
        monitoring.set_events(self._tool, events.LINE | sum(branches))
        monitoring.restart_events()

    def end(self) -> None:
        """See begin."""

    def close(self) -> None:
        _Monitoring._open -= 1
        if _Monitoring._turn is self:
            _Monitoring._turn = None
            self._monitoring.set_events(self._tool, 0)
        if not _Monitoring._open:
            self._monitoring.free_tool_id(self._tool)
            _Monitoring._tool = None

    def _line(self, code: CodeType, line: int) -> Any:
        if self._owner.ours(code):
            self._told(code, -line).add(line)
        return self._monitoring.DISABLE

    def _branch(self, code: CodeType, at: int, to: int) -> Any:
        if not self._owner.ours(code):
            return self._monitoring.DISABLE
        ways = self._told(code, at)
        if to not in ways:
            ways.add(to)
            self._owner.edges += 1
        return self._monitoring.DISABLE if self._once or len(ways) > 1 else None

    def _told(self, code: CodeType, at: int) -> set[int]:
        ways = self._ways.get((code, at))
        if ways is None:
            ways = self._ways[code, at] = set()
            self._owner.edges += at < 0  # a line that is new; a way of a branch counts itself
        return ways
