"""What a compiled function is made of, as one digest: its own code, and whatever it names, however indirectly.

Machine code holds more than its own function: functions called or inlined, constants and tables frozen into it. So it
is kept under the digest of all that, as it stands in memory, and not of a file: a table of the fleet that changes
gives another digest, a comment or an unrelated line gives the same, and what a process compiles after a source was
changed under it is kept under what that process really ran.
"""

from __future__ import annotations

import builtins
import dis
import enum
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import numpy as np

_OURS: Final = ("wmbus", "arrays", "sim")
_INNER: Final = ("py_func", "_defn", "__wrapped__")


instead_of: Final[dict[Callable[..., Any], Callable[..., Any]]] = {}
"""By plain function, what compiled code takes in its place."""


class Unresolved(Exception):
    """A function names something that its module does not have yet."""


def digest(function: FunctionType) -> str:
    """The digest of one Python function that is to be compiled, 20 hexadecimal digits. Raises Unresolved."""
    found = hashlib.blake2b(digest_size=10)
    for part in _parts(function, {}):
        found.update(part.encode() if isinstance(part, str) else part)
        found.update(b"\0")
    return found.hexdigest()


def _parts(value: Any, seen: dict[int, int]) -> Iterator[str | bytes]:
    if id(value) in seen:
        yield f"again {seen[id(value)]}"
        return
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.generic)):
        yield f"{type(value).__name__} {value!r}"
        return
    seen[id(value)] = len(seen)
    # A dispatcher's, an intrinsic's, a cached function's.
    inner = next((found for name in _INNER if (found := getattr(value, name, None)) is not None), None)
    if isinstance(value, enum.Enum):
        yield f"{type(value).__name__} {value.name} {value.value!r}"
    elif inner is not None:
        yield repr(sorted(getattr(value, "targetoptions", {}).items()))
        yield from _parts(inner, seen)
    elif isinstance(value, FunctionType):
        yield from _of_function(value, seen)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {value.strides}"
        yield value.tobytes()
    elif isinstance(value, (tuple, list, frozenset, set)):
        yield f"{type(value).__name__} {len(value)}"
        for one in sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value:
            yield from _parts(one, seen)
    elif isinstance(value, dict):
        yield f"dict {len(value)}"
        for key, one in value.items():
            yield from _parts(key, seen)
            yield from _parts(one, seen)
    elif isinstance(value, type):
        yield f"class {value.__module__}.{value.__qualname__} {getattr(value, '_fields', '')}"
        if issubclass(value, enum.Enum):
            yield repr([(one.name, one.value) for one in value])
    elif isinstance(value, ModuleType):
        yield f"module {value.__name__}"
    else:  # LLVM's types and constants, numba's types: their text says what they are
        yield f"{type(value).__qualname__} {_plain(value)}"


def _plain(value: Any) -> str:
    """An object's text. Raises TypeError where that names an address, for then it would be another each time."""
    text = str(value)
    if " at 0x" in text:
        raise TypeError(f"compiled code cannot be kept: no digest can be made of {text}")
    return text


def _of_function(function: FunctionType, seen: dict[int, int]) -> Iterator[str | bytes]:
    code, names, found = function.__code__, set[str](), function.__globals__
    yield from _of_code(code, names)
    if function in instead_of:
        yield from _parts(instead_of[function], seen)
    yield from _parts(function.__defaults__, seen)
    for cell in function.__closure__ or ():
        yield from _parts(cell.cell_contents, seen)
    for name in sorted(names):
        if name not in found:
            if not hasattr(builtins, name) and name in _global_names(code):
                raise Unresolved(f"{function.__module__}.{function.__qualname__} names {name}")
            continue
        yield name
        value = found[name]
        yield from _parts(value, seen)
        if isinstance(value, ModuleType) and value.__name__.split(".")[0] in _OURS:
            for attribute in sorted(names):
                if hasattr(value, attribute):
                    yield from _parts(getattr(value, attribute), seen)


def _of_code(code: CodeType, names: set[str]) -> Iterator[str | bytes]:
    names |= set(code.co_names)
    yield code.co_code
    yield f"{code.co_argcount} {code.co_flags} {code.co_varnames} {code.co_freevars} {code.co_names}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant, names)
        elif isinstance(constant, frozenset):  # in another order with each seed of Python's hashes
            yield repr(sorted(constant, key=repr))
        else:
            yield f"{type(constant).__name__} {constant!r}"


@cache
def _global_names(code: CodeType) -> frozenset[str]:
    """Names that the code, or a function inside of it, looks up in its module."""
    own = {str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return frozenset(own).union(*(_global_names(part) for part in code.co_consts if isinstance(part, CodeType)))
