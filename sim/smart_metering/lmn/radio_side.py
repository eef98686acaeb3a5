"""Radio meters of security profile C inside a smart meter gateway: what it answers to their frames, and what it keeps.

They have no clock that counts: a value stands for the time at which the gateway took it, by its own clock, from the
next full second on; it is judged as those of wired meters are (metrology.Capture). Values, and the word that the
gateway found for them, are on its disk before the meter is told that they were taken. Sessions are in its memory and
go with its power: the meter's next demand is then answered with a handshake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from sim.core.clock import NS_PER_S, Calendar
from sim.smart_metering.lmn.radio_link import RadioLink, RadioPairing
from sim.smart_metering.lmn.radio_registers import Counted
from sim.smart_metering.lmn.rows_side import RowsSide
from sim.smart_metering.lmn.wired_meter import DRAWN, FED_IN, WH
from sim.smart_metering.lmn.wired_store import StoredRow, WiredStore
from sim.smgw.lmn.exchange import Entry
from sim.smgw.metrology import Capture
from sim.smgw.obis_codes import Obis
from sim.smgw.rule_set import CAPTURE_S
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.link import Address

INTERVAL_S: Final = 300.0
"""Ours: how often a meter demands access."""
_TENTH_WH_W_S: Final = Decimal(360)
_TENTH: Final = -1

Tell = Callable[[str, str, str], None]
"""(what, meter, detail)."""


@dataclass(frozen=True)
class RadioPlan:
    """One gateway's radio meters of profile C. `address`: the gateway's own on the air; `path`: of its rows."""

    address: Address
    pairings: tuple[RadioPairing, ...]
    path: Path
    tell: Tell


class RadioSide(RowsSide):
    """One gateway's."""

    def __init__(self, plan: RadioPlan, calendar: Calendar, *, flag_clock: bool) -> None:
        super().__init__(calendar, flag_clock=flag_clock, interval_s=INTERVAL_S, waits=False)
        self.plan = plan
        self.links: dict[Address, RadioLink] = {}
        self._off_s = 0.0
        self._told: set[tuple[str, str]] = set()

    def is_billed(self, obis: Obis) -> bool:
        return obis in (DRAWN, FED_IN)

    @property
    def meters(self) -> list[str]:
        return [str(one.meter) for one in self.plan.pairings]

    @property
    def path(self) -> Path:
        return self.plan.path

    def open(self) -> None:
        self.links = {
            one.meter: RadioLink(self.plan.address, one, partial(self._take, one.meter), partial(self._say, one.meter))
            for one in self.plan.pairings
        }
        self._captures: dict[tuple[Address, Obis], Capture] = {}
        self._off_s = 0.0
        self._begin(WiredStore(self.plan.path, durable=False))

    def close(self) -> None:
        super().close()
        self.links = {}

    def note_clock(self, off_s: float) -> None:
        """The gateway was told by how much its clock is off."""
        self._off_s = off_s

    def hear(self, frame: bytes, clock_ns: int) -> bytes:
        """What is answered within the meter's window; b"": nothing."""
        try:
            address = parse(frame).address
        except BadTelegram:
            return b""
        link = self.links.get(address)
        return b"" if link is None else link.hear(frame, self._epoch_s + -(-clock_ns // NS_PER_S))

    def _take(self, meter: Address, counted: Counted, now_s: int) -> None:
        rows = []
        for obis, value in ((DRAWN, counted.drawn), (FED_IN, counted.fed_in)):
            capture = self._captures.get((meter, obis))
            if capture is None:
                capture = self._captures[meter, obis] = Capture(obis, CAPTURE_S, _TENTH_WH_W_S)
            _, word = capture.take(now_s, Decimal(value), clock_off_s=round(self._off_s))
            rows.append(StoredRow(str(meter), now_s, Entry(obis, value, _TENTH, WH), 0, word))
        self.store.put(rows)
        self._read_back()

    def _say(self, meter: Address, what: str, detail: str) -> None:
        """Once each: what goes on is no news."""
        if (what, str(meter)) not in self._told:
            self._told.add((what, str(meter)))
            self.plan.tell(what, str(meter), detail)
