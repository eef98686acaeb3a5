"""Rounds of pairs: the same bundles by our gateways and by the clients in C through a new broker each, both held by one
process, which then takes from both in turn.

    with PairedTrials(stand) as paired:
        rounds = [paired.round(number) for number in range(2)]

What is measured is processor time, so nothing of a round depends on what other programs take of the machine but how
long it lasts. See paired_knee for what its figures mean.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np

from bench.load import paired_process
from bench.load.fleet_bundles import Sent
from bench.load.load_orders import Driver, PortalOrder
from bench.load.load_trial import READY_S, REPORT_S, Stand, hear, tell
from bench.load.paired_orders import Hold, Round, TakeInTurn, Taken
from bench.load.portal_process import TAKE_MOST
from bench.load.schedule import Schedule
from bench.run_errors import CannotRun
from bench.spawned import Spawned
from sim.core.clock import wall_s
from sim.endpoint.port import EndpointError
from sim.endpoint.topic_acl import PORTAL
from sim.gateway.in_flight import WINDOW

TAKES_MOST: Final = 16
"""Of each side in a round; fewer where the gateways may not have so much in flight."""
TAKES_LEAST: Final = 5
PACE_PER_S: Final = 500.0
"""Of all at once a take would have what one generator sends of ten gateways and another of fifty: the portal signs an
acknowledgement for each gateway of a take, and such takes were 0.1 to 0.15 apart in cost."""
LEAD_S: Final = 0.2
USUAL: Final = 20
"""Telegrams of a bundle; larger ones take longer."""


def takes_of(gateways: int) -> int:
    """Full takes that so many gateways can bring without an acknowledgement."""
    return min(TAKES_MOST, gateways * WINDOW // TAKE_MOST)


def gateways_least() -> int:
    """That bring TAKES_LEAST full takes."""
    return -(-TAKES_LEAST * TAKE_MOST // WINDOW)


def schedule_of(sent: Sent) -> Schedule:
    """Full takes for a round: each gateway sends in its turn, PACE_PER_S of all."""
    row = np.arange(takes_of(sent.gateways) * TAKE_MOST, dtype=np.int64)
    return Schedule(row % sent.gateways, row // sent.gateways + 1, row / PACE_PER_S)


@dataclass
class PairedTrials:
    """Raises CannotRun, EndpointError, StoreError."""

    stand: Stand
    _process: Spawned = field(init=False)

    def __enter__(self) -> Self:
        self._process = Spawned(paired_process.serve)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def round(self, number: int) -> Round:
        """The sides are offered in turn of `number`, too: ours first in even rounds."""
        schedule = schedule_of(self.stand.setting.sent)
        place = self.stand.directory / f"pairs-{number}"
        try:
            came = {driver: self._held(driver, schedule, place) for driver in paired_process.in_turn(number)}
            self._process.pipe.send(TakeInTurn(place, TAKE_MOST))
            taken = hear(self._process, REPORT_S * max(1.0, self.stand.setting.sent.telegrams / USUAL))
        finally:
            shutil.rmtree(place, ignore_errors=True)
        whole(came, taken)
        return Round(taken["ours"], taken["c"], TAKE_MOST)

    def _held(self, driver: Driver, schedule: Schedule, place: Path) -> int:
        """How many bundles of what this side sent came."""
        stand, broker, folder = self.stand, self.stand.broker, place / driver
        broker.start(folder / "broker")
        try:
            running = stand.running(driver)
            for order, process in zip(stand.orders(schedule, driver, len(running)), running, strict=True):
                tell([process], order)
            for process in running:
                hear(process, READY_S, broker.died)
            portal = PortalOrder(
                stand.setting.sent, schedule, broker.identity(PORTAL), broker.address, folder / "portal", broker.verify
            )
            self._process.pipe.send(Hold(driver, portal))
            hear(self._process, READY_S, broker.died)
            begin_s = wall_s() + LEAD_S
            tell([*running, self._process], begin_s)
            self._await_all()
            if died := broker.died():
                raise EndpointError(f"the broker died while bundles came: {died}")
            tell([*running, self._process], None)
            for process in running:
                hear(process, REPORT_S)
            came: int = hear(self._process, REPORT_S)
        finally:
            broker.stop()
        return came

    def _await_all(self) -> None:
        """Until the process says that all has come, or nothing more does."""
        end_s = wall_s() + REPORT_S
        while not self._process.pipe.poll(0.05):
            if self.stand.broker.died():
                return
            if wall_s() > end_s:
                raise CannotRun(f"the bundles of a round had not come after {REPORT_S:g} s; this machine is too busy")


def whole(came: Mapping[Driver, int], taken: Mapping[Driver, Taken]) -> None:
    """Raises CannotRun where the two are no pair: too few bundles came of both, or the portal refused some."""
    if not taken["ours"].each_take:
        raise CannotRun(
            f"{came['ours']} bundles of ours and {came['c']} of the clients in C came: of both too few for full takes"
        )
    for words, one in (("ours", taken["ours"]), ("the clients in C", taken["c"])):
        if one.stored != one.due:
            raise CannotRun(
                f"the portal stored {one.stored} of {one.due} readings of {words}, so its takes are no pair"
            )
