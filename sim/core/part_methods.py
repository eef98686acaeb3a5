"""Methods of a part's class that are to return something and return nothing, found in their source when it is made.

Where None comes back from one, the error is raised by whoever asked, far from the file that is to be mended.
"""

from __future__ import annotations

import ast
import dis
import inspect
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
        if isinstance(code, CodeType) and _mute(code):
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


def nodes_of(code: CodeType) -> list[ast.FunctionDef | ast.Lambda]:
    """What stands in the source of this code: one function, or each lambda of its line."""
    return _begun(code.co_filename).get((code.co_name, code.co_firstlineno), [])


@cache
def _begun(file: str) -> dict[tuple[str, int], list[ast.FunctionDef | ast.Lambda]]:
    """(name, first line) -> the functions of a file, as code objects have them."""
    found: dict[tuple[str, int], list[ast.FunctionDef | ast.Lambda]] = {}
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Lambda):
            found.setdefault(("<lambda>", node.lineno), []).append(node)
        elif isinstance(node, ast.FunctionDef):
            begins = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            found.setdefault((node.name, begins), []).append(node)
    return found


def _mute(code: CodeType) -> bool:
    """Neither a return of a value, nor a yield, nor an error that it raises; what stands in functions within it is
    theirs. Read from what Python compiled: to parse the sources of all parts took a fifth of a command's start."""
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
        return False
    before = None
    for one in dis.get_instructions(code):
        if one.opname == "RAISE_VARARGS":
            return False
        if one.opname == "RETURN_CONST" and one.argval is not None:
            return False
        given_none = before is not None and before.opname == "LOAD_CONST" and before.argval is None
        if one.opname == "RETURN_VALUE" and not given_none:
            return False
        before = one
    return True
