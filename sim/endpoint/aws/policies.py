"""Policy documents of AWS IoT Core: may this client do this (developer guide: iot-policies, pub-sub-policy, basic-,
thing- and cert-policy-variables; operators as in IAM's reference of policy elements).

    policy = Policy(document)
    allowed([policy], "iot:Publish", "arn:aws:iot:eu-central-1:123456789012:topic/a", Client("gateway-1"))

A matching Deny wins, then a matching Allow; nothing matching is a refusal. In a resource `*` is any text, levels
included, and `?` one character; `+` and `#` are plain. A variable that has no value lets its resource match nothing.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_ATTRIBUTE: Final = re.compile(r"iot:Connection\.Thing\.Attributes\[(.+)\]")
_CERTIFICATE: Final = re.compile(
    r"iot:Certificate\.(Subject|Issuer)\.(DistinguishedNameQualifier|Country|Organization|OrganizationalUnit|State|CommonName"
    r"|SerialNumber|Title|Surname|GivenName|Initials|Pseudonym|GenerationQualifier)(?:\.(\d{1,4}|List))?"
)
_NOT_SUBSTITUTED: Final = frozenset("*$+?#")  # a certificate's value with one of these stays out of resources
_LONGEST_VALUE: Final = 1_024
_ELEMENTS: Final = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})


class PolicyError(ValueError):
    """A document that the service would refuse; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Of the registry. `attributes`: name -> value."""

    name: str
    type_name: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. `attached`: the thing is attached to the certificate. `subject`, `issuer`: attribute -> its values in
    the certificate. `connect_attributes`: of a CONNECT: PersistentConnect, LastWill. `facts`: further keys."""

    client_id: str
    thing: Thing | None = None
    attached: bool = False
    certificate_id: str | None = None
    subject: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    issuer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    connect_attributes: tuple[str, ...] = ()
    last_will_topic: str | None = None
    source_ip: str | None = None
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def bound(self) -> Thing | None:
        """The thing that this connection is: its name is the client id, and the certificate is attached to it."""
        is_bound = self.thing is not None and self.attached and self.thing.name == self.client_id
        return self.thing if is_bound else None

    def values(self, key: str, resource: str) -> tuple[str, ...] | None:
        """The values of a policy variable or condition key; None where it has none. `resource` lends its account."""
        thing = self.bound
        plain = {
            "iot:clientid": self.client_id,
            "iot:certificateid": self.certificate_id,
            "aws:sourceip": self.source_ip,
            "iot:connection.thing.thingname": thing.name if thing else None,
            "iot:connection.thing.thingtypename": thing.type_name if thing else None,
            "iot:connection.thing.isattached": "true" if thing else "false",
        }
        lower = key.lower()
        if lower in plain:
            value = plain[lower]
            return None if value is None else (value,)
        if lower == "iot:connectattributes":
            return self.connect_attributes
        if lower == "iot:lastwilltopic":
            account = ":".join(resource.split(":")[:5])
            return None if self.last_will_topic is None else (f"{account}:topic/{self.last_will_topic}",)
        if match := _ATTRIBUTE.fullmatch(key):
            found = thing.attributes.get(match[1]) if thing else None
            return None if found is None else (found,)
        if match := _CERTIFICATE.fullmatch(key):
            return self._certificate(*match.groups())
        return self.facts.get(key)

    def _certificate(self, whose: str, name: str, index: str | None) -> tuple[str, ...] | None:
        """Without an index the first value; `.1` is the second (cert-policy-variables); `.List` all."""
        held = (self.subject if whose == "Subject" else self.issuer).get(name, ())
        if index == "List":
            return held or None
        at = int(index or 0)
        return (held[at],) if at < len(held) else None

    def substitute(self, name: str, resource: str) -> str | None:
        """What a variable in a resource is replaced by; None where it is not."""
        if name in ("*", "?", "$"):
            return name
        values = self.values(name, resource)
        if not values:
            return None
        if name.startswith("iot:Certificate.") and (
            _NOT_SUBSTITUTED & set(values[0]) or len(values[0]) > _LONGEST_VALUE
        ):
            return None
        return values[0]


