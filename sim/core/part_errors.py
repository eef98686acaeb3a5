"""An error inside a part: told with the part's own file and line, whoever called it; one rule for all kinds of parts.

    place_in_part(error)                 (file, line) of the innermost line of a part that was being run, or None
    told(error)                          "faults/wet.py, line 31: AttributeError: ...", in one line
    answer(kind.make, a, b, of="a gateway")   what the part's function returns; PartError where it cannot be called so

A part is a file in one of the folders that `own.FOLDERS` names, the bench's or the user's own.
"""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from sim.core import own
from sim.core.broken_files import at_line, words_of
from sim.core.part_methods import returns_nothing

R = TypeVar("R")
_PACKAGES: Final = frozenset(own.FOLDERS.values())
_SHARED: Final = ("_", "port", "attacks.attack", "attacks.reach")
"""How names of modules in these packages begin that are no parts: of all, and of the attacks' handle."""


class PartError(Exception):
    """A file of a folder of parts that is no part; the message names the file and what it lacks."""


def is_part(module: str) -> bool:
    """Is this the name of a part's module?"""
    package, _, name = module.rpartition(".")
    return package in _PACKAGES and not name.startswith(_SHARED) and not module.startswith(_SHARED)


def _caused(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from: SimPy raises a copy of what a process raised, whose cause is that."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def place_in_part(error: BaseException) -> tuple[Path, int] | None:
    """(file, line) of the innermost line of a part that was being run when it was raised; None: of none."""
    found = _innermost(error)
    return found[1:] if found is not None else None


def _innermost(error: BaseException) -> tuple[BaseException, Path, int] | None:
    frames = [
        (one, Path(frame.f_code.co_filename), line)
        for one in _caused(error)
        for frame, line in traceback.walk_tb(one.__traceback__)
        if is_part(str(frame.f_globals.get("__name__", "")))
    ]
    return frames[-1] if frames else None


def calling_part() -> str:
    """ "gap.py, line 30: ", the innermost line of a part that is being run now; "" where there is none."""
    for frame, line in traceback.walk_stack(inspect.currentframe()):
        if is_part(str(frame.f_globals.get("__name__", ""))):
            return f"{at_line(frame.f_code.co_filename, line)}: "
    return ""


def in_own_part(error: BaseException) -> bool:
    """Was it raised in a part of the user's own repository?"""
    place, home = place_in_part(error), own.root()
    return place is not None and home is not None and place[0].is_relative_to(home)


def told(error: BaseException) -> str:
    """In one line what an error that nobody foresaw says, before it the part's file and line where it came from one."""
    found = _innermost(error)
    return words_of(error) if found is None else f"{at_line(*found[1:])}: {words_of(found[0])}"


def answer(
    function: Callable[..., R], *given: Any, of: str, wanted: type | tuple[type, ...] = object, port: type | None = None
) -> R:
    """What a part's function returns. `of`: what it is to return, in words; an instance of `wanted`, with the methods
    of `port`. Raises PartError, naming file and line of the function, where it takes other values or returns something
    else, or one whose methods return nothing where the port's do."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of what is written in C
        signature = None
    if signature is not None:
        try:
            signature.bind(*given)
        except TypeError as error:
            what = f"{_name(function)}{signature} is called with {len(given)} values"
            raise PartError(f"{_place(function)}: {what}: {error}") from None
    made = function(*given)
    if made is None or not isinstance(made, wanted):
        said = "None" if made is None else repr(made)
        raise PartError(f"{_place(function)}: {_name(function)} returned {said} and not {of}")
    cls: Any = type(made)
    if port is not None and (missing := returns_nothing(cls, port)):
        raise PartError(missing)
    return made


def _name(function: Callable[..., Any]) -> str:
    return getattr(_plain(function), "__name__", repr(function))


def _plain(function: Callable[..., Any]) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(function)


def _place(function: Callable[..., Any]) -> str:
    """Where it is defined."""
    plain = _plain(function)
    if (code := getattr(plain, "__code__", None)) is not None:
        return at_line(code.co_filename, code.co_firstlineno)
    try:
        return str(inspect.getfile(plain if inspect.isclass(plain) else type(plain)))
    except (TypeError, OSError):
        return repr(function)
