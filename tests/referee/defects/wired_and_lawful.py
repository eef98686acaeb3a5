"""Wired meters whose sessions, rows or periods are not what they stand for; values that leave and should not; lookers
who do not look."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Any

from sim.smgw.obis_codes import of_text
from tests.referee.defect import DROPS, FAULTS, GATEWAYS, SILENT, SUMS, Patch, defect
from tests.referee.defects import plays


@defect("wired-sessions-in-clear", GATEWAYS, "Who has clips on the bus reads and changes nothing.", plays.CLIPS)
def _(patch: Patch) -> None:
    """Meters and gateway speak without TLS, whatever the world says."""

    def instead(original: Any, spec: Any, *given: Any) -> Any:
        return original(dataclasses.replace(spec, tls=False), *given)

    patch.around("sim.systems._smgw_wired:plan", instead)


@defect("wired-rows-not-fetched", DROPS, "A cut bus costs no value.", plays.BUS_CUT)
def _(patch: Patch) -> None:
    """What a meter kept while the bus was cut is not asked for."""
    patch.around("sim.smart_metering.lmn.wired_bus:WiredBus._fetch", lambda original, bus, visit, now_s: None)


@defect("wired-registers-swapped", SUMS, "The supplier has the registers that meters counted.", plays.BUS_CUT)
def _(patch: Patch) -> None:
    """What a house fed in is billed as what it drew."""

    def instead(original: Any, side: Any, row: Any) -> None:
        swapped = {"1-0:1.8.0*255": "1-0:2.8.0*255", "1-0:2.8.0*255": "1-0:1.8.0*255"}
        code = of_text(swapped[str(row.entry.obis)])
        original(side, row._replace(entry=row.entry._replace(obis=code)))

    patch.around("sim.smart_metering.lmn.wired_side:WiredSide._keep", instead)


@defect("wired-rows-in-another-unit", GATEWAYS, "A gateway stores what a meter said.", plays.SMART_WIRED)
def _(patch: Patch) -> None:
    """A row of a wired meter is kept with the right number and as reactive energy."""

    def instead(original: Any, store: Any, rows: Any) -> None:
        original(store, [row._replace(entry=row.entry._replace(unit=row.entry.unit + 1)) for row in rows])

    patch.around("sim.smart_metering.lmn.wired_store:WiredStore.put", instead)


@defect("wired-bus-not-cut", FAULTS, "A cut bus costs no value.", plays.BUS_CUT)
def _(patch: Patch) -> None:
    """The fault says that the bus is cut, and every frame passes."""
    patch.around("sim.faults.wired_bus_cut:WiredBusCut.strike", lambda original, fault, world: None)


@defect("clips-change-nothing", SILENT, "Who has clips on the bus changes nothing.", plays.CLIPS)
def _(patch: Patch) -> None:
    """The attack says that it changed frames, and puts the same ones on the wire."""
    patch.around("attacks.smgw_bus:_altered", lambda original, information: information)


@defect("lookers-weigh-nothing", SILENT, "Under TAF 7 a supplier sees who heats.", plays.AT_HOME)
def _(patch: Patch) -> None:
    """The classifier learns nothing, so nobody is found out: the control must say so."""
    patch.around("attacks.habits:weighted", lambda original, rows: defaultdict(float))


@defect("snapshots-without-end", GATEWAYS, "Snapshots are no load profile.", plays.SNAPSHOTS)
def _(patch: Patch) -> None:
    """A gateway takes every rule set for values on demand."""

    def instead(original: Any, snapshots: Any, *given: Any) -> bool:
        snapshots._limited = False
        return bool(original(snapshots, *given))

    patch.around("sim.smart_metering.snapshots:Snapshots.ask", instead)


@defect("shorter-periods-leave", GATEWAYS, "Nothing leaves that is finer than allowed.", plays.ADMINISTRATOR)
def _(patch: Patch) -> None:
    """Registers leave every half hour, and say so."""

    def instead(original: Any, taf: int, delivery_s: int, start_s: int, until_s: int) -> Any:
        return original(taf, delivery_s // 2, start_s, until_s)

    patch.around("sim.systems._smgw_running:period_ends", instead)
