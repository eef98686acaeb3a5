"""What a function of AWS IoT SQL is, and what it may know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sim.endpoint.aws.rule_values import UNDEFINED, V1, Value


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule knows besides the payload. `clock_ms`: since 1970. `draw()`: a number from 0 to 1, its own each time.
    `called(name, argument)`: aws_lambda; `shadow(thing, name)`: get_thing_shadow, None for the classic one."""

    topic: str
    clock_ms: int = 0
    client_id: str | None = None
    account_id: str = "123456789012"
    principal: str | None = None
    trace_id: str | None = None
    source_ip: str | None = None
    draw: Callable[[], float] = lambda: 0.5
    called: Callable[[str, Value], Value] = lambda _name, _argument: UNDEFINED
    shadow: Callable[[str, str | None], Value] = lambda _thing, _name: UNDEFINED


class Context(NamedTuple):
    facts: Facts
    version: str


Body = Callable[[Context, Sequence[Value]], Value]


class Function(NamedTuple):
    body: Body
    least: int
    most: int
    since: str = V1
