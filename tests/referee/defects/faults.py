"""A fault that does not strike, strikes somewhere else, or takes more than it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sim.core.bundle import Taken
from sim.core.clock import NS_PER_S
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


def _puback_is_custody(patch: Patch) -> None:
    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        original(gateway, now_ns)
        if gateway.up and gateway.session.connected and gateway.session.unacknowledged == 0 and gateway.waiting:
            gateway._in_flight._match = False
            gone = gateway._in_flight.acknowledged(Taken(number, "") for number in gateway.waiting)
            gateway.outbox.acknowledged(gone)

    patch.around(f"{GATEWAY}.pump", instead)


@defect("broker-loses-its-state", FAULTS, "A broker that is killed keeps what it had acknowledged.", plays.KILLED)
def _(patch: Patch) -> None:
    """A gateway takes the broker's PUBACK for custody and deletes its bundle, and the broker is killed."""
    _puback_is_custody(patch)


@defect("puback-of-a-full-queue", FAULTS, "What a full broker drops is not lost.", plays.FULL)
def _(patch: Patch) -> None:
    """A gateway takes the broker's PUBACK for custody and deletes its bundle, and the broker drops it."""
    _puback_is_custody(patch)


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


@defect("broker-never-down", FAULTS, UNTRUE, plays.DOWN)
def _(patch: Patch) -> None:
    """The broker that is down for twenty minutes goes on; that it was down is in the history."""
    patch.around("sim.endpoint.kinds.mosquitto:Mosquitto.kill", lambda original, broker: None)


@defect("broker-down-for-a-minute", FAULTS, "The outage is as long as it says.", plays.DOWN)
def _(patch: Patch) -> None:
    """The broker is back after one minute."""
    patch.value("sim.faults.broker_down:BrokerDown.heals_after_s", 60.0)


@defect("broker-stays-down", FAULTS, "A broker that was down is back.", plays.DOWN)
def _(patch: Patch) -> None:
    """The broker is never started again; that it is back is in the history."""
    patch.around("sim.faults.broker_down:BrokerDown.heal", lambda original, *arguments: None)


@defect("messages-pass-a-dead-broker", FAULTS, UNTRUE, plays.DOWN)
def _(patch: Patch) -> None:
    """While the broker is down it runs for a moment at the end of each window, and nobody is told."""

    def instead(original: Any, lockstep: Any, now_ns: int, take: Any) -> None:
        if not lockstep._portal_cut_off():
            original(lockstep, now_ns, take)
            return
        lockstep._endpoint.restart()
        cut_off, portal = lockstep._cut_off, lockstep._portal_cut_off
        lockstep._cut_off, lockstep._portal_cut_off = (lambda _: False), (lambda: False)
        original(lockstep, now_ns, take)
        lockstep._cut_off, lockstep._portal_cut_off = cut_off, portal
        lockstep._endpoint.kill()

    patch.around("sim.lockstep:Lockstep.run", instead)


@defect("broker-refuses-nobody", FAULTS, UNTRUE, plays.REFUSES)
def _(patch: Patch) -> None:
    """The broker is started again as it was, and takes everybody."""
    patch.around("sim.endpoint.kinds.mosquitto:Mosquitto.restart", lambda original, broker, **_: original(broker))


@defect("broker-as-fast-as-ever", FAULTS, UNTRUE, plays.SLOW)
def _(patch: Patch) -> None:
    """The broker's process is not stopped, and messages lie about all the same."""

    def instead(original: Any, fault: Any, world: Any, *, still: bool) -> None:
        (world.paths.close_all if still else world.paths.open_all)()

    patch.around("sim.faults.broker_slow:BrokerSlow._stand_still", instead)


@defect("queue-never-full", FAULTS, UNTRUE, plays.FULL)
def _(patch: Patch) -> None:
    """The broker keeps a million messages for the portal, whatever the world says, and drops none."""

    def instead(original: Any, switches: Any, *arguments: Any, **named: Any) -> Any:
        return original(replace(switches, queued_messages=1_000_000), *arguments, **named)

    patch.around("sim.endpoint.mosquitto_config:config", instead)


