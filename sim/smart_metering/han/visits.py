"""A request and its answer on the HAN, as values; and what every dialect is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qs, urlsplit

from sim.smart_metering.han.holding import HanSource
from sim.smart_metering.han.role_matrix import HanAccess

BODY_MOST_BYTES = 1 << 16
"""Ours: nobody sends much here."""


@dataclass(frozen=True, slots=True)
class Request:
    """`target` as it stands in the request; `headers` by lower-case name; `certificate`: SHA-256 of the client's, in
    hex, "" for none."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    certificate: str = ""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def query(self) -> dict[str, str]:
        """Members of the query, the first of each name."""
        return _form(urlsplit(self.target).query)

    def form(self) -> dict[str, str]:
        """Members of a form in the body."""
        return _form(self.body.decode("utf-8", "replace"))

    def cookies(self) -> list[str]:
        """The values of all cookies, whatever they are called: one client calls its session "Cookie"."""
        return [part.partition("=")[2].strip() for part in self.headers.get("cookie", "").split(";")]


def _form(text: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=64).items()}
    except ValueError:
        return {}


class Response(NamedTuple):
    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is logged in. `cookie`: that of the session."""

    request: Request
    access: HanAccess
    source: HanSource
    now_s: int
    cookie: str = ""


class Ended(Exception):
    """The dialect logged its visitor out; `answer` is what is said."""

    def __init__(self, answer: Response) -> None:
        super().__init__("logged out")
        self.answer = answer


class Dialect(ABC):
    """What a maker's devices speak. `curve`: of their TLS certificate; `algorithms`: of Digest, in the order of
    offering; `cookie`: its logins last by one, of which there are at most `sessions_most`."""

    id: ClassVar[str]
    title: ClassVar[str]
    curve: ClassVar[str] = "prime256v1"
    algorithms: ClassVar[tuple[str, ...]] = ("SHA-256", "MD5")
    cookie: ClassVar[bool] = False
    sessions_most: ClassVar[int] = 8
    """Ours, where a device has more than one."""

    @abstractmethod
    def owns(self, path: str) -> bool:
        """It answers under this path."""

    @abstractmethod
    def answer(self, visit: Visit) -> Response:
        """Raises Denied, Ended, RuleError."""
