"""The wired meter bus of each gateway of a world: made with the gateway, met at each quarter hour of its clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sim.core.clock import NS_PER_S, Steps
from sim.core.events import WiredMeterTold
from sim.smart_metering.lmn.wired_plan import WiredSpec, plan
from sim.smart_metering.lmn.wired_side import WiredSide

if TYPE_CHECKING:
    from sim.smart_metering.smart_gateway import SmartGateway
    from sim.systems.port import Ground
    from sim.systems.smgw import SmgwSystem


def wired_side(ground: Ground, settings: SmgwSystem, number: int, id_: str, disk: Path) -> WiredSide | None:
    """A gateway's; None where none has any. `disk`: the gateway's own."""
    if not settings.wired:
        return None
    clock, epoch_s = ground.clock, int(ground.calendar.start.timestamp())
    spec = WiredSpec(settings.wired, settings.wired_tls, settings.wired_pairing)
    made = plan(
        spec, ground.seeds, number, id_, disk, since=ground.calendar.start,
        now_s=lambda: epoch_s + clock.now_ns // NS_PER_S,
        tell=lambda what, meter, detail: ground.record(WiredMeterTold(clock.now_ns, id_, meter, what, detail)),
    )  # fmt: skip
    return WiredSide(made, ground.calendar, flag_clock=settings.flag_clock)


def rounds(ground: Ground, gateway: SmartGateway, wired: WiredSide) -> Steps:
    """A gateway meets its wired meters at each quarter hour of its own clock."""
    clock = ground.clock
    while True:
        yield clock.timeout(wired.until_next_ns(gateway.clock_ns(clock.now_ns)))
        gateway.meet_wired(clock.now_ns)