@defect("portal-goes-on-fetching", FAULTS, UNTRUE, plays.FULL)
def _(patch: Patch) -> None:
    """The portal keeps its session while the broker's queue for it is said to fill."""
    patch.around("sim.network.paths:Paths.reroute", lambda original, *arguments: None)


@defect("backlog-cut-at-return", FAULTS, "What waited through an outage arrives.", plays.REFUSES)
def _(patch: Patch) -> None:
    """A gateway that gets its session back throws away the older half of what waits."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        if gateway.up and gateway.session.connects > max(1, gateway._connects_seen):
            gateway._in_flight._match = False
            old = gateway.waiting[: len(gateway.waiting) // 2]
            gateway.outbox.acknowledged(gateway._in_flight.acknowledged(Taken(number, "") for number in old))
            gateway._in_flight._match = True
        original(gateway, now_ns)

    patch.around(f"{GATEWAY}.pump", instead)


@defect("held-back-while-another-is-off", FAULTS, "Only whom a fault cuts off may be late.", plays.OFF)
def _(patch: Patch) -> None:
    """For twenty minutes the gateway that is on sends nothing, while the other one is off."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        if not 15 * 60 <= now_ns / NS_PER_S <= 35 * 60:
            original(gateway, now_ns)

    patch.around(f"{GATEWAY}.pump", instead)


@defect("off-for-a-minute", FAULTS, "A gateway that stays off stays off.", plays.OFF)
def _(patch: Patch) -> None:
    """The gateway that stays off has its power back after a minute."""
    patch.value("sim.faults.gateway_power_cut:PowerCut.heals_after_s", 60.0)


@defect("disk-lost-with-power", FAULTS, "What a gateway had closed lies on its disk.", plays.OFF)
def _(patch: Patch) -> None:
    """With its power a gateway that stays off loses its disk."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        gateway.outbox.acknowledged(list(gateway.waiting))
        gateway.outbox.close()
        original(gateway, now_ns)

    patch.around(f"{GATEWAY}.power_cut", instead)


@defect("portal-not-killed", FAULTS, UNTRUE, plays.DEATHS)
def _(patch: Patch) -> None:
    """The portal that is to die between commit and acknowledgement lives on, and acknowledges."""
    patch.around("sim.systems.keyless:Keyless.kill_portal", lambda original, system: None)


@defect("killed-portal-speaks", FAULTS, UNTRUE, plays.DEATHS)
def _(patch: Patch) -> None:
    """The portal is killed after its acknowledgements have gone out."""
    patch.around("sim.lockstep:Lockstep._strike_in", lambda original, lockstep, phase: original(
        lockstep, {"acknowledge": "commit", "commit": "none"}.get(phase, phase)
    ))  # fmt: skip


@defect("bundle-twice-counts-twice", FAULTS, "What goes out a second time is a reading once.", plays.DEATHS)
def _(patch: Patch) -> None:
    """A portal that was killed forgets which bundles it has taken, and no check refuses a repeat."""
    import sqlite3

    def instead(original: Any, system: Any) -> None:
        original(system)
        with sqlite3.connect(system.portal.store.path) as disk:
            disk.execute("DELETE FROM messages")
            disk.execute("DELETE FROM freshness")
            disk.execute("UPDATE readings SET fingerprint = fingerprint || '-'")

    patch.around("sim.systems.keyless:Keyless.kill_portal", instead)


@defect("disk-never-full", FAULTS, UNTRUE, plays.FULL_DISK)
def _(patch: Patch) -> None:
    """The broker writes as before; that its disk is full is in the history."""
    patch.around("sim.faults.broker_disk_full:_limit", lambda original, pid, *, full: None)


@defect("puback-of-a-full-disk", FAULTS, "What a broker loses with its disk is not lost.", plays.FULL_DISK)
def _(patch: Patch) -> None:
    """A gateway takes the broker's PUBACK for custody and deletes its bundle, and the broker cannot keep it."""
    _puback_is_custody(patch)
