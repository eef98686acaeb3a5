"""What the referee notes at the air: each frame that a receiver received, as it was sent.

The same is noted of one frame at a time and of a window's frames at once (see radio.window_report).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.core.events import Fate
from sim.gateway.thinning import Thinning
from sim.truth.ledger import Ledger, gateway_bits

if TYPE_CHECKING:
    from sim.radio.emissions import Emission
    from sim.radio.window_report import WindowReport
    from sim.world import World


class AirTap:
    """A radio.window_report.WindowTap that fills a ledger."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world, self._ledger = world, ledger
        self._thinning: dict[int, Thinning] = {}  # of gateways that drop telegrams by a rule

    def __call__(self, emission: Emission, receiver: int, fate: Fate, _rssi_cdbm: int, /) -> None:
        """A frame met its fate at a receiver (see radio.air)."""
        if fate is not Fate.RECEIVED or receiver in self._meters():
            return
        gateways = self._world.gateways
        by_gateway = receiver < len(gateways) and self._paired(receiver, emission.source)
        by_gateway = by_gateway and self._takes(receiver, emission.telegram, emission.end_ns)
        if emission.source < self._world.fleet.n:
            self._ledger.hear(emission, gateway=receiver if by_gateway else None)
        elif by_gateway:
            self._ledger.take(emission, gateways[receiver].id)

    def window(self, report: WindowReport, /) -> None:
        """The same of every row."""
        gateways, meters = self._world.gateways, self._world.fleet.n
        rows, received = report.rows, report.received
        if meters_ears := self._meters():
            received = received[~np.isin(rows.receiver[received], meters_ears)]
        source, receiver, frame = rows.source[received], rows.receiver[received], report.frame[received]
        by_gateway = receiver < len(gateways)
        if (attached := self._world.system.attached) is not None:  # a gateway takes no others' than its own meters
            own = source < len(attached)
            by_gateway[own] &= attached[source[own]] == receiver[own]
        thinning = [number for number, gateway in enumerate(gateways) if gateway.thinning is not None]
        for at in np.flatnonzero(by_gateway & np.isin(receiver, thinning)).tolist():
            end_ns = int(report.end_ns[received[at]])
            by_gateway[at] = self._takes(int(receiver[at]), report.telegrams[frame[at]], end_ns)
        for at in np.flatnonzero((source >= meters) & by_gateway).tolist():
            self._ledger.take(report.emissions[frame[at]], gateways[int(receiver[at])].id)
        fleet = np.flatnonzero(source < meters)
        if not len(fleet):
            return
        begins = np.flatnonzero(np.diff(frame[fleet], prepend=-1))  # of each frame the first of its rows
        bits = np.where(by_gateway[fleet], gateway_bits(receiver[fleet]), 0)
        overheard = np.logical_or.reduceat(~by_gateway[fleet], begins)
        first, telegrams = received[fleet[begins]], report.telegrams
        self._ledger.hear_all(zip(
            rows.source[first].tolist(), rows.k[first].tolist(), rows.start_ns[first].tolist(),
            [telegrams[one] for one in report.frame[first].tolist()], np.bitwise_or.reduceat(bits, begins).tolist(),
            overheard.tolist(), strict=True,
        ))  # fmt: skip

    def _paired(self, gateway: int, source: int) -> bool:
        """A gateway that meters are paired with takes no others'."""
        attached = self._world.system.attached
        return attached is None or source >= len(attached) or int(attached[source]) == gateway

    def _meters(self) -> list[int]:
        """Receivers of meters and of the system itself; they do not count as an attacker's."""
        return [*(one.receiver for one in self._world.two_way), *self._world.own_receivers]

    def _takes(self, gateway: int, telegram: bytes, end_ns: int) -> bool:
        """Whether a gateway takes what it received: by its rule, not by its word."""
        rule = self._world.gateways[gateway].thinning
        return rule is None or self._thinning.setdefault(gateway, rule.again()).takes(telegram, end_ns)
