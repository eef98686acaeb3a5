"""What the source of a check shows before it is compiled, and what the compiler's words mean for its author.

Compiled code does not tell True from 1, which is LATE: a verdict that returns a comparison is found here.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from sim.core.broken_files import at_line
from sim.core.part_methods import nodes_of

if TYPE_CHECKING:
    from sim.portal.check import Check

_CALL: Final = re.compile(r"(?:why|new) = (?P<check>\w+)_(?P<function>verdict|took)\(")
_WAYS_OUT: Final = {
    "verdict": "verdict must return a whole number on every path: PASSED, LATE or 2 + the place of a reason",
    "took": "took must return {state} on every path",
}
WRITTEN: Final = "<string>"
"""The file that Python and the compiler name for code that was written by a program."""


def returns_bool(function: Callable[..., Any]) -> int | None:
    """The line at which it returns True or False, as far as the source shows it; None where it does not."""
    if not isinstance(function, FunctionType):
        return None
    for node in nodes_of(function.__code__):
        if isinstance(node, ast.Lambda):
            if _is_bool(node.body, {}, function):
                return node.body.lineno
            continue
        said = _assigned(node)
        for one in ast.walk(node):
            if isinstance(one, ast.Return) and one.value is not None and _is_bool(one.value, said, function):
                return one.lineno
    return None


def _assigned(node: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """Name -> what is assigned to it; of a name that is changed otherwise, a number beside that."""
    found: dict[str, list[ast.expr]] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.Assign):
            for target in one.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        plain = isinstance(target, ast.Name)
                        found.setdefault(name.id, []).append(one.value if plain else ast.Constant(0))
        elif isinstance(one, ast.AnnAssign | ast.NamedExpr) and isinstance(one.target, ast.Name) and one.value:
            found.setdefault(one.target.id, []).append(one.value)
    return found


def _is_bool(node: ast.expr, said: dict[str, list[ast.expr]], function: FunctionType) -> bool:
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return True
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool)
    if isinstance(node, ast.BoolOp):
        return all(_is_bool(one, said, function) for one in node.values)
    if isinstance(node, ast.IfExp):
        return any(_is_bool(one, said, function) for one in (node.body, node.orelse))
    if isinstance(node, ast.Name):
        less = {name: values for name, values in said.items() if name != node.id}
        return node.id in said and all(_is_bool(one, less, function) for one in said[node.id])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        called = function.__globals__.get(node.func.id, bool if node.func.id == "bool" else None)
        return called is bool or getattr(called, "__annotations__", {}).get("return") in (bool, "bool")
    return False


def to_mend(error: Exception, checks: Sequence[Check], lines: Sequence[str]) -> str:
    """In one line what is to be mended where a check cannot be compiled. `lines`: of the function that was written from
    these checks (freshness.together), at one of whose calls it was seen."""
    from arrays import jit  # here, where code was compiled: whoever lists checks need not wait for the compiler

    said = jit.to_mend(error)
    place = getattr(error, "loc", None)
    if place is None or place.filename != WRITTEN or not 0 < place.line <= len(lines):
        return said
    calls = [found for one in lines[: place.line] if (found := _CALL.search(one))]
    check = next((one for one in checks if calls and one.id == calls[-1]["check"]), None)
    if check is None:
        return said
    name = calls[-1]["function"]
    way_out = _WAYS_OUT[name].format(state=check.state.__name__)
    plain = inspect.unwrap(getattr(check, name))
    where = at_line(plain.__code__.co_filename, plain.__code__.co_firstlineno)
    return f"{where}: check '{check.id}': {way_out} ({said.partition(': ')[2]})"
