"""Functions of AWS IoT SQL that take numbers (developer guide: iot-sql-functions)."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from sim.endpoint.aws.rule_function import Context, Function
from sim.endpoint.aws.rule_values import (
    EXACT,
    UNDEFINED,
    Value,
    bounded,
    is_number,
    to_decimal,
    to_int,
    whole,
)  # fmt: skip


def on_doubles(function: Callable[..., float], count: int = 1) -> Function:
    """On double precision; what is imaginary, infinite or not defined is UNDEFINED."""

    def body(context: Context, arguments: Sequence[Value]) -> Value:
        numbers = [to_decimal(one, context.version) for one in arguments]
        if UNDEFINED in numbers:
            return UNDEFINED
        try:
            result = function(*map(float, numbers))
        except (ValueError, OverflowError, ZeroDivisionError):
            return UNDEFINED
        if isinstance(result, complex) or not math.isfinite(result):
            return UNDEFINED
        return bounded(Decimal(repr(result)), context.version)

    return Function(body, count, count)


def to_whole(function: Callable[[Decimal], int]) -> Function:
    """Gives an Int of a Decimal, and an Int as it is."""

    def body(context: Context, arguments: Sequence[Value]) -> Value:
        number = to_decimal(arguments[0], context.version)
        return function(number) if isinstance(number, Decimal) else number

    return Function(body, 1, 1)


def absolute(context: Context, arguments: Sequence[Value]) -> Value:
    number = to_decimal(arguments[0], context.version)
    return number if number is UNDEFINED else number.copy_abs() if isinstance(number, Decimal) else abs(number)


def sign(context: Context, arguments: Sequence[Value]) -> Value:
    number = to_decimal(arguments[0], context.version)
    return UNDEFINED if number is UNDEFINED else (number > 0) - (number < 0)


def truncated(context: Context, arguments: Sequence[Value]) -> Value:
    number, places = to_decimal(arguments[0], context.version), to_int(arguments[1], decimal.ROUND_FLOOR)
    if UNDEFINED in (number, places) or not is_number(arguments[1]):
        return UNDEFINED
    if not isinstance(number, Decimal):
        return number
    step = Decimal(1).scaleb(-min(max(places, 0), 34))
    cut = number.quantize(step, decimal.ROUND_DOWN, EXACT)
    shortest = cut.normalize(EXACT)
    return whole(shortest) if shortest == shortest.to_integral_value(context=EXACT) else shortest


def remainder(context: Context, arguments: Sequence[Value]) -> Value:
    """With the sign of the dividend, as Java's; UNDEFINED when divided by 0."""
    left, right = (to_decimal(one, context.version) for one in arguments)
    if UNDEFINED in (left, right) or not right:
        return UNDEFINED
    if isinstance(left, int) and isinstance(right, int):
        return abs(left) % abs(right) * (-1 if left < 0 else 1)
    return bounded(EXACT.remainder(Decimal(left), Decimal(right)), context.version)


def on_bits(function: Callable[..., int], count: int = 2) -> Function:
    def body(context: Context, arguments: Sequence[Value]) -> Value:
        numbers = [to_int(one, decimal.ROUND_FLOOR) for one in arguments]
        return UNDEFINED if UNDEFINED in numbers else function(*numbers)

    return Function(body, count, count)


def first_that_is(_context: Context, arguments: Sequence[Value]) -> Value:
    return arguments[1] if arguments[0] is None or arguments[0] is UNDEFINED else arguments[0]
