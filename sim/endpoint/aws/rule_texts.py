"""Functions of AWS IoT SQL that take texts (developer guide: iot-sql-functions)."""

from __future__ import annotations

import decimal
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from sim.endpoint.aws.md2 import md2
from sim.endpoint.aws.rule_function import Context, Function
from sim.endpoint.aws.rule_values import (
    UNDEFINED,
    V1,
    Value,
    to_int,
    to_text,
)  # fmt: skip

_WIDEST: Final = 1_000  # of lpad and rpad, which the guide bounds
_LARGEST_BYTES: Final = 131_072  # of what transform gives, and of any text that a function grows


def of_texts(function: Callable[..., Value], count: int = 1, since: str = V1) -> Function:
    """All arguments by the standard conversion to String."""

    def body(_context: Context, arguments: Sequence[Value]) -> Value:
        texts = [to_text(one) for one in arguments]
        return UNDEFINED if UNDEFINED in texts else function(*texts)

    return Function(body, count, count, since)


def padded(left: bool) -> Function:
    def body(_context: Context, arguments: Sequence[Value]) -> Value:
        text, count = to_text(arguments[0]), to_int(arguments[1], decimal.ROUND_FLOOR)
        if UNDEFINED in (text, count):
            return UNDEFINED
        space = " " * min(max(count, 0), _WIDEST)
        return space + text if left else text + space

    return Function(body, 2, 2)


def concatenated(_context: Context, arguments: Sequence[Value]) -> Value:
    """One argument: the guide's table returns it unmodified, its example (concat(1) = "1") and first sentence ("returns
    a String or an Array") do not: the latter two are followed."""
    if not arguments or UNDEFINED in arguments:
        return UNDEFINED
    if any(isinstance(one, list) for one in arguments):
        return [item for one in arguments for item in (one if isinstance(one, list) else [one])]
    if len(arguments) > 1 and not any(isinstance(one, str) for one in arguments):
        return UNDEFINED
    texts = [to_text(one) for one in arguments]
    return UNDEFINED if UNDEFINED in texts else "".join(texts)


def character(_context: Context, arguments: Sequence[Value]) -> Value:
    code = to_int(arguments[0], decimal.ROUND_FLOOR)
    return chr(code) if code is not UNDEFINED and 0 <= code < 128 else UNDEFINED


def substring(_context: Context, arguments: Sequence[Value]) -> Value:
    text, indices = to_text(arguments[0]), [to_int(one) for one in arguments[1:]]
    if text is UNDEFINED or UNDEFINED in indices:
        return UNDEFINED
    bounds = [min(max(index, 0), len(text)) for index in indices]
    return text[bounds[0] : bounds[1] if len(bounds) > 1 else len(text)]


def by_expression(function: Callable[..., Value], count: int) -> Function:
    def body(*texts: str) -> Value:
        try:
            return function(re.compile(_java(texts[1])), texts[0], *texts[2:])
        except (re.error, IndexError, RecursionError, OverflowError):
            return UNDEFINED

    return of_texts(body, count)


def _java(pattern: str) -> str:
    """What Java writes in another way than Python: named groups."""
    return re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", pattern)


def replaced(pattern: re.Pattern[str], text: str, by: str) -> Value:
    template = re.sub(r"\\([^$\\])", r"\\\\\1", by)
    template = re.sub(r"(?<!\\)\$(\d)", r"\\g<\1>", template).replace(r"\$", "$")
    replaced = pattern.sub(template, text)
    return replaced if len(replaced) <= _LARGEST_BYTES else UNDEFINED


def first_match(pattern: re.Pattern[str], text: str) -> Value:
    match = pattern.search(text)
    return match[0] if match else UNDEFINED


def replace_all(text: str, old: str, new: str) -> Value:
    if old and len(text) + text.count(old) * len(new) > _LARGEST_BYTES:
        return UNDEFINED
    return text.replace(old, new)


def hashed(name: str) -> Function:
    def body(text: str) -> str:
        data = text.encode("utf-8", "replace")
        return md2(data).hex() if name == "md2" else hashlib.new(name, data, usedforsecurity=False).hexdigest()

    return of_texts(body)
