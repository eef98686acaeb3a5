"""Methods of a part's class that are to return something and return nothing, found in their source when it is made.

Where None comes back from one, the error is raised by whoever asked, far from the file that is to be mended.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any


@cache
def returns_nothing(cls: type, port: type) -> str:
    """The first method of `cls` that never returns a value, and that the port, or a class that it is derived from, says
    returns one, with file and line; "" where there is none."""
    bases = dict.fromkeys((port, *cls.__mro__[1:-1]))
    for base, name, promised in ((one, *item) for one in bases for item in vars(one).items()):
        says = inspect.get_annotations(_plain(promised)).get("return", "None") if callable(_plain(promised)) else "None"
        given = _plain(inspect.getattr_static(cls, name, promised))
        code = getattr(given, "__code__", None)
        if "None" in str(says) or "NoReturn" in str(says) or code is None or given is _plain(promised):
            continue
        if any(isinstance(node, ast.FunctionDef) and _mute(node) for node in nodes_of(code)):
            return (
                f"{code.co_filename}, line {code.co_firstlineno}: {given.__qualname__} returns nothing; "
                f"by {base.__name__}.{name} it returns {says}"
            )
    return ""


def _plain(member: Any) -> Any:
    """The function of a method, a property or what a decorator made of it."""
    member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.unwrap(member) if callable(member) else member


@cache
def _tree(file: str) -> ast.Module:
    try:
        return ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def nodes_of(code: CodeType) -> Iterator[ast.FunctionDef | ast.Lambda]:
    """What stands in the source of this code: one function, or each lambda of its line."""
    for node in ast.walk(_tree(code.co_filename)):
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            yield node
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            begins = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if begins == code.co_firstlineno:
                yield node


def _mute(node: ast.FunctionDef) -> bool:
    """Neither a return of a value, nor a yield, nor an error that it raises; what stands in functions within it is
    theirs."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Raise | ast.Yield | ast.YieldFrom):
            return False
        nothing = getattr(one, "value", None) is None or ast.unparse(one) == "return None"
        if isinstance(one, ast.Return) and not nothing:
            return False
        if not isinstance(one, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(one)
    return True
