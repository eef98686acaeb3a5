"""The functions of AWS IoT SQL, one row each (developer guide: iot-sql-functions).

A function gets values and gives a value; what a wrong type or number of arguments gives is UNDEFINED. Where the guide
contradicts itself, the choice and its reason stand at the function.
"""

from __future__ import annotations

import base64
import binascii
import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from sim.endpoint.aws import rule_times
from sim.endpoint.aws.rule_function import Context, Facts, Function
from sim.endpoint.aws.rule_numbers import (
    absolute,
    first_that_is,
    on_bits,
    on_doubles,
    remainder,
    sign,
    to_whole,
    truncated,
)
from sim.endpoint.aws.rule_texts import (
    by_expression,
    character,
    concatenated,
    first_match,
    hashed,
    of_texts,
    padded,
    replace_all,
    replaced,
    substring,
)
from sim.endpoint.aws.rule_tree import RuleError
from sim.endpoint.aws.rule_values import (
    UNDEFINED,
    V1,
    V2,
    NotJson,
    Value,
    bounded,
    dumps,
    is_number,
    parse,
    to_boolean,
    to_decimal,
    to_int,
    to_text,
    whole,
)  # fmt: skip

_LARGEST_BYTES: Final = 131_072  # of what transform gives


# --- payload -----------------------------------------------------------------------------------------------------


def _encode(_context: Context, arguments: Sequence[Value]) -> Value:
    value = arguments[0] if isinstance(arguments[0], bytes) else to_text(arguments[0])
    if arguments[1] != "base64" or value is UNDEFINED:
        return UNDEFINED
    data = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    return base64.b64encode(data).decode()


