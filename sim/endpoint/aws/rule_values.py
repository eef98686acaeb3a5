"""The types of AWS IoT SQL and their conversions (developer guide: iot-sql-data-types).

Int is Python's int, Decimal is decimal.Decimal with 34 digits and magnitudes from 1E-999 to 9.99E999; String, Boolean,
Null, Array and Object are JSON's. UNDEFINED is a value of its own: what a missing key, a failed conversion or a wrong
argument gives, and what is left out where JSON is written. `None` is Null, which exists.
"""

from __future__ import annotations

import decimal
import json
import re
from decimal import Decimal
from typing import Any, Final

V1: Final = "2015-10-08"
V2: Final = "2016-03-23"
VERSIONS: Final = (V1, V2, "beta")

DIGITS: Final = 34
CONTEXT: Final = decimal.Context(prec=DIGITS, Emax=999, Emin=-999, traps=[])
EXACT: Final = decimal.Context(prec=2_100, traps=[])  # for whole numbers of any allowed magnitude
DEEPEST: Final = 64  # levels of a payload; Python's own stack ends at some hundred
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE]-?[0-9]{1,4})?")  # the guide's expression, exponent bounded
_LONGEST_NUMBER: Final = 1_100


class Undefined:
    """The type of UNDEFINED."""

    def __repr__(self) -> str:
        return "Undefined"


UNDEFINED: Final = Undefined()
Value = Any  # None, bool, int, Decimal, str, bytes (a payload that is not JSON), list, dict or UNDEFINED


def is_number(value: Value) -> bool:
    """Int or Decimal; a Boolean, which Python takes for an int, is none."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def bounded(value: Decimal, version: str) -> Value:
    """A Decimal as the engine keeps it: 34 digits, UNDEFINED beyond its magnitudes; in SQL 2016-03-23 one without a
    fraction is an Int."""
    rounded = CONTEXT.plus(value)
    if not rounded.is_finite():
        return UNDEFINED
    if version != V1 and rounded == rounded.to_integral_value():
        return whole(rounded)
    return rounded


def whole(value: Decimal, rounding: str = decimal.ROUND_DOWN) -> int:
    """The Int beside a Decimal of an allowed magnitude."""
    return int(value.to_integral_value(rounding, EXACT))


def to_decimal(value: Value, version: str = V2) -> Value:
    """The standard conversion to Decimal or Int: a number, or UNDEFINED. Null gives UNDEFINED, as every function that
    takes a number says of it."""
    if is_number(value):
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return bounded(Decimal(value), version)
    return UNDEFINED


def to_int(value: Value, rounding: str = decimal.ROUND_DOWN) -> Value:
    """The standard conversion to Int, or UNDEFINED. Rounded towards zero: the page's table says "nearest" for a
    Decimal, yet its own examples (substring("012345", 2.745)) cut the fraction off."""
    number = to_decimal(value)
    return whole(number, rounding) if isinstance(number, Decimal) else number


def to_boolean(value: Value) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return UNDEFINED


def to_text(value: Value) -> Value:
    """The standard conversion to String, or UNDEFINED: of Null, of UNDEFINED and of raw bytes that are not UTF-8."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return UNDEFINED
    return dumps(value) if isinstance(value, list | dict) else UNDEFINED


def same(left: Value, right: Value) -> bool:
    """Equality without conversion: types must agree, Int and Decimal are one; objects compare without order."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    return type(left) is type(right) and bool(left == right)


# --- JSON ------------------------------------------------------------------------------------------------------


class NotJson(ValueError):
    """These bytes are no JSON document that the engine could keep."""


def parse(payload: bytes | str, version: str = V2) -> Value:
    """A JSON document with the digits of its numbers. Raises NotJson."""

    def number(text: str) -> Value:
        if len(text) > _LONGEST_NUMBER:
            raise NotJson("a number of more digits than there can be")
        value = Decimal(text)
        kept = UNDEFINED if value.adjusted() > 999 else bounded(value, version)
        if kept is UNDEFINED:
            raise NotJson("a number beyond 1E999")
        return kept

    def constant(name: str) -> Value:
        raise NotJson(f"{name} is not JSON")

    try:
        value = json.loads(payload, parse_float=number, parse_int=_int, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    if _depth(value) > DEEPEST:
        raise NotJson(f"more than {DEEPEST} levels")
    return value


def _int(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise NotJson("a number of more digits than there can be")
    return int(text)


def _depth(value: Value) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        containers = [one for one in level if isinstance(one, dict | list)]
        level = [below for one in containers for below in (one.values() if isinstance(one, dict) else one)]
    return deepest


def dumps(value: Value, *, ascii_only: bool = False) -> str:
    """Compact JSON. UNDEFINED is left out of objects and arrays, and is an empty text by itself; bytes are a String."""
    if value is UNDEFINED:
        return ""
    if isinstance(value, dict):
        pairs = (
            f"{_quoted(key, ascii_only)}:{dumps(one, ascii_only=ascii_only)}"
            for key, one in value.items()
            if one is not UNDEFINED
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(one, ascii_only=ascii_only) for one in value if one is not UNDEFINED) + "]"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return _quoted(value.decode("utf-8", "replace"), ascii_only)
    return json.dumps(value, ensure_ascii=ascii_only)


def _quoted(text: str, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)
