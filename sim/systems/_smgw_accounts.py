"""Who saw what in a run of system `smgw`, and what the run cost: counted, not assumed, but for the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.core.clock import NS_PER_S
from sim.pki.sm_triples import PURPOSES
from sim.systems.port import Cost, Sight

if TYPE_CHECKING:
    from sim.systems.port import Ground
    from sim.systems.smgw import Smgw

_HABITS: Final = {
    1: "a sum a month: none",
    2: "sums of each zone and period: how much by day and by night, no hour",
    7: "a value every 15 minutes: who is at home, and when",
}
_RADIO: Final = "when a meter sends, its tamper bit; what it counts is sealed"


def meter_days(system: Smgw, ground: Ground) -> float:
    """Attached meters times days of the run."""
    return max(1, len(system.registry)) * max(ground.clock.now_ns, 1) / NS_PER_S / 86_400


def sights(system: Smgw, ground: Ground) -> list[Sight]:
    days = meter_days(system, ground)
    readings = system.stored.count_readings()
    relayed = system.administrator.relayed
    # A value stands in a delivery beside the word for it; sealed bytes hold neither.
    readable = sum(one.payload.count(b"<value ") for one in relayed)
    values = system.delivered()
    return [
        Sight("whoever listens by radio", 0.0, readings / days, _RADIO),
        Sight("gateway in the house", readings / days, readings / days, "all that its meters say, kept in clear"),
        Sight("administrator", readable / days, len(relayed) / days, "when a gateway delivers, and how many bytes"),
        Sight("supplier", len(values) / days, len(relayed) / days, _HABITS[system.settings.taf]),
    ]


def costs(system: Smgw, ground: Ground) -> list[Cost]:
    days = meter_days(system, ground)
    passed, said = (system.wan.total(lambda one: one.record_bytes), system.wan.total(lambda one: one.message_bytes))
    waited_ns = max((one.longest_wait_ns for one in system.wan.lines), default=0)
    sealed = sum(gateway.counts["sealed"] for gateway in system.gateways)
    opened = sum(gateway.intake.counts["stored"] for gateway in system.gateways if gateway.up)
    parties = len(system.gateways) + 2  # the administrator and the supplier
    waits = [Cost("longest wait for a time at which something may be said", waited_ns / NS_PER_S, "s")]
    return [
        Cost("bytes on the WAN, a meter and day", passed / days, "B"),
        Cost("of them neither question nor answer: TLS records, filling, dummies", (passed - said) / days, "B"),
        *(waits if system.settings.dummy_every_s else ()),
        Cost("telegrams decrypted in gateways", opened, ""),
        Cost("containers sealed and signed", sealed, ""),
        Cost("containers verified and opened", system.portal.counts["opened"], ""),
        Cost("meters' keys, each known to maker, administrator and gateway", len(system.registry), "keys"),
        Cost("key pairs with certificates (TLS, ENC, SIG), renewed every 2 years", len(PURPOSES) * parties, "keys"),
        Cost("places that hold meters' keys", len(system.gateways), "disks"),
    ]
