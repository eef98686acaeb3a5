"""What a SmartGateway shows on its HAN. `refresh` is called by who lets the gateway's time pass; a server reads what
was there then."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from sim.pki.party_certificates import Certificate
from sim.portal.store_port import Reading
from sim.smart_metering import smart_gateway
from sim.smart_metering.gateway_diary import SentPart
from sim.smart_metering.gateway_logs import SignedEnds
from sim.smart_metering.han.holding import (
    COUNT,
    CUBIC_METRES,
    WATT_HOURS,
    Captured,
    Component,
    GatewayState,
    HeldContract,
    HeldMeter,
    Holding,
)
from sim.smart_metering.said_registers import said
from sim.smart_metering.smart_gateway import SmartGateway
from sim.smart_metering.tariffing import Register, Stamped, stamped
from sim.smgw.logs.hash_chain import Row
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM, Entry, Level, LogEvent, consumer
from sim.smgw.obis_codes import Obis
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S

VERSION: Final = "1.0"
"""Of this model's gateway."""
SHOWN_S: Final = 62 * 86_400
"""Ours: how far back readings are shown."""
_ROWS_AT_ONCE: Final = 4_096
_KWH_TO_WH: Final = 3


class GatewaySource:
    """See holding.HanSource. `now_ns`: the world's time."""

    def __init__(self, gateway: SmartGateway, now_ns: Callable[[], int]) -> None:
        self._box, self._now_ns = gateway, now_ns
        self.gateway = gateway.id
        self._boot = ""
        self._seen = 0
        self._seen_of_side: dict[int, int] = {}
        self._registers: dict[str, Register] = {}
        self.refresh()

    @property
    def certificate(self) -> Certificate:
        return self._box.certificate

    def now_s(self) -> int:
        return int(self._box.setup.calendar.at(self._now_ns()).timestamp())

    def refresh(self) -> None:
        """Show what the gateway has now. Raises StoreError."""
        self._read()
        self._holding = Holding(self._state(), tuple(self._meters()), tuple(self._contracts()))

    def holding(self) -> Holding:
        return self._holding

    def sent(self, owner: str) -> list[SentPart]:
        return self._box.diary.parts(owner)

    def log(self, owner: str) -> list[Row]:
        return self._box.diary.log_of(owner)

    def ends(self) -> SignedEnds | None:
        self._box.diary.logs.seal(self.now_s())
        return self._box.diary.logs.signed()

    def sign(self, message: bytes) -> bytes:
        return self._box.sign(message)

    def note(self, owner: str | None, level: Level, event: LogEvent, user: str, outcome: int, text: str) -> None:
        log = SYSTEM if owner is None else consumer(owner)
        with contextlib.suppress(RuleError):
            self._box.diary.logs.write(log, Entry(self.now_s(), level, event, self.gateway, user, outcome, text))

    # --- made of the gateway's store --------------------------------------------------------------------------------

    def _read(self) -> None:
        box = self._box
        if not box.up:
            return
        if box.boot != self._boot:
            self._boot, self._seen, self._seen_of_side, self._registers = box.boot, 0, {}, {}
        while found := box.intake.store.readings_after(self._seen, _ROWS_AT_ONCE):
            self._seen = found[-1][0]
            for place, row in found:
                self._keep(place, row)
        for number, side in enumerate(box.sides):
            for place, kept in side.billed_behind(self._seen_of_side.get(number, 0)):
                self._seen_of_side[number] = place
                side.keep_in(self._registers, kept)

    def _keep(self, place: int, row: Reading) -> None:
        told = said(row)
        if told is None:
            return
        register = self._registers.get(row.meter)
        if register is None:
            entry = next(one for one in self._box.registry if one.name == row.meter)
            register = self._registers[row.meter] = Register(row.meter, told.obis, entry.interval_s)
        off_s = next(off_s for first, off_s in reversed(self._box.clock_steps) if first < place)
        register.take(row.received_ns, told, off_s)

    def _meters(self) -> list[HeldMeter]:
        out = []
        for _, register in sorted(self._registers.items()):
            values = self._stamped(register)
            unit, scaler = _unit(register.obis, values)
            shift = scaler - (_KWH_TO_WH if unit == WATT_HOURS else 0)
            captured = tuple(Captured(at_s, int(v.scaleb(-shift)), word, period) for period, at_s, v, word in values)
            out.append(HeldMeter(register.meter, self._box.owner_of(register.meter), str(register.obis), scaler, unit,
                                 register.interval_s, captured))  # fmt: skip
        return out

    def _stamped(self, register: Register) -> list[Stamped]:
        box, now_s = self._box, self.now_s()
        begin_s = max(int(box.setup.calendar.start.timestamp()), now_s - SHOWN_S)
        first_s = -(-begin_s // CAPTURE_S) * CAPTURE_S
        return list(stamped(register, box.setup.calendar, first_s, now_s, CAPTURE_S, flag=box.setup.flag_clock))

    def _contracts(self) -> list[HeldContract]:
        by_owner: dict[str, list[str]] = {}
        for name in self._paired():
            by_owner.setdefault(self._box.owner_of(name), []).append(name)
        wired = set(self._box.wired.meters) if self._box.wired else set()  # contracts about the grid are about these
        return [
            HeldContract(f"taf{one.taf}-{number}", owner, one.receiver, one.taf, own)
            for owner, meters in sorted(by_owner.items())
            for number, one in enumerate(self._box.setup.contracts, 1)
            if (own := tuple(sorted(wired.intersection(meters) if one.grid else meters)))
        ]

    def _paired(self) -> list[str]:
        box = self._box
        return [*(entry.name for entry in box.registry), *(name for side in box.sides for name in side.meters)]

    def _state(self) -> GatewayState:
        box = self._box
        logs = {name: len(box.diary.logs.rows(name)) for name in (SYSTEM, CALIBRATION)}
        logs["consumers"] = sum(len(box.diary.log_of(owner)) for owner in box.owners())
        alarms = sum(row.entry.event is LogEvent.METER_ALARM for row in box.diary.logs.rows(SYSTEM))
        firmware = Component("smart gateway", *(box.runs or (VERSION, _checksum())))
        return GatewayState(
            box.id, self.now_s(), int(box.boot.rpartition(".")[2]), len(self._paired()), len(box.outbox), alarms,
            (firmware,), tuple(sorted(logs.items())),
        )  # fmt: skip


def _unit(obis: Obis, values: list[Stamped]) -> tuple[int, int]:
    """(unit of COSEM, scaler) under which every value is a whole number."""
    if obis.a == 4:
        return COUNT, 0
    unit, shift = (WATT_HOURS, _KWH_TO_WH) if obis.a in (1, 6) else (CUBIC_METRES, 0)
    exponents = [_exponent(one.value) for one in values]
    return unit, min([shift, *(one + shift for one in exponents)]) if unit == WATT_HOURS else min([0, *exponents])


def _exponent(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) and value else 0


@cache
def _checksum() -> str:
    return hashlib.sha256(Path(smart_gateway.__file__).read_bytes()).hexdigest()
