"""Policies beyond the published cases."""

from __future__ import annotations

from typing import Any

import pytest

from sim.endpoint.aws.policies import Client, Policy, PolicyError, Thing, allowed

ARN = "arn:aws:iot:eu-central-1:123456789012:"


def policy(effect: str = "Allow", action: Any = "iot:Publish", resource: Any = "*", **more: Any) -> Policy:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return Policy({"Version": "2012-10-17", "Statement": [statement]})


def test_a_deny_of_any_policy_wins() -> None:
    both = [policy(), policy("Deny", resource=f"{ARN}topic/secret/*")]
    assert allowed(both, "iot:Publish", f"{ARN}topic/open", Client("c"))
    assert not allowed(both, "iot:Publish", f"{ARN}topic/secret/x", Client("c"))
    assert not allowed([], "iot:Publish", f"{ARN}topic/open", Client("c"))


@pytest.mark.parametrize(
    ("pattern", "name", "covers"),
    [
        ("a/*", "a/", True), ("a/*", "a", False), ("a?c", "abc", True), ("a?c", "ac", False), ("*a*b", "xaxxb", True),
        ("*a*b", "xbxxa", False), ("a**b", "ab", True), ("A", "a", False), ("a.c", "abc", False),
        ("*ab*ab", "ab", False), ("*ab*ab", "abab", True), ("a/+", "a/b", False), ("a/#", "a/b", False),
    ],
)  # fmt: skip
def test_wildcards(pattern: str, name: str, covers: bool) -> None:
    one = policy(resource=f"{ARN}topic/{pattern}")
    assert allowed([one], "iot:Publish", f"{ARN}topic/{name}", Client("c")) == covers


def test_a_pattern_of_many_stars_costs_little() -> None:
    one = policy(resource="*a" * 60 + "b")
    assert not allowed([one], "iot:Publish", "a" * 4_000, Client("c"))


@pytest.mark.parametrize(("length", "fits"), [(1_024, True), (1_025, False)])
def test_a_certificates_value_above_1024_characters_is_not_put_in(length: int, fits: bool) -> None:
    one = policy(resource=f"{ARN}topic/${{iot:Certificate.Subject.CommonName}}")
    client = Client("c", subject={"CommonName": ("n" * length,)})
    assert allowed([one], "iot:Publish", f"{ARN}topic/{'n' * length}", client) == fits


@pytest.mark.parametrize("value", ["*", "?", "x*", "+"])
def test_a_client_id_brings_no_wildcard_along(value: str) -> None:
    one = policy(resource=f"{ARN}topic/${{iot:ClientId}}/up")
    assert not allowed([one], "iot:Publish", f"{ARN}topic/other/up", Client(value))
    assert allowed([one], "iot:Publish", f"{ARN}topic/{value}/up", Client(value))


def test_a_variable_without_value_lets_neither_allow_nor_deny_match() -> None:
    name = f"{ARN}topic/${{iot:Connection.Thing.ThingName}}"
    bound, other = Client("t", Thing("t"), attached=True), Client("u", Thing("t"), attached=True)
    assert allowed([policy(resource=name)], "iot:Publish", f"{ARN}topic/t", bound)
    for stranger in (other, Client("t", Thing("t")), Client("t")):
        assert not allowed([policy(resource=name)], "iot:Publish", f"{ARN}topic/t", stranger)
        assert allowed([policy(), policy("Deny", resource=name)], "iot:Publish", f"{ARN}topic/t", stranger)


def test_only_the_newer_version_has_variables() -> None:
    document = {
        "Version": "2008-10-17",
        "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "${iot:ClientId}"},
    }
    assert not allowed([Policy(document)], "iot:Publish", "c", Client("c"))
    assert allowed([Policy(document)], "iot:Publish", "${iot:ClientId}", Client("c"))


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "holds"),
    [
        ("StringLike", "iot:ClientId", "gw-*", True), ("StringNotLike", "iot:ClientId", "gw-*", False),
        ("StringEqualsIgnoreCase", "iot:ClientId", "GW-1", True),
        ("StringEquals", "iot:Certificate.Subject.State", "x", False),
        ("StringNotEquals", "iot:Certificate.Subject.State", "x", True),
        ("StringEqualsIfExists", "iot:Certificate.Subject.State", "x", True),
        ("Null", "iot:Certificate.Subject.State", "true", True), ("Null", "iot:ClientId", "true", False),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", True), ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", False),
        ("IpAddress", "aws:SourceIp", "nonsense", False), ("NumericLessThan", "x:n", "10", True),
        ("NumericLessThan", "x:n", "9", False), ("NumericEquals", "iot:ClientId", "9", False),
        ("DateGreaterThan", "x:t", "2026-01-01T00:00:00Z", True),
        ("DateLessThan", "x:t", "2026-01-01T00:00:00Z", False),
        ("ForAllValues:StringEquals", "x:many", ["a", "b"], True),
        ("ForAllValues:StringEquals", "x:many", ["a"], False),
        ("ForAnyValue:StringEquals", "x:many", ["a"], True), ("ForAnyValue:StringEquals", "x:none", ["a"], False),
        ("Bool", "iot:Connection.Thing.IsAttached", True, False),
        ("StringEquals", "iot:ClientId", "${iot:ClientId}", True),
    ],
)  # fmt: skip
def test_a_condition(operator: str, key: str, wanted: Any, holds: bool) -> None:
    client = Client(
        "gw-1", source_ip="10.1.2.3", facts={"x:n": ("9",), "x:t": ("2026-02-01T00:00:00Z",), "x:many": ("a", "b")}
    )
    assert allowed([policy(Condition={operator: {key: wanted}})], "iot:Publish", "any", client) == holds


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "not JSON"), ("[]", "a JSON object"), ({"Version": "1", "Statement": []}, "Version '1'"),
        ({"Version": "2012-10-17"}, "Statement is to be"),
        ({"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}, "Statement[0].Effect"),
        ({"Statement": [{"Effect": "Allow", "Action": "*"}]}, "either Resource or NotResource"),
        ({"Statement": [{"Effect": "Allow", "Action": 3, "Resource": "*"}]}, "Statement[0].Action is to be"),
        ({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": 1}]},
         "no element 'Principal'"),
        ({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Is": {}}}]},
         "no operator 'Is'"),
    ],
)  # fmt: skip
def test_a_wrong_document_is_named(document: Any, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy(document)
    assert said in str(refused.value)