@dataclass(frozen=True, slots=True)
class _Statement:
    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    conditions: tuple[_Condition, ...]
    variables: bool

    def applies(self, action: str, resource: str, client: Client) -> bool:
        named = any(_wild(one.lower()).fullmatch(action.lower()) for one in self.actions)
        if named == self.not_actions:
            return False
        if self._covers(resource, client) == self.not_resources:
            return False
        return all(one.holds(resource, client, self.variables) for one in self.conditions)

    def _covers(self, resource: str, client: Client) -> bool:
        return any(
            pattern == resource if isinstance(pattern, str) else pattern is not None and pattern.fullmatch(resource)
            for pattern in (_filled(one, resource, client, self.variables) for one in self.resources)
        )


class Policy:
    """One document: JSON text or what it holds. Raises PolicyError."""

    def __init__(self, document: str | bytes | Mapping[str, Any]) -> None:
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise PolicyError(f"not JSON: {error}") from None
        if not isinstance(document, Mapping):
            raise PolicyError("a policy is a JSON object with Version and Statement")
        version = document.get("Version", "2008-10-17")
        if version not in _VERSIONS:
            raise PolicyError(f"Version {version!r}; it can be {' or '.join(_VERSIONS)}")
        statements = document.get("Statement")
        if isinstance(statements, Mapping):
            statements = [statements]
        if not isinstance(statements, list) or not statements:
            raise PolicyError("Statement is to be an object or a list of them")
        self.statements = tuple(
            _statement(one, f"Statement[{index}]", variables=version == _VERSIONS[0])
            for index, one in enumerate(statements)
        )


def allowed(policies: Iterable[Policy], action: str, resource: str, client: Client) -> bool:
    """Whether these policies together let the client do it. `resource`: the whole ARN."""
    applying = [one.allows for policy in policies for one in policy.statements if one.applies(action, resource, client)]
    return bool(applying) and all(applying)


# --- reading a document ------------------------------------------------------------------------------------------


def _statement(found: Any, where: str, *, variables: bool) -> _Statement:
    if not isinstance(found, Mapping):
        raise PolicyError(f"{where} is not an object")
    unknown = sorted(set(found) - _ELEMENTS)
    if unknown:
        raise PolicyError(f"{where}: no element {unknown[0]!r}; there are: {', '.join(sorted(_ELEMENTS))}")
    if found.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"{where}.Effect is to be Allow or Deny, not {found.get('Effect')!r}")
    actions, not_actions = _one_of(found, "Action", "NotAction", where)
    resources, not_resources = _one_of(found, "Resource", "NotResource", where)
    conditions = found.get("Condition", {})
    if not isinstance(conditions, Mapping):
        raise PolicyError(f"{where}.Condition is not an object")
    return _Statement(
        found["Effect"] == "Allow",
        actions,
        not_actions,
        resources,
        not_resources,
        tuple(one for name, keys in conditions.items() for one in _conditions(name, keys, f"{where}.Condition")),
        variables,
    )


def _one_of(found: Mapping[str, Any], name: str, negated: str, where: str) -> tuple[tuple[str, ...], bool]:
    if (name in found) == (negated in found):
        raise PolicyError(f"{where} needs either {name} or {negated}")
    key = name if name in found else negated
    return _texts(found[key], f"{where}.{key}"), key == negated


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise PolicyError(f"{where} is to be a text or a list of texts")


@lru_cache(16_384)
def _glob(parts: tuple[tuple[str, bool], ...]) -> re.Pattern[str]:
    """Of (text, whether its wildcards are such). What stands between two stars is taken where it first fits, and never
    tried elsewhere: so a hostile topic costs no more than its length times the pattern's."""
    segments = [""]
    for text, is_pattern in parts:
        for one in text:
            if is_pattern and one == "*":
                segments.append("")
            else:
                segments[-1] += "." if is_pattern and one == "?" else re.escape(one)
    first, *rest = segments
    between = "".join(f"(?>.*?{one})" for one in rest[:-1] if one)
    return re.compile(first + (between + ".*" + rest[-1] if rest else ""), re.DOTALL)


def _wild(pattern: str) -> re.Pattern[str]:
    return _glob(((pattern, True),))


@lru_cache(4_096)
def _parts(text: str) -> tuple[str, ...]:
    """Texts at even places, names of variables at odd ones."""
    return tuple(_VARIABLE.split(text))


