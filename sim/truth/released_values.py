"""What left each smart meter gateway, receiver by receiver, held against what the receiver's contract lets leave.

Looked at are the containers themselves, as the administrator passed them on, opened with the receiver's key: neither a
gateway's word nor a receiver's table. A value is finer than allowed where its tariff use case is another than the
contract's, where a register's period is none of the contract's, or where values on demand are more than one rule set
may name in a month. A violation names the bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.pki.sealed_content import ContentError
from sim.pki.unchecked_content import open_unchecked
from sim.smart_metering.periods import period_ends
from sim.smgw.delivered_content import Delivery, Value, decode
from sim.smgw.german_time import local
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S, DUE_MOST
from sim.systems.smgw import Smgw

if TYPE_CHECKING:
    from sim.world import World

ON_DEMAND: Final = 6
_SET_DATE: Final = "*1"
"""How the register of a set date ends (F = 1): a bill's, asked for by nobody."""


class Finer(NamedTuple):
    """A value that the contract does not let leave. `container`: blake2b of its bytes; `content`: the value's own."""

    gateway: str
    receiver: str
    why: str
    container: str
    content: str

    def __str__(self) -> str:
        return f"{self.gateway} to {self.receiver}: {self.why}; container {self.container}: {self.content}"


def finer_than_allowed(world: World) -> list[Finer]:
    """Of everything that left until now; none for a system without contracts."""
    system = world.system
    if not isinstance(system, Smgw):
        return []
    start_s = int(world.calendar.start.timestamp())
    now_s = start_s + world.now_ns // 1_000_000_000
    taf, every_s = system.settings.taf, round(system.settings.delivery_s)
    ends = [start_s, *period_ends(taf, every_s, start_s, now_s)]
    periods = set(pairwise(ends))
    asked: Counter[tuple[str, str, str, str]] = Counter()
    out = []
    for one in system.administrator.relayed:
        for value in _opened(system, one.payload):
            why = _finer(value, taf, periods)
            if value.taf == ON_DEMAND and not value.obis.endswith(_SET_DATE):
                month = f"{local(value.until_s):%Y-%m}"
                key = (one.gateway, value.meter, value.obis, month)
                asked[key] += 1
                if asked[key] > DUE_MOST:
                    why = f"{asked[key]} values on demand in {month}, {DUE_MOST} are the most"
            if why:
                mark = blake2b(one.payload, digest_size=8).hexdigest()
                content = Delivery(one.gateway, one.receiver, 0, (value,)).encode().decode("ascii")
                out.append(Finer(one.gateway, one.receiver, why, mark, content))
    return out


def _finer(value: Value, taf: int, periods: set[tuple[int, int]]) -> str:
    if value.taf == ON_DEMAND:
        return ""
    if value.taf != taf:
        return f"a value under TAF {value.taf}, the contract is under TAF {taf}"
    if value.from_s is not None and (value.from_s, value.until_s) not in periods:
        return f"a register of {value.until_s - value.from_s} s, which is no period of the contract"
    if value.from_s is None and value.until_s % CAPTURE_S:
        return f"a reading at {value.until_s}, beside the quarter hours"
    return ""


def _opened(system: Smgw, payload: bytes) -> Iterator[Value]:
    try:
        content, _ = open_unchecked(payload, system.stolen_receiver)
        yield from decode(content).values
    except (ContentError, RuleError):
        return  # a forgery, or damaged on its way: no gateway let it leave
