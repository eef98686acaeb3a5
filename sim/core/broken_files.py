"""A Python file of somebody's that cannot be imported: which file it is, the line, and what is wrong, in one line.

The file that was asked for may be good and import one that is not, so the file is that whose own lines were being run
last: of a project, not of Python or of an installed package.
"""

from __future__ import annotations

import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from sim.core.meant import did_you_mean

_MODULE = "<module>"
_UNEXPECTED = re.compile(r"(?P<name>\w+)(?:\.__\w+__)?\(\) got an unexpected keyword argument '(?P<word>\w+)'")
_MISSING = re.compile(r"(?P<name>\w+)(?:\.__\w+__)?\(\) missing \d+ required positional arguments?")
_NO_NAME = re.compile(r"cannot import name '(?P<word>\w+)' from '(?P<module>[\w.]+)'")


def line_in(file: Path, error: BaseException) -> int | None:
    """The line of `file` at which this error was raised or passed; None when it did not come that way."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return frames[-1].lineno if frames else None


def place_of(error: BaseException) -> tuple[Path, int | None] | None:
    """(file, line) that is to be mended; None where no file of a project was being imported."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_file():
        return Path(error.filename), error.lineno
    installed = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__) if frame.name == _MODULE]
    own = [file for file in files if file[:1] != "<" and not file.startswith(installed)]
    return (Path(own[-1]), line_in(Path(own[-1]), error)) if own else None


def words_of(error: BaseException) -> str:
    """The kind of error and what it says; with the names that there are, where one was called that there is not."""
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, AttributeError) and error.name:
        near = did_you_mean(error.name, [name for name in dir(error.obj) if name[:1] != "_"])
    else:
        near = _names(what, error.__traceback__)
    return f"{type(error).__name__}: {what}{near}"


def _names(what: str, trace: TracebackType | None) -> str:
    if (found := _NO_NAME.search(what)) and (module := sys.modules.get(found["module"])) is not None:
        return did_you_mean(found["word"], [name for name in vars(module) if name[:1] != "_"])
    if (found := _MISSING.search(what)) and (names := _signature(found["name"], trace)):
        return f"; it takes, in this order, {', '.join(names)}"
    if (found := _UNEXPECTED.search(what)) and (names := _signature(found["name"], trace)):
        return f"{did_you_mean(found['word'], names) or ';'} it takes {', '.join(names)}"
    return ""


def _signature(name: str, trace: TracebackType | None) -> list[str]:
    """The parameters of what this name means."""
    called = _called(name, trace)
    return [one for one in inspect.signature(called).parameters if one != "self"] if callable(called) else []


def _called(name: str, trace: TracebackType | None) -> Callable[..., object] | None:
    """What the innermost function or module that knows this name means by it."""
    found = None
    while trace is not None:
        found = trace.tb_frame.f_locals.get(name, trace.tb_frame.f_globals.get(name, found))
        trace = trace.tb_next
    return found


def unreadable(file: Path, error: BaseException) -> str:
    """In one line: the file, the line, what went wrong when `file` was imported."""
    broken, line = place_of(error) or (file, None)
    return f"{at_line(broken, line)}: cannot be imported: {words_of(error)}"


def at_line(file: Path | str, line: int | None) -> str:
    """As every message names a place."""
    return f"{file}{f', line {line}' if line else ''}"