def _filled(pattern: str, resource: str, client: Client, variables: bool) -> re.Pattern[str] | str | None:
    """A pattern with its variables replaced, literally: a wildcard in a value is none. A text where it has no wildcard:
    that is most of a fleet's, and each gateway's would be a regular expression of its own."""
    filled = []
    for index, part in enumerate(_parts(pattern) if variables else (pattern,)):
        text = client.substitute(part, resource) if index % 2 else part
        if text is None:
            return None
        filled.append((text, index % 2 == 0))
    if not any("*" in text or "?" in text for text, is_pattern in filled if is_pattern):
        return "".join(text for text, _ in filled)
    return _glob(tuple(filled))


# --- conditions --------------------------------------------------------------------------------------------------


def _number(left: str, right: str, test: Callable[[Any, Any], bool]) -> bool:
    try:
        return test(Decimal(left), Decimal(right))
    except InvalidOperation:
        return False


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d{1,11}", text):
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(left: str, right: str, test: Callable[[Any, Any], bool]) -> bool:
    try:
        return test(_moment(left), _moment(right))
    except (ValueError, OverflowError):
        return False


def _in_network(left: str, right: str) -> bool:
    try:
        return ipaddress.ip_address(left) in ipaddress.ip_network(right, strict=False)
    except ValueError:
        return False


def _arn(value: str, pattern: str) -> bool:
    """Part by part: a wildcard does not reach over a colon before the resource."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(
        _wild(wanted).fullmatch(part) for part, wanted in zip(parts, patterns, strict=True)
    )


def _ordered(compare: Callable[[str, str, Callable[[Any, Any], bool]], bool], prefix: str) -> dict[str, Any]:
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "Equals": lambda a, b: a == b,
        "LessThan": lambda a, b: a < b,
        "LessThanEquals": lambda a, b: a <= b,
        "GreaterThan": lambda a, b: a > b,
        "GreaterThanEquals": lambda a, b: a >= b,
    }
    return {prefix + name: (lambda a, b, test=test: compare(a, b, test)) for name, test in tests.items()}


_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": lambda value, wanted: _wild(wanted).fullmatch(value) is not None,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "BinaryEquals": lambda value, wanted: value == wanted,
    "IpAddress": _in_network,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    **_ordered(_number, "Numeric"),
    **_ordered(_date, "Date"),
}
_NEGATED: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


@dataclass(frozen=True, slots=True)
class _Condition:
    """One key of one operator. `over`: ForAllValues, ForAnyValue or empty."""

    operator: str
    over: str
    if_exists: bool
    key: str
    wanted: tuple[str, ...]

    def holds(self, resource: str, client: Client, variables: bool) -> bool:
        values = client.values(self.key, resource)
        if self.operator == "Null":
            return ("true" if values is None else "false") in [one.lower() for one in self.wanted]
        if values is None and self.if_exists:
            return True
        wanted = [text for one in self.wanted if (text := self._filled(one, resource, client, variables)) is not None]
        negated = _NEGATED.get(self.operator)
        test = _TESTS[negated or self.operator]

        def one_holds(value: str) -> bool:
            return any(test(value, one) for one in wanted) != (negated is not None)

        if self.over == "ForAllValues":
            return all(map(one_holds, values or ()))
        if self.over == "ForAnyValue":
            return any(map(one_holds, values or ()))
        if not values:
            return negated is not None  # as in IAM: what is not there is not equal
        return one_holds(values[0])

    @staticmethod
    def _filled(text: str, resource: str, client: Client, variables: bool) -> str | None:
        parts = _parts(text) if variables else (text,)
        filled = [client.substitute(part, resource) if index % 2 else part for index, part in enumerate(parts)]
        return None if None in filled else "".join(part for part in filled if part is not None)


def _conditions(name: str, keys: Any, where: str) -> list[_Condition]:
    over, colon, operator = name.partition(":")
    if not colon:
        over, operator = "", name
    if over not in ("", "ForAllValues", "ForAnyValue"):
        raise PolicyError(f"{where}: {over!r} is to be ForAllValues or ForAnyValue")
    plain = operator.removesuffix("IfExists")
    if plain not in _TESTS and plain not in _NEGATED and plain != "Null":
        raise PolicyError(f"{where}: no operator {plain!r}")
    if not isinstance(keys, Mapping):
        raise PolicyError(f"{where}.{name} is not an object")
    found = []
    for key, wanted in keys.items():
        if isinstance(wanted, bool):
            wanted = "true" if wanted else "false"
        if isinstance(wanted, int | float):
            wanted = str(wanted)
        found.append(_Condition(plain, over, operator != plain, key, _texts(wanted, f"{where}.{name}.{key}")))
    return found
