"""What the pages of docs/reference are made of: docstrings, signatures, tables of Markdown."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

MADE: Final = "\n*Made from the code by `python -m tests.tools.reference`; the text is that of the docstrings there.*\n"


def said(thing: object) -> str:
    """Its docstring in one paragraph, without what makes one of dataclasses."""
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")  # not that of a class above it
    return "" if re.match(r"\w+\(.*\)$", text) else " ".join(text.split())


def functions(module: types.ModuleType) -> Iterator[str]:
    """A row for each public function that a module defines, in the order of the source."""
    for name, value in vars(module).items():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__ and name[0] != "_":
            yield f"| `{cell(name + signature(value))}` | {cell(said(value))} |"


def members(cls: type) -> Iterator[str]:
    """A row for each public method and property of a class and of those it is made of, in the order of the source."""
    seen: set[str] = set()
    for one in reversed([base for base in cls.__mro__ if base is not object and base.__module__ == cls.__module__]):
        for name, value in vars(one).items():
            if name.startswith("_") or name in seen or not isinstance(value, (types.FunctionType, property)):
                continue
            seen.add(name)
            a_method = isinstance(value, types.FunctionType)
            shown = f"{name}{signature(value)}" if isinstance(value, types.FunctionType) else name
            yield f"| `{cell(shown)}` | {cell(said(value if a_method else value.fget))} |"


def signature(function: Callable[..., Any]) -> str:
    """As it is called: without `self` and what it returns."""
    whole = inspect.signature(function)
    parameters = [
        one.replace(annotation=one.annotation if one.annotation is one.empty else _Bare(one.annotation))
        for one in whole.parameters.values() if one.name != "self"
    ]  # fmt: skip
    return str(whole.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


class _Bare(str):
    """A type as it stands in the source, which Python would put between quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(heads: str, rows: Iterator[str] | list[str]) -> str:
    """A table of Markdown; `heads` with bars between."""
    return "\n".join([f"| {heads} |", "|" + "---|" * (heads.count("|") + 1), *rows]) + "\n"
