"""A fault that does not strike, strikes somewhere else, or takes more than it says."""

from __future__ import annotations

from typing import Any

from sim.core.bundle import Taken
from tests.referee.defect import FAULTS, Patch, defect
from tests.referee.defects import plays

UNTRUE = "The fault struck, and was withstood."
GATEWAY = "sim.gateway.kinds.virtual:VirtualGateway"


@defect("broker-not-killed", FAULTS, UNTRUE, plays.KILLED)
def _(patch: Patch) -> None:
    """The broker is never killed; that it was is in the history (M30)."""
    patch.around("sim.endpoint.kinds.mosquitto:Mosquitto.kill", lambda original, broker: None)
    patch.around("sim.endpoint.kinds.mosquitto:Mosquitto.restart", lambda original, broker: None)


@defect("kill-never-strikes", FAULTS, UNTRUE, plays.KILLED)
def _(patch: Patch) -> None:
    """A fault that waits for a phase of delivery waits for ever."""
    patch.around("sim.lockstep:Lockstep.strike", lambda original, *arguments: None)


@defect("broker-loses-its-state", FAULTS, "A broker that is killed keeps what it had acknowledged.", plays.KILLED)
def _(patch: Patch) -> None:
    """A gateway takes the broker's PUBACK for custody and deletes its bundle, and the broker is killed."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        original(gateway, now_ns)
        if gateway.up and gateway.session.connected and gateway.session.unacknowledged == 0 and gateway.waiting:
            gateway._in_flight._match = False
            gone = gateway._in_flight.acknowledged(Taken(number, "") for number in gateway.waiting)
            gateway.outbox.acknowledged(gone)

    patch.around(f"{GATEWAY}.pump", instead)


@defect("portal-not-restarted", FAULTS, UNTRUE, plays.REPLAY)
def _(patch: Patch) -> None:
    """The portal goes on as it is (M32)."""
    patch.around("sim.systems.keyless:Keyless.restart_portal", lambda original, system: None)


@defect("forgotten-at-restart", FAULTS, "What the portal remembers survives its restart.", plays.REPLAY)
def _(patch: Patch) -> None:
    """After a restart the portal knows no telegram that it had seen (M33)."""
    patch.around("sim.portal.store._sql:SqlStore.freshness", lambda original, store: [])


@defect("power-not-cut", FAULTS, UNTRUE, plays.POWER)
def _(patch: Patch) -> None:
    """The gateway whose power is cut goes on as it is."""
    patch.around(f"{GATEWAY}.power_cut", lambda original, *arguments: None)


@defect("power-comes-not-back", FAULTS, "A gateway works again when its power is back.", plays.POWER)
def _(patch: Patch) -> None:
    """The gateway whose power is back stays off."""
    patch.around(f"{GATEWAY}.power_on", lambda original, *arguments: None)


@defect("power-of-the-next-gateway", FAULTS, "The fault strikes whom it names.", plays.POWER)
def _(patch: Patch) -> None:
    """The power of the next gateway is cut."""

    def instead(original: Any, fault: Any, world: Any) -> None:
        world.gateways[fault.gateway + 1].power_cut(world.now_ns)

    patch.around("sim.faults.gateway_power_cut:PowerCut.strike", instead)


@defect("outbox-lost-with-power", FAULTS, "What was closed before a power cut is there after it.", plays.POWER)
def _(patch: Patch) -> None:
    """With its power a gateway loses its outbox as well."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        gateway.flush(now_ns)
        gateway.outbox.acknowledged(list(gateway.waiting))
        gateway.outbox.close()
        original(gateway, now_ns)

    patch.around(f"{GATEWAY}.power_cut", instead)


@defect("path-not-lost", FAULTS, UNTRUE, plays.PATH)
def _(patch: Patch) -> None:
    """The network goes on leading the gateway to the broker."""
    patch.around("sim.network.paths:Paths.reroute", lambda original, *arguments: None)
