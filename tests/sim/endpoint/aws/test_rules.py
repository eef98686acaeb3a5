"""Topic rules beyond the published cases: bounds, wrong statements, hostile payloads."""

from __future__ import annotations

import pytest

from sim.endpoint.aws.rule_values import UNDEFINED, V1
from sim.endpoint.aws.rules import NO_ACTION, Facts, Rule, RuleError, encoded


def answer(items: str, payload: str = "{}", version: str = "2016-03-23") -> str:
    output = Rule(f"SELECT {items} FROM 'a/b'", version).output(payload.encode(), Facts(topic="a/b"))
    assert output is not NO_ACTION
    return encoded(output).decode()


@pytest.mark.parametrize(
    ("items", "payload", "wanted"),
    [
        ("7 / 2 AS a, -7 / 2 AS b, -7 % 3 AS c, 1 / 0 AS d, 7.5 / 2 AS e", "{}", '{"a":3,"b":-3,"c":-1,"e":3.75}'),
        ("value", '{"value":3}', '{"value":3}'),
        ("value.x AS x, value > 1 AS y", '{"value":{"x":1}}', '{"x":1}'),
        ("a.b AS x.y, a.c AS x.z", '{"a":{"b":1,"c":2}}', '{"x":{"y":1,"z":2}}'),
        ("1 > 2 AS a, 1 < 2 AS b, 2 >= 2.0 AS c, 2 <= 1 AS d, 3 > 2.5 AS e, 2 < 2 AS f", "{}",
         '{"a":false,"b":true,"c":true,"d":false,"e":true,"f":false}'),
        ("VALUE missing", "{}", ""),
        ("1 IN v AS a, 1.0 IN v AS b, '1' IN v AS c, 1 IN w AS d", '{"v":[1,true]}', '{"a":true,"b":true,"c":false}'),
        ("true IN v AS a", '{"v":[1]}', '{"a":false}'),
        ("EXISTS(SELECT * FROM v WHERE x = 2) AS a, EXISTS(SELECT * FROM w) AS b", '{"v":[{"x":2}]}',
         '{"a":true,"b":false}'),
        ("chr(127) AS a, chr(128) AS b, chr(-1) AS c", "{}", '{"a":"\\u007f"}'.replace("\\u007f", "\x7f")),
        ("length(lpad('', 1001)) AS a, length(rpad('x', -1)) AS b", "{}", '{"a":1000,"b":1}'),
        ("get(v, 2) AS a, get(v, 3) AS b, get(v, -1) AS c", '{"v":[1,2,3]}', '{"a":3}'),
        ("topic(0) AS z, topic(1) AS a, topic(2) AS b, topic(3) AS c", "{}", '{"a":"a","b":"b"}'),
        ("sqrt(-1) AS a, ln(0) AS b, acos(1.1) AS c, power(10, 400) AS d", "{}", "{}"),
        ("trunc(2.39, 1) AS a, trunc(-2.39, 1) AS b, trunc(2.3, -5) AS c", "{}", '{"a":2.3,"b":-2.3,"c":2}'),
        ("decode('gA==', 'base64') AS a, decode('!', 'base64') AS b", "{}", '{"a":null,"b":null}'),
        ("encode(*, 'base64') AS a, encode(v, 'base64') AS b", '{"v": {"x": 1}}',
         '{"a":"eyJ2IjogeyJ4IjogMX19","b":"eyJ4IjoxfQ=="}'),
        ("encode(*, 'base64') AS a, encode(*, 'hex') AS b", "\x00", '{"a":"AA=="}'),
        ("regexp_matches('x', '(') AS a, regexp_replace('a1', '([0-9])', '<$1$1>') AS b", "{}", '{"b":"a<11>"}'),
        ("abs('1E999') > 0 AS a, abs('1E1000') AS b", "{}", '{"a":true}'),
        ("CASE n WHEN 1.0 THEN 'one' WHEN 1 THEN 'late' END AS a", '{"n":1}', '{"a":"one"}'),
    ],
)  # fmt: skip
def test_an_expression_gives(items: str, payload: str, wanted: str) -> None:
    assert answer(items, payload) == wanted


