"""What all gateways of a system have stored, as one table: for truth and checks, which know no gateway's disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby

from sim.portal.store_port import Reading, Refusal
from sim.smart_metering.smart_gateway import SmartGateway


class GatewayTables:
    """See systems.port.Stored. Gateways that are off keep their place: rows are numbered as they were first seen.
    `billed`: what the receiver of values would bill."""

    def __init__(self, gateways: Sequence[SmartGateway], billed: Callable[[str, date], int | None]) -> None:
        self._gateways = gateways
        self._billed = billed
        self._places: list[tuple[int, int]] = []  # (gateway, its own row), in the order in which they were seen
        self._seen = [0] * len(gateways)

    def _look(self) -> None:
        for number, gateway in enumerate(self._gateways):
            while gateway.up and (found := gateway.intake.store.readings_after(self._seen[number], 4_096)):
                self._places += [(number, place) for place, _ in found]
                self._seen[number] = found[-1][0]

    def _up(self) -> list[SmartGateway]:
        return [gateway for gateway in self._gateways if gateway.up]

    def count_readings(self) -> int:
        self._look()
        return len(self._places)

    def readings(self, meter: str | None = None) -> list[Reading]:
        if meter is not None:
            return [row for gateway in self._up() for row in gateway.intake.store.readings(meter)]
        out: list[Reading] = []
        place = 0
        while found := self.readings_after(place, 4_096):
            out += [row for _, row in found]
            place = found[-1][0]
        return out

    def readings_after(self, place: int, most: int) -> list[tuple[int, Reading]]:
        self._look()
        out: list[tuple[int, Reading]] = []
        wanted = list(enumerate(self._places[place : place + most], place + 1))
        for number, run in groupby(wanted, key=lambda one: one[1][0]):
            rows = [(at, own) for at, (_, own) in run]
            store = self._gateways[number].intake.store
            found = dict(store.readings_after(rows[0][1] - 1, rows[-1][1] - rows[0][1] + 1))
            out += [(at, found[own]) for at, own in rows]
        return out

    def readings_of(self, fingerprint: str) -> list[Reading]:
        return [row for gateway in self._up() for row in gateway.intake.store.readings_of(fingerprint)]

    def refusals(self, reason: str | None = None) -> list[Refusal]:
        return [row for gateway in self._up() for row in gateway.intake.store.refusals(reason)]

    def refusal_reasons(self, fingerprint: str) -> list[str]:
        return [one for gateway in self._up() for one in gateway.intake.store.refusal_reasons(fingerprint)]

    def refused_telegrams(self) -> set[str]:
        return {row.fingerprint for row in self.refusals()}

    def bundles_after(self, gateway: str, sequence: int, most: int) -> list[int]:
        return []

    def count_bundles(self) -> int:
        return 0

    def billed_units(self, meter: str, set_date: date) -> int | None:
        return self._billed(meter, set_date)
