"""A statement of AWS IoT SQL as a tree: what rule_syntax makes and rules evaluates."""

from __future__ import annotations

from dataclasses import dataclass

from sim.endpoint.aws.rule_values import Value


class RuleError(ValueError):
    """A statement, template or rule that cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class Star:
    """The whole of what the query looks at."""


@dataclass(frozen=True, slots=True)
class Name:
    """A key of what the query looks at."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    name: str  # in lower case
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    value: Node
    kind: str  # string, int, decimal, boolean


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Case:
    value: Node
    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Object:
    pairs: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A nested SELECT; `exists` asks only whether it gives anything."""

    select: Select
    exists: bool = False


Node = Literal | Star | Name | Variable | Member | Call | Cast | Unary | Binary | Case | Array | Object | Query


@dataclass(frozen=True, slots=True)
class Item:
    """One item of SELECT. `path`: the keys under which it goes; empty where it is spread over the output (*, a.*)."""

    value: Node
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """`source`: the topic filter of a rule (a Literal), what a nested query goes over, or None."""

    items: tuple[Item, ...]
    as_value: bool
    source: Node | None
    where: Node | None
    variables: tuple[tuple[str, Node], ...] = ()
