"""Does a part hold what its port says? One rule for all kinds of parts, from the port's own fields.

    ill_typed(part)      "order is 'late' and no whole number", or "" where each field is what its annotation says
    no_settings(cls)     what is wrong with a class of settings, or ""
    key_twice(classes)   which key two of them have, where all stand in one table, or ""

An annotation of another kind (a mapping of arrays, a protocol) says nothing here.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import inspect
import sys
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, Literal

from sim.core.meant import did_you_mean

_WORDS: Final = {
    int: "whole number", float: "number", str: "text", bool: "True or False", bytes: "bytes", tuple: "tuple",
    frozenset: "frozenset",
}  # fmt: skip


def ill_typed(part: Any) -> str:
    """What is wrong with the first field that is not as the part's class says; "" where all are."""
    if not dataclasses.is_dataclass(part):
        return ""
    cls: Any = type(part)
    hints = _hints(cls)
    for one in dataclasses.fields(part):
        if said := _unlike(hints.get(one.name), getattr(part, one.name, None)):
            return f"{one.name} {said}"
    return ""


@cache
def _hints(cls: type) -> dict[str, Any]:
    """The annotations of its fields; those with names that only type checkers import are left out."""
    found: dict[str, Any] = {}
    for one in reversed(cls.__mro__):
        around = vars(sys.modules[one.__module__])
        for name, hint in inspect.get_annotations(one).items():
            with contextlib.suppress(NameError):
                found[name] = eval(hint, around) if isinstance(hint, str) else hint
    return found


def _unlike(hint: Any, value: Any) -> str:
    """What is wrong with a value, as the end of a sentence; "" when nothing."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if hint in (int, float, str, bool, bytes):
        wanted = (int, float) if hint is float else hint
        fits = isinstance(value, wanted) and (hint is bool or not isinstance(value, bool))
        return "" if fits else f"is {value!r} and no {_WORDS[hint]}"
    if origin is Literal:
        if value in inside:
            return ""
        near = did_you_mean(str(value), map(str, inside)) or "."
        return f"says {value!r}, which there is not{near} Known: {', '.join(map(str, inside))}"
    if origin in (tuple, frozenset):
        return _each(origin, inside, value)
    if origin is type or hint is type:
        if not isinstance(value, type):
            return f"is {value!r} and no class"
        base = _bound(inside[0]) if inside else object
        return _derived(value, base)
    if origin is collections.abc.Callable:
        return _function(inside[-1] if inside else Any, value)
    if origin is collections.abc.Mapping:
        return "" if isinstance(value, collections.abc.Mapping) else f"is {value!r} and no dictionary"
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return "" if isinstance(value, hint) else f"is {value!r}; write {hint.__name__}(...)"
    return ""


def _each(kind: Any, inside: tuple[Any, ...], value: Any) -> str:
    if not isinstance(value, kind):
        return f"is {value!r} and no {_WORDS[kind]}"
    if kind is tuple and not (len(inside) == 2 and inside[1] is Ellipsis):
        return "" if len(value) == len(inside) else f"is {value!r}; it has {len(inside)} values"
    for place, one in enumerate(value):
        if said := _unlike(inside[0], one):
            return f"[{place}] {said}" if kind is tuple else said
    return ""


def _function(returns: Any, value: Any) -> str:
    if not callable(value):
        return f"is {value!r} and no function"
    return _derived(value, returns) if isinstance(value, type) else ""


def _derived(cls: type, base: Any) -> str:
    """What is wrong with a class that must be one of these; a protocol asks for methods and no base class."""
    plain = isinstance(base, type) and typing.get_origin(base) is None and not getattr(base, "_is_protocol", False)
    if not plain or issubclass(cls, base):
        return ""
    return f"is {cls.__name__}, which is no {base.__name__}; write class {cls.__name__}({base.__name__})"


def _bound(hint: Any) -> Any:
    return (hint.__bound__ or object) if isinstance(hint, typing.TypeVar) else typing.get_origin(hint) or hint


def classes_of_settings(part: Any) -> Iterator[type]:
    """The classes of keys that a file may set for this part."""
    yield from (one for name in ("spec", "settings") if isinstance(one := getattr(part, name, None), type))


def key_twice(classes: Iterable[type]) -> str:
    """Which key of one table two classes define, each for itself, with both files; "" when none is. A class may have
    another's keys by being derived from it."""
    of: dict[str, type] = {}
    for cls in classes:
        for name in _keys(cls):
            if name in of:
                ours, yours = (f"{sys.modules[one.__module__].__file__} ({one.__name__})" for one in (of[name], cls))
                return f"{ours} and {yours} both have the key '{name}'; give yours another name"
            of[name] = cls
    return ""


def _keys(cls: type) -> list[str]:
    """Those that a class has for itself."""
    return [name for name in inspect.get_annotations(cls) if not name.startswith("_")]


def no_settings(cls: type) -> str:
    """What keeps a class from being one of settings: its keys are lost where a decorator was left out. "" when nothing
    does."""
    keys = _keys(cls)
    if keys and "__dataclass_fields__" not in vars(cls):
        return f"{cls.__name__} has keys ({', '.join(keys)}) and no @dataclass(frozen=True) above it"
    return ""
