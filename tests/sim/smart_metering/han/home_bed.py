"""A gateway as its HAN shows it, without a world: two consumers, electricity and heat cost, deliveries and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sim.core.seeds import Seeds
from sim.pki.party_certificates import Certificate, PartyRoot
from sim.smart_metering.gateway_diary import Diary, SentPart
from sim.smart_metering.gateway_logs import GatewayLogs, SignedEnds
from sim.smart_metering.han.bill_check import recalculated
from sim.smart_metering.han.han_client import Answer, HanClient
from sim.smart_metering.han.holding import (
    COUNT,
    WATT_HOURS,
    Captured,
    Component,
    GatewayState,
    HeldContract,
    HeldMeter,
    Holding,
)
from sim.smart_metering.han.home import Home
from sim.smart_metering.han.visits import Dialect
from sim.smgw.delivered_content import Value
from sim.smgw.logs.hash_chain import Row
from sim.smgw.logs.log_entries import SYSTEM, Entry, Level, LogEvent, consumer
from sim.smgw.module.in_world import InWorldModule, draws

GATEWAY = "gw-0001"
BEGIN_S = int(datetime(2026, 3, 2, 0, 0, tzinfo=UTC).timestamp())
NOW_S = BEGIN_S + 26 * 3_600
ELECTRICITY, HEAT = "EMH 00000001 01 02", "QDS 10000002 36 08"
OWNERS = {ELECTRICITY: "flat 1", HEAT: "flat 2"}


def meter(name: str, obis: str, scaler: int, unit: int, step: int) -> HeldMeter:
    steps = range((NOW_S - BEGIN_S) // 900 + 1)
    captured = tuple(Captured(BEGIN_S + 900 * k, 10_000 + step * k, 2, "") for k in steps)
    return HeldMeter(name, OWNERS[name], obis, scaler, unit, 900.0, captured)


class BedSource:
    """See holding.HanSource. Two meters, a day delivered under TAF 2 to each consumer's supplier."""

    def __init__(self, folder: Path) -> None:
        seeds = Seeds(11)
        self.gateway = GATEWAY
        self.module = InWorldModule(seeds, GATEWAY)
        root = PartyRoot("SM-Test-Root.CA", draws(seeds, "root", "draws"), datetime(2026, 1, 1, tzinfo=UTC))
        self._certificate = root.certify(f"{GATEWAY}.SMGW", self.module.make_key("SIG"), "SIG")
        self.logs = GatewayLogs(folder / "logs", GATEWAY, self.sign, BEGIN_S)
        self.diary = Diary(GATEWAY, self.logs, folder / "sent", lambda name: OWNERS[name], lambda: OWNERS.values())
        self.meters = [
            meter(ELECTRICITY, "1-0:1.8.0*255", -1, WATT_HOURS, 25), meter(HEAT, "4-0:1.0.0*255", 0, COUNT, 1),
        ]  # fmt: skip
        self.time_s = NOW_S
        self.diary.power_on(BEGIN_S, 1)
        self.values = [v for one in self.meters for v in recalculated(one, 2, BEGIN_S, BEGIN_S + 86_400)]
        self.diary.sealed(BEGIN_S + 86_400, "supplier", 1, self.values)
        self.diary.handed(BEGIN_S + 86_460, "supplier", 1, OWNERS.values())

    @property
    def certificate(self) -> Certificate:
        return self._certificate

    def now_s(self) -> int:
        return self.time_s

    def holding(self) -> Holding:
        firmware = Component("smart gateway", "1.0", "00" * 32)
        state = GatewayState(GATEWAY, self.time_s, 1, 2, 0, 0, (firmware,), (("system", 1),))
        contracts = tuple(HeldContract("taf2-1", owner, "supplier", 2, (name,)) for name, owner in OWNERS.items())
        return Holding(state, tuple(self.meters), contracts)

    def sent(self, owner: str) -> list[SentPart]:
        return self.diary.parts(owner)

    def log(self, owner: str) -> list[Row]:
        return self.diary.log_of(owner)

    def ends(self) -> SignedEnds | None:
        self.logs.seal(self.time_s)
        return self.logs.signed()

    def sign(self, message: bytes) -> bytes:
        return self.module.sign("SIG", message)

    def note(self, owner: str | None, level: Level, event: LogEvent, user: str, outcome: int, text: str) -> None:
        log = SYSTEM if owner is None else consumer(owner)
        self.logs.write(log, Entry(self.time_s, level, event, GATEWAY, user, outcome, text))

    def system(self) -> list[str]:
        return [row.entry.text for row in self.logs.rows(SYSTEM)]


def home(folder: Path, dialect: Dialect, source: BedSource | None = None) -> Home:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    source = source or BedSource(folder / "gateway")
    return Home(source, dialect, sorted(OWNERS.values()), folder / "han", draws(Seeds(5), "han", "draws"), since)


@contextmanager
def visiting(at: Home, user: str, *, pin: str | None = None, trusted: bool = True) -> Iterator[HanClient]:
    """A consumer's program on the served HAN."""
    with at.serving() as port:
        known = at.certificate if trusted else None
        draw = draws(Seeds(6), user, "client")
        with HanClient(port, user, at.pins[user] if pin is None else pin, trusted=known, draw=draw) as client:
            yield client


def theben(client: HanClient, user: str, **asked: object) -> Answer:
    return client.ask("POST", f"/smgw/m2m/{user}.sm/json", json.dumps(asked).encode())


def bill(values: list[Value], owner: str, more: Decimal = Decimal(0)) -> list[Value]:
    """What a supplier bills a consumer, each register with so much more than was delivered."""
    own = [one for one in values if OWNERS[one.meter] == owner]
    return [one._replace(amount=None if one.amount is None else one.amount + more) for one in own]
