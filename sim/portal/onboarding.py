"""Meters that announce themselves: SND-IR (C = 46), as an installer's button or a new battery makes them send it.

An announcement proves nothing: who sends it is whoever has its bytes. So a portal notes that one came, and what was
written down for that identification stays until a person says otherwise ("ask"). A portal that takes the newest
announcement for the truth ("overwrite") gives a meter's place in its books to anybody on the radio (L24).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from sim.core.vocabulary import SECURITIES
from sim.portal.meter_registry import MeterEntry, Registry
from wmbus.errors import BadTelegram
from wmbus.link import SND_IR
from wmbus.telegram import parse

Policy = Literal["ask", "overwrite"]
_C_FIELD: Final = 1
_SND_IR: Final = bytes((SND_IR,))


class Announced(NamedTuple):
    """A known identification that announced itself otherwise than it is registered, through a gateway: `entry` as it
    is, `claims` as it says."""

    entry: MeterEntry
    claims: MeterEntry
    gateway: str

    @property
    def detail(self) -> str:
        one = self.claims
        return f"announced as {one.name}, {one.security}; registered is {self.entry.name}, {self.entry.security}"


def announcements(registry: Registry, heard: Iterable[tuple[bytes, str]]) -> list[Announced]:
    """`heard`: (telegram, gateway). Those of meters as they are registered, and of strangers, are left out."""
    found: dict[tuple[str, str], Announced] = {}
    for raw, gateway in heard:
        if raw[_C_FIELD : _C_FIELD + 1] != _SND_IR:
            continue
        try:
            telegram = parse(raw)
        except BadTelegram:
            continue
        entry = registry.find(telegram.address, whole_address=False)
        security = next((one for one in SECURITIES if one == telegram.security), None)
        if entry is None or security is None or (telegram.address, security) == (entry.address, entry.security):
            continue
        claims = replace(entry, address=telegram.address, security=security, gateways=frozenset((gateway,)))
        found[entry.name, claims.name] = Announced(entry, claims, gateway)
    return list(found.values())


def overwrite(registry: Registry, announced: Iterable[Announced]) -> None:
    """The careless portal: what was announced last is what is registered."""
    for one in announced:
        registry.add(one.claims)
