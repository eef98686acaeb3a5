"""Rules and readings as rows of JSON, and what leaves as rows again.

In: {"id", "taf", "supplier": rule set, "readings": lists}. A list of readings is {"meter", "obis", "scaler", "t0"} and
either "step_s" and "d" (the first reading, then what it grew by; null: missing) with "ptb" (index -> status), a
raster of its own; or "rows" of [seconds after t0, reading, status], on the raster of "period_s" (900).

Out: {"id", "registers": [{"obis", "amount", "tariff"}]}, for single readings also "at", "meter", "ptb" and "event"; or
{"id", "error": {"reason", "detail"}}. No digit of a number is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any, Final

from sim.core.digits import whole_of
from sim.core.quoting import quoted
from sim.smgw.german_time import text
from sim.smgw.metrology import Reading, Series, in_order, raster_s, target_s
from sim.smgw.obis_codes import Obis, known
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S, EXACT, LONGEST_S, load, number, seconds, whole
from sim.smgw.use_cases import Register, evaluate

LISTS_MOST: Final = 1_000


def answer(row: Mapping[str, Any]) -> str:
    """The line for a row: what leaves, or why nothing does."""
    name = row.get("id")
    try:
        registers = evaluate_row(row)
    except RuleError as error:
        return json.dumps({"id": name, "error": {"reason": error.clause, "detail": error.detail}}, default=str)
    out: dict[str, Any] = {"id": name}
    if (subject := row["supplier"].get("pseudonym")) is not None:
        out["subject"] = subject
    head = json.dumps(out, default=str)
    return f'{head[:-1]}, "registers": [{", ".join(map(_as_json, registers))}]}}'


def evaluate_row(row: Mapping[str, Any]) -> list[Register]:
    """What leaves. Raises RuleError."""
    rule = load(row.get("supplier"))
    if "taf" in row and row["taf"] != rule.taf:
        raise RuleError("taf", f"the row is of TAF {quoted(row['taf'])}, its rule set of TAF {rule.taf}")
    rule.switched_on()
    return evaluate(rule, lists_of(row.get("readings")))


def lists_of(given: object) -> list[Series]:
    """Lists of one meter's quantity put together, in the order in which they come. Raises RuleError."""
    if not isinstance(given, list) or not 0 < len(given) <= LISTS_MOST:
        raise RuleError("readings", f"readings is a list of 1 to {LISTS_MOST} lists")
    with localcontext(EXACT):
        return _together(given)


def _together(given: list[Any]) -> list[Series]:
    scalers: dict[tuple[str, Obis], int] = {}
    together: dict[tuple[str, Obis], list[Reading]] = {}
    for one in given:
        if not isinstance(one, Mapping) or not isinstance(one.get("meter"), str):
            raise RuleError("readings", "a list of readings is an object with meter, obis, scaler, t0")
        key = one["meter"], known(one.get("obis"))
        scaler = _scaler(one.get("scaler", 0))
        if scalers.setdefault(key, scaler) != scaler:
            raise RuleError("readings", f"two lists of {key[1]} of one meter have different scalers")
        together.setdefault(key, []).extend(_readings(one))
    return [in_order(*key, scalers[key], readings) for key, readings in together.items()]


def _readings(one: Mapping[str, Any]) -> Iterator[Reading]:
    start_s = seconds(one.get("t0"), "readings")
    if "rows" in one:
        period_s = CAPTURE_S if one.get("period_s") is None else whole(one, "period_s", 1, LONGEST_S)
        for row in _list(one, "rows"):
            if not isinstance(row, list) or not 2 <= len(row) <= 3:
                raise RuleError("readings", f"{quoted(row)} is no [seconds, reading, status]")
            at_s = start_s + whole({"seconds": row[0]}, "seconds", -LONGEST_S, LONGEST_S)
            if row[1] is not None:
                reading = _reading(at_s, period_s, number(row[1], "readings"), row[2] if len(row) > 2 else 0)
                yield replace(reading, on_raster=reading.target_s % raster_s(period_s) == 0)
        return
    period_s = whole(one, "step_s", 1, LONGEST_S)
    status = one.get("ptb") or {}
    if not isinstance(status, Mapping):
        raise RuleError("readings", "ptb is an object: index -> status")
    values = _list(one, "d")
    if unknown := [at for at in status if whole_of(str(at), len(values) - 1) is None]:
        raise RuleError("readings", f"ptb has {quoted(unknown[0])}, which is no index of d")
    value = Decimal(0)
    for index, grown in enumerate(values):
        if grown is not None:
            value += number(grown, "readings")
            yield _reading(start_s + index * period_s, period_s, value, status.get(str(index), 0))


def _reading(at_s: int, period_s: int, value: Decimal, status: object) -> Reading:
    return Reading(at_s, target_s(at_s, period_s), value, whole({"ptb": status}, "ptb", 0, 4))


def _list(one: Mapping[str, Any], name: str) -> list[Any]:
    value = one.get(name)
    if not isinstance(value, list):
        raise RuleError("readings", f"a list of readings has {name}, a list")
    return value


def _scaler(given: object) -> int:
    try:
        scaler = int(given) if isinstance(given, int | str) and not isinstance(given, bool) else 100
    except ValueError:
        scaler = 100
    if not -18 <= scaler <= 18:
        raise RuleError("readings", f"scaler is {quoted(given)}, not a power of ten from -18 to 18")
    return scaler


def _as_json(one: Register) -> str:
    parts = [f'"obis": "{one.obis}"', f'"amount": {_digits(one.amount)}', f'"tariff": {one.tariff}']
    if one.at_s is not None:
        parts.append(f'"at": "{text(one.at_s)}"')
    if one.meter is not None:
        parts.append(f'"meter": {json.dumps(one.meter)}')
    if one.ptb:
        parts.append(f'"ptb": {one.ptb}')
    if one.event:
        parts.append('"event": true')
    return f"{{{', '.join(parts)}}}"


def _digits(amount: Decimal | None) -> str:
    if amount is None:
        return "null"
    digits = format(amount, "f")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) or "0"
