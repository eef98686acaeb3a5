"""A topic rule: which messages fire it, what it makes of them, and templates in its actions (developer guide: iot-sql-
reference, iot-substitution-templates).

    rule = Rule("SELECT temp AS t FROM 'a/+' WHERE temp > 50")
    rule.output(payload, Facts(topic="a/b"))        the value for the actions, or NO_ACTION

WHERE is judged first; only True lets the actions run. What the statement cannot find is UNDEFINED and left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from sim.endpoint.aws import topics
from sim.endpoint.aws.rule_function import Context, Facts
from sim.endpoint.aws.rule_functions import call, cast, check_call, member
from sim.endpoint.aws.rule_numbers import remainder
from sim.endpoint.aws.rule_syntax import expression, statement
from sim.endpoint.aws.rule_tree import (
    Array,
    Binary,
    Call,
    Case,
    Cast,
    Literal,
    Member,
    Name,
    Node,
    Object,
    Query,
    RuleError,
    Select,
    Star,
    Unary,
    Variable,
)
from sim.endpoint.aws.rule_values import (
    CONTEXT,
    EXACT,
    UNDEFINED,
    V2,
    VERSIONS,
    NotJson,
    Value,
    bounded,
    dumps,
    is_number,
    parse,
    same,
    to_boolean,
    to_decimal,
    to_text,
)  # fmt: skip

__all__ = ["NO_ACTION", "Facts", "Rule", "RuleError", "encoded"]

_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,128}")


class NoAction:
    """The type of NO_ACTION."""


NO_ACTION: Final = NoAction()


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a query looks at: `item` its names belong to; `whole` is what * gives (raw bytes where they are no JSON)."""

    context: Context
    item: Value
    whole: Value
    variables: Mapping[str, Value]
    raw: bytes | None = None  # of the message itself, which encode(*) takes as it was sent


class Rule:
    """One rule. `name`: for Basic Ingest. Raises RuleError for a statement that the service would refuse."""

    def __init__(self, sql: str, version: str = V2, *, name: str = "") -> None:
        if version not in VERSIONS:
            raise RuleError(f"no SQL version {version!r}; there are: {', '.join(VERSIONS)}")
        if name and not _NAME.fullmatch(name):
            raise RuleError(f"a rule's name has letters, digits and _ only: {name!r}")
        self.name, self.sql, self.version = name, sql, version
        self._select = statement(sql, version, check_call)
        source = self._select.source
        self.filter: str | None = source.value if isinstance(source, Literal) else None

    def hears(self, topic: str) -> str | None:
        """The topic as the rule sees it; None where the message is not for this rule."""
        ingest = topics.ingested(topic)
        if ingest is not None:
            return ingest[1] if ingest[0] == self.name else None
        return topic if self.filter is not None and topics.matches(self.filter, topic) else None

    def output(self, payload: bytes, facts: Facts) -> Value | NoAction:
        """What the actions get: a value (bytes for a payload that is passed as it is), UNDEFINED for a SELECT VALUE
        that finds nothing, or NO_ACTION."""
        scope = self._scope(payload, facts)
        if scope is None:
            return NO_ACTION
        select = self._select
        if select.where is not None and to_boolean(_value(select.where, scope)) is not True:
            return NO_ACTION
        return _selected(select, scope)

    def substituted(self, template: str, payload: bytes, facts: Facts) -> str:
        """An action's field with each ${expression} replaced. Raises RuleError for one that does not parse; a value
        that is not there leaves nothing in its place."""
        scope = self._scope(payload, facts)
        parts = _template(template, self.version)
        if scope is None:
            return template
        found = [part if isinstance(part, str) else to_text(_value(part, scope)) for part in parts]
        return "".join(part for part in found if isinstance(part, str))

    def check_template(self, template: str) -> None:
        """Raises RuleError for an action's field of which a ${expression} does not parse."""
        _template(template, self.version)

    def republished(self, template: str, payload: bytes, facts: Facts) -> str:
        """The topic of a republish action: $$aws/... stands for $aws/... (republish-rule-action)."""
        return self.substituted(template[1:] if template.startswith("$$") else template, payload, facts)

    def _scope(self, payload: bytes, facts: Facts) -> _Scope | None:
        topic = self.hears(facts.topic)
        if topic is None:
            return None
        context = Context(_with_topic(facts, topic), self.version)
        item: Value
        try:
            item = whole = parse(payload, self.version)
        except NotJson:
            item, whole = UNDEFINED, payload
        variables: dict[str, Value] = {}
        scope = _Scope(context, item, whole if isinstance(whole, dict | list) else payload, variables, payload)
        for name, node in self._select.variables:
            variables[name] = _value(node, scope)
        return scope


def _with_topic(facts: Facts, topic: str) -> Facts:

    return facts if facts.topic == topic else replace(facts, topic=topic)


def encoded(output: Value) -> bytes:
    """What an action sends: raw bytes as they came, else JSON."""
    return output if isinstance(output, bytes) else dumps(output).encode("utf-8", "replace")


@lru_cache(1_024)
def _template(text: str, version: str) -> tuple[str | Node, ...]:
    parts: list[str | Node] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        parts.append(text[at:start])
        node, end = expression(text, start + 2, version, check_call)
        parts.append(node)
        at = end + 1
    return (*parts, text[at:])