def test_the_old_version_keeps_a_decimal_and_lacks_what_came_later() -> None:
    assert answer("a, cast(a AS double) AS b", '{"a":5.0}', V1) == '{"a":5.0,"b":5.0}'
    assert answer("a, cast(a AS double) AS b", '{"a":5.0}') == '{"a":5,"b":5}'
    for items in ("length('x') AS a", "[1] AS a", "{'a':1} AS a", "(SELECT * FROM a) AS a", "cast(1 AS bool) AS a"):
        with pytest.raises(RuleError):
            Rule(f"SELECT {items} FROM 'a'", V1)


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("", "character 1: the end"),
        ("SELECT FROM 'a'", "character 8"),
        ("SELECT * FROM a/b", "topic filter in single quotes"),
        ("SELECT * FROM 'a' WHERE", "the end"),
        ("SELECT * FROM 'a' nonsense", "'nonsense'"),
        ("SELECT 'open FROM a", "character 7"),
        ("SELECT nope(1) FROM 'a'", "no function nope()"),
        ("SELECT get_secret('a','b','c','d') AS x FROM 'a'", "another service"),
        ("SELECT cast(1 AS money) AS x FROM 'a'", "no type 'money'"),
        ("SELECT VALUE a, b FROM 'a'", "takes one item"),
        ("SELECT " + "(" * 60 + "1" + ")" * 60 + " FROM 'a'", "levels of nesting"),
        ("SELECT " + "NOT " * 60 + "a FROM 'a'", "levels of nesting"),
        ("SET @a = 1, @a = 2 SELECT @a FROM 'a'", "set twice"),
    ],
)
def test_a_wrong_statement_is_refused_with_its_place(sql: str, where: str) -> None:
    with pytest.raises(RuleError, match=None) as refused:
        Rule(sql)
    assert where in str(refused.value)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5_000, b"1" * 5_000, b"NaN", b'{"a":1e99999}', b'{"a":"\\ud800"}'],
    ids=range(8),
)
def test_no_payload_stops_a_rule(payload: bytes) -> None:
    rule = Rule("SELECT *, a + 1 AS b, upper(a) AS c, md5(a) AS d, encode(*, 'base64') AS e FROM '#' WHERE NOT (1 = 2)")
    assert isinstance(encoded(rule.output(payload, Facts(topic="x"))), bytes)


@pytest.mark.parametrize(
    ("pattern", "topic", "heard"),
    [
        ("a/#", "a", False), ("a/#", "a/", True), ("#", "$aws/a", False), ("+/#", "$aws/a", False),
        ("$aws/#", "$aws/a", True), ("a/+", "a/", True), ("a/+", "a/b/c", False), ("A", "a", False),
    ],
)  # fmt: skip
def test_a_filter_hears(pattern: str, topic: str, heard: bool) -> None:
    assert (Rule(f"SELECT * FROM '{pattern}'").hears(topic) is not None) == heard


def test_basic_ingest_reaches_one_rule_whatever_its_filter_and_hides_its_prefix() -> None:
    rule = Rule("SELECT topic() AS t FROM 'elsewhere'", name="up")
    assert rule.output(b"{}", Facts(topic="$aws/rules/up/gw/1")) == {"t": "gw/1"}
    assert rule.output(b"{}", Facts(topic="$aws/rules/down/gw/1")) is NO_ACTION
    assert Rule("SELECT *", name="up").hears("$aws/rules/up") == ""


def test_templates_take_expressions_with_quotes_and_braces() -> None:
    rule, facts = Rule("SELECT * FROM '#'"), Facts(topic="a/b", clock_ms=1_481_825_251_155)
    template = "${topic(1)}/${parse_time('yyyy/MM', timestamp())}/${get({'x': '}'}, 'x')}${missing}.json"
    assert rule.substituted(template, b"{}", facts) == "a/2016/12/}.json"
    for wrong in ("${", "${topic(", "${topic() x}"):
        with pytest.raises(RuleError):
            rule.substituted(wrong, b"{}", facts)


def test_undefined_is_not_null() -> None:
    rule = Rule("SELECT a, b, isNull(a) AS c, isUndefined(b) AS d FROM '#'")
    output = rule.output(b'{"a":null}', Facts(topic="x"))
    assert output == {"a": None, "c": True, "d": True}
    assert Rule("SELECT VALUE b FROM '#'").output(b"{}", Facts(topic="x")) is UNDEFINED
