"""What left each smart meter gateway, receiver by receiver, held against what the receiver's contract lets leave.

Looked at are the containers themselves, as the administrator passed them on, opened with the receivers' keys: neither a
gateway's word nor a receiver's table. For who bills, a value is finer than allowed where its tariff use case is another
than the contract's, where a register's period is none of the contract's, or where values on demand are more than one
rule set may name in a month. For a grid operator: a use case or a quantity that the contract is not about, an instant
beside its cycle, a voltage within its bounds where only others are to leave, and anything that tells whose meter it is
where pseudonyms were agreed. What is sealed for one receiver and sent to another is a violation too. Each names the
bytes.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.pki.sealed_content import ContentError, issuer_and_serial
from sim.pki.unchecked_content import open_unchecked
from sim.smart_metering.contract import NOMINAL_V
from sim.smgw.delivered_content import Delivery, Value, decode
from sim.smgw.german_time import local
from sim.smgw.obis_codes import of_text
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S, DUE_MOST
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.systems._smgw_running import Smgw, smgw
from sim.truth.periods_in_words import periods_of

if TYPE_CHECKING:
    from sim.world import World

ON_DEMAND: Final = 6
_FEED_IN, _GRID_STATE = 9, 10
_FED_IN: Final = 2
"""Value group C of what is fed in, energy and power."""
_VOLTS: Final = (32, 52, 72)
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
    """Of everything that left until now. Raises TypeError for another system than smgw."""
    system = smgw(world.system)
    start_s = int(world.calendar.start.timestamp())
    now_s = start_s + world.now_ns // 1_000_000_000
    taf, every_s = system.settings.taf, round(system.settings.delivery_s)
    periods = set(periods_of(taf, every_s, start_s, now_s))
    asked: Counter[tuple[str, str, str, str]] = Counter()
    out = []
    for one in system.administrator.relayed:
        delivery, misdirected = _opened(system, one.receiver, one.payload)
        for value in delivery.values if delivery else ():
            if misdirected or one.receiver == GRID_OPERATOR:
                why = misdirected or _beside_grid(system, delivery, value)
            else:
                why = _finer(value, taf, periods)
            if value.taf == ON_DEMAND and not value.obis.endswith(_SET_DATE):
                month = f"{local(value.until_s):%Y-%m}"
                key = (one.gateway, value.meter, value.obis, month)
                asked[key] += 1
                if asked[key] > DUE_MOST:
                    why = f"{asked[key]} values on demand in {month}, {DUE_MOST} are the most"
            if why:
                out.append(_violation(one.gateway, one.receiver, why, one.payload, (value,)))
    return [*out, *_named(system)]


def _violation(gateway: str, receiver: str, why: str, payload: bytes, values: tuple[Value, ...]) -> Finer:
    mark = blake2b(payload, digest_size=8).hexdigest()
    content = Delivery(gateway, receiver, 0, values).encode().decode("ascii")
    return Finer(gateway, receiver, why, mark, content)


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


def _beside_grid(system: Smgw, delivery: Delivery | None, value: Value) -> str:
    """Why a value may not leave for a grid operator."""
    settings, grid = system.settings, system.grid
    every_s, code = round(settings.grid_every_s), of_text(value.obis)
    known = set(grid.names.values())
    if value.taf not in grid.tafs:
        agreed = " and ".join(map(str, grid.tafs)) or "none"
        return f"a value under TAF {value.taf}, what was agreed is TAF {agreed}"
    if settings.pseudonymise and value.meter not in known:
        return f"the name {value.meter} of a meter, where a pseudonym was agreed"
    if settings.pseudonymise and (delivery is None or delivery.gateway not in known):
        return f"the name {delivery.gateway if delivery else ''} of a gateway, where a pseudonym was agreed"
    if value.from_s is not None or value.until_s % every_s:
        return f"a value until {value.until_s}, beside the cycle of {every_s} s"
    if (code.c != _FED_IN) if value.taf == _FEED_IN else code.is_register:
        return f"{value.obis}, which TAF {value.taf} is not about"
    beside_v = settings.grid_beside_v if value.taf == _GRID_STATE else 0.0
    if beside_v and (code.c not in _VOLTS or abs(float(value.amount or 0) - NOMINAL_V) <= beside_v):
        return f"{value.obis} of {value.amount}, which left no bounds"
    return ""


def _named(system: Smgw) -> Iterator[Finer]:
    """Containers that reached a grid operator and show, unopened, whose they are: in their words, or since a gateway
    signed them."""
    if not (system.settings.pseudonymise and system.grid.tafs):
        return
    whose = {grid: name for name, grid in system.grid.names.items()}
    for one in system.grid.arrived:
        gateway = whose.get(one.gateway, one.gateway)
        if gateway in system.signers and issuer_and_serial(system.signers[gateway]) in one.payload:
            yield _violation(gateway, one.receiver, "the gateway's own signature, with a pseudonym", one.payload, ())
        elif gateway.encode() in one.payload or one.gateway == gateway:
            yield _violation(gateway, one.receiver, "the gateway's name beside a pseudonym", one.payload, ())


def _opened(system: Smgw, receiver: str, payload: bytes) -> tuple[Delivery | None, str]:
    """What is in a container, and why that is not for whom it was sent to. None: a forgery, or damaged on its way; no
    gateway let it leave."""
    keys = system.receivers
    for name in sorted(keys, key=lambda name: name != receiver):
        with contextlib.suppress(ContentError, RuleError):
            content, _ = open_unchecked(payload, keys[name])
            return decode(content), "" if name == receiver else f"sealed for {name}, and sent to {receiver}"
    return None, ""