# --- SELECT ------------------------------------------------------------------------------------------------------


def _selected(select: Select, scope: _Scope) -> Value:
    if select.as_value:
        return _value(select.items[0].value, scope)
    if len(select.items) == 1 and isinstance(select.items[0].value, Star) and not select.items[0].path:
        return scope.whole
    found: dict[str, Value] = {}
    for item in select.items:
        value = _value(item.value, scope)
        if value is UNDEFINED:
            continue
        if item.path:
            _put(found, item.path, value)
        elif isinstance(value, dict):  # * and a.*
            found.update(value)
    return found


def _put(found: dict[str, Value], path: tuple[str, ...], value: Value) -> None:
    for key in path[:-1]:
        below = found.get(key)
        below = dict(below) if isinstance(below, dict) else {}
        found[key] = below
        found = below
    found[path[-1]] = value


def _rows(query: Query, scope: _Scope) -> Value:
    """A nested SELECT goes over the items of an array; of anything else it makes one row."""
    select = query.select
    assert select.source is not None
    source = _value(select.source, scope)
    if source is UNDEFINED:
        return UNDEFINED
    found = []
    for item in source if isinstance(source, list) else [source]:
        row = _Scope(scope.context, item, item, scope.variables)
        if select.where is None or to_boolean(_value(select.where, row)) is True:
            value = _selected(select, row)
            if value is not UNDEFINED:
                found.append(value)
    return found


# --- expressions -------------------------------------------------------------------------------------------------


def _value(node: Node, scope: _Scope) -> Value:
    match node:
        case Literal(value):
            return value
        case Name(name):
            return member(scope.item, name)
        case Member(base, name):
            held = scope.item if isinstance(base, Star) else _value(base, scope)
            return member(held, name)
        case Star():
            return scope.whole
        case Variable(name):
            return scope.variables.get(name, UNDEFINED)
        case Binary(operator, left, right):
            return _binary(operator, _value(left, scope), _value(right, scope), scope.context)
        case Unary(operator, operand):
            return _unary(operator, _value(operand, scope), scope.context)
        case Call("encode", (Star(), scheme)) if scope.raw is not None:
            return call(scope.context, "encode", [scope.raw, _value(scheme, scope)])
        case Call(name, arguments):
            return call(scope.context, name, [_value(one, scope) for one in arguments])
        case Cast(value, kind):
            return cast(_value(value, scope), kind, scope.context.version)
        case Case():
            return _case(node, scope)
        case Array(items):
            return [_value(item, scope) for item in items]
        case Object(pairs):
            return {key: value for key, one in pairs if (value := _value(one, scope)) is not UNDEFINED}
        case Query():
            rows = _rows(node, scope)
            return isinstance(rows, list) and bool(rows) if node.exists else rows


def _case(node: Case, scope: _Scope) -> Value:
    value = _value(node.value, scope)
    if value is UNDEFINED:
        return UNDEFINED
    for test, result in node.branches:
        wanted = _value(test, scope)
        if wanted is not UNDEFINED and same(value, wanted):
            return _value(result, scope)
    return _value(node.otherwise, scope)


def _unary(operator: str, value: Value, context: Context) -> Value:
    if operator == "NOT":
        held = to_boolean(value)
        return UNDEFINED if held is UNDEFINED else not held
    number = to_decimal(value, context.version)
    return UNDEFINED if number is UNDEFINED else -number


def _binary(operator: str, left: Value, right: Value, context: Context) -> Value:
    if operator in ("AND", "OR"):
        sides = to_boolean(left), to_boolean(right)
        if UNDEFINED in sides:
            return UNDEFINED
        return all(sides) if operator == "AND" else any(sides)
    if operator in ("=", "<>"):
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        return same(left, right) == (operator == "=")
    if operator == "IN":
        if left is UNDEFINED or not isinstance(right, list):
            return UNDEFINED
        return any(same(left, one) for one in right)
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        texts = to_text(left), to_text(right)
        return UNDEFINED if UNDEFINED in texts else texts[0] + texts[1]
    if operator == "+" and not (is_number(left) and is_number(right)):
        return UNDEFINED
    numbers = to_decimal(left, context.version), to_decimal(right, context.version)
    if UNDEFINED in numbers:
        return UNDEFINED
    if operator == "%":
        return remainder(context, numbers)
    return _compared(operator, *numbers) if operator[0] in "<>" else _computed(operator, *numbers, context.version)


def _compared(operator: str, left: int | Decimal, right: int | Decimal) -> bool:
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def _computed(operator: str, left: int | Decimal, right: int | Decimal, version: str) -> Value:
    """Int and Int make an Int, also when divided (iot-sql-operators; the page iot-sql-set prints 23.89 for (75 - 32) *
    5 / 9, which contradicts it); anything else a Decimal. UNDEFINED when divided by 0."""
    if operator == "/" and not right:
        return UNDEFINED
    if isinstance(left, int) and isinstance(right, int):
        if operator == "/":
            return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        result = left + right if operator == "+" else left - right if operator == "-" else left * right
        return result if abs(result) < 10**1_000 else UNDEFINED
    one, other = Decimal(left), Decimal(right)
    if operator == "/":
        return bounded(CONTEXT.divide(one, other), version)
    exact = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply}[operator](one, other)
    return bounded(exact, version)