def _decode(context: Context, arguments: Sequence[Value]) -> Value:
    """JSON where the decoded text is JSON, else the text; Null where it cannot be decoded."""
    if not isinstance(arguments[0], str) or arguments[1] != "base64":
        return UNDEFINED if arguments[0] is UNDEFINED or arguments[1] != "base64" else None
    try:
        text = base64.b64decode(arguments[0], validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    try:
        return parse(text, context.version)
    except NotJson:
        return text


def member(value: Value, key: str) -> Value:
    return value.get(key, UNDEFINED) if isinstance(value, dict) else UNDEFINED


def _get(_context: Context, arguments: Sequence[Value]) -> Value:
    """Indices count from 0. The guide's example get("abc", 1) = "a" contradicts its own table, which is followed."""
    held, key = arguments
    if isinstance(held, dict):
        return member(held, key) if isinstance(key, str) else UNDEFINED
    if not isinstance(held, list | str):
        return UNDEFINED
    index = to_int(key)
    return held[index] if index is not UNDEFINED and 0 <= index < len(held) else UNDEFINED


def _transform(_context: Context, arguments: Sequence[Value]) -> Value:
    """A nested SELECT gives an array; where it stands for the Object, or gives the Array inside of another, the one
    item is meant, as in the guide's third example."""
    mode, added, items = arguments
    if isinstance(added, list) and len(added) == 1:
        added = added[0]
    if isinstance(items, list) and len(items) == 1 and isinstance(items[0], list):
        items = items[0]
    if mode != "enrichArray" or not isinstance(added, dict) or not isinstance(items, list):
        return UNDEFINED
    if not all(isinstance(item, dict) for item in items):
        return UNDEFINED
    if len(items) * len(dumps(added)) > _LARGEST_BYTES:
        return UNDEFINED
    return [{**item, **added} for item in items]


def _cut_levels(context: Context, arguments: Sequence[Value]) -> Value:
    """topic(n): levels count from 1; one that is not there is UNDEFINED."""
    if not arguments:
        return context.facts.topic
    levels, index = context.facts.topic.split("/"), to_int(arguments[0], decimal.ROUND_FLOOR)
    return levels[index - 1] if index is not UNDEFINED and 1 <= index <= len(levels) else UNDEFINED


def _parse_time(_context: Context, arguments: Sequence[Value]) -> Value:
    pattern, moment = to_text(arguments[0]), to_int(arguments[1])
    where = to_text(arguments[2]) if len(arguments) > 2 else "UTC"
    if UNDEFINED in (pattern, moment, where):
        return UNDEFINED
    try:
        return rule_times.write(pattern, moment, where)
    except rule_times.BadTime:
        return UNDEFINED


def _time_to_epoch(text: str, pattern: str) -> Value:
    try:
        return rule_times.read(text, pattern)
    except rule_times.BadTime:
        return UNDEFINED


# --- the message -------------------------------------------------------------------------------------------------


def _fact(function: Callable[[Facts], Value]) -> Function:
    return Function(lambda context, _arguments: function(context.facts), 0, 0)


def _or_undefined(value: str | None) -> Value:
    return UNDEFINED if value is None else value


def _uuid(facts: Facts) -> str:
    """Version 4: random but for six bits."""
    number = 0
    for _ in range(4):
        number = number << 32 | int(facts.draw() * (1 << 32)) & 0xFFFFFFFF
    digits = f"{number & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _lambda(context: Context, arguments: Sequence[Value]) -> Value:
    name, argument = arguments
    return context.facts.called(name, argument) if isinstance(name, str) else UNDEFINED


def _shadow(context: Context, arguments: Sequence[Value]) -> Value:
    """get_thing_shadow(thing, [name,] role)."""
    if not all(isinstance(one, str) for one in arguments):
        return UNDEFINED
    return context.facts.shadow(arguments[0], arguments[1] if len(arguments) > 2 else None)


FUNCTIONS: Final[dict[str, Function]] = {
    "abs": Function(absolute, 1, 1),
    "accountid": _fact(lambda facts: facts.account_id),
    "acos": on_doubles(math.acos),
    "asin": on_doubles(math.asin),
    "atan": on_doubles(math.atan),
    "atan2": on_doubles(math.atan2, 2),
    "aws_lambda": Function(_lambda, 2, 2),
    "bitand": on_bits(lambda left, right: left & right),
    "bitor": on_bits(lambda left, right: left | right),
    "bitxor": on_bits(lambda left, right: left ^ right),
    "bitnot": on_bits(lambda one: ~one, 1),  # the guide's bitnot(13) = 2 is the complement within four bits
    "ceil": to_whole(lambda number: whole(number, decimal.ROUND_CEILING)),
    "chr": Function(character, 1, 1),
    "clientid": _fact(lambda facts: "n/a" if facts.client_id is None else facts.client_id),
    "concat": Function(concatenated, 0, 1_000),
    "cos": on_doubles(math.cos),
    "cosh": on_doubles(math.cosh),
    "decode": Function(_decode, 2, 2, V2),
    "encode": Function(_encode, 2, 2, V2),
    "endswith": of_texts(str.endswith, 2),
    "exp": on_doubles(math.exp),
    "floor": to_whole(lambda number: whole(number, decimal.ROUND_FLOOR)),
    "get": Function(_get, 2, 2),
    "get_or_default": Function(first_that_is, 2, 2, V2),
    "get_thing_shadow": Function(_shadow, 2, 3, V2),
    "indexof": of_texts(str.find, 2, V2),
    "isnull": Function(lambda _context, arguments: arguments[0] is None, 1, 1),
    "isundefined": Function(lambda _context, arguments: arguments[0] is UNDEFINED, 1, 1, V2),
    "length": of_texts(len, 1, V2),
    "ln": on_doubles(math.log),
    "log": on_doubles(math.log10),
    "lower": of_texts(str.lower),
    "lpad": padded(left=True),
    "ltrim": of_texts(lambda text: text.lstrip(" \t")),
    "mod": Function(remainder, 2, 2),
    "nanvl": Function(first_that_is, 2, 2),
    "newuuid": _fact(_uuid),
    "numbytes": of_texts(lambda text: len(text.encode("utf-8", "replace")), 1, V2),
    "parse_time": Function(_parse_time, 2, 3, V2),
    "power": on_doubles(math.pow, 2),
    "principal": _fact(lambda facts: _or_undefined(facts.principal)),
    "rand": Function(lambda context, _: bounded(Decimal(repr(context.facts.draw())), context.version), 0, 0),
    "regexp_matches": by_expression(lambda pattern, text: pattern.search(text) is not None, 2),
    "regexp_replace": by_expression(replaced, 3),
    "regexp_substr": by_expression(first_match, 2),
    "remainder": Function(remainder, 2, 2),
    "replace": of_texts(replace_all, 3),
    "round": to_whole(lambda number: whole(number, decimal.ROUND_HALF_UP)),  # -1.5 is -2, as in the guide's example
    "rpad": padded(left=False),
    "rtrim": of_texts(lambda text: text.rstrip(" \t")),
    "sign": Function(sign, 1, 1),
    "sin": on_doubles(math.sin),
    "sinh": on_doubles(math.sinh),
    "sourceip": _fact(lambda facts: _or_undefined(facts.source_ip)),
    "sql_version": Function(lambda context, _arguments: context.version, 0, 0),
    "sqrt": on_doubles(math.sqrt),
    "startswith": of_texts(str.startswith, 2),
    "substring": Function(substring, 2, 3),
    "tan": on_doubles(math.tan),
    "tanh": on_doubles(math.tanh),
    "time_to_epoch": of_texts(_time_to_epoch, 2, V2),
    "timestamp": _fact(lambda facts: facts.clock_ms),
    "topic": Function(_cut_levels, 0, 1),
    "traceid": _fact(lambda facts: _or_undefined(facts.trace_id)),
    "transform": Function(_transform, 3, 3, V2),
    "trim": of_texts(str.strip),
    "trunc": Function(truncated, 2, 2),
    "upper": of_texts(str.upper),
    **{name: hashed(name) for name in ("md2", "md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
}
NOT_HERE: Final = (
    "get_dynamodb", "get_secret", "get_registry_data", "get_mqtt_property", "get_user_properties",
    "machinelearning_predict",
)  # fmt: skip


def check_call(name: str, version: str) -> None:
    """Raises RuleError for a function that does not exist, is younger than the rule's SQL version, or asks a service
    that is not here. A wrong number of arguments is no error: it gives UNDEFINED when called."""
    if name in NOT_HERE:
        raise RuleError(f"{name}() asks another service of AWS, which does not exist here")
    if name not in FUNCTIONS:
        raise RuleError(f"there is no function {name}()")
    if version == V1 and FUNCTIONS[name].since != V1:
        raise RuleError(f"{name}() needs SQL version 2016-03-23")


def call(context: Context, name: str, arguments: Sequence[Value]) -> Value:
    """The value of a call that `check_call` has let through."""
    function = FUNCTIONS[name]
    return function.body(context, arguments) if function.least <= len(arguments) <= function.most else UNDEFINED


def cast(value: Value, kind: str, version: str) -> Value:
    """cast(value as kind): the standard conversions, and numbers to and from Booleans."""
    if isinstance(value, bool) and kind in ("int", "decimal"):
        return bounded(Decimal("1.0" if value else "0.0"), version) if kind == "decimal" else int(value)
    if is_number(value) and kind == "boolean":
        return bool(value)
    if kind == "int":
        return to_int(value, decimal.ROUND_FLOOR)
    if kind == "decimal":
        return to_decimal(value, version)
    return to_boolean(value) if kind == "boolean" else to_text(value)
