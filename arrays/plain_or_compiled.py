"""Formulas that serve one row as plain Python and many rows as compiled code, from the same source.

`shared` marks a function that both may call. In it `quotient` stands for `//` of what is never negative: in Python it
is just that, in compiled code it spares the handling of negative numbers, which is much of the work of a short loop. A
global constant may be a divisor; the compiler makes a product and a shift of it.

The compiler need not be loaded for plain Python; when `arrays.jit` is, it learns what is marked (`connect`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
signed: Final = cast(Callable[[Any], int], np.int64)
"""A number of any width as a signed word: in compiled code a whole number like any other."""
_marked: Final[list[Callable[..., Any]]] = []
_compilers: Final[list[Callable[..., Any]]] = []


def shared(function: F) -> F:
    """The same function; compiled code may call it too."""
    _marked.append(function)
    for register in _compilers:
        register(function)
    return function


def connect(register: Callable[..., Any], overload: Callable[..., Any]) -> None:
    """The compiler is there: `register` names a function that it may compile, `overload` what replaces one."""
    _compilers.append(register)
    for function in _marked:
        register(function)
    overload(quotient)(_quotient)


def quotient(number: int, by: int) -> int:
    """number // by, neither negative."""
    return number // by


def _quotient(number: Any, by: Any) -> Callable[..., Any]:
    def compiled(number: Any, by: Any) -> Any:
        return np.int64(np.uint64(number) // np.uint64(by))

    return compiled
