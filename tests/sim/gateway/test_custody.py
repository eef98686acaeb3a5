"""Nothing is lost between gateway and portal, on the real broker: killed, cut, deaf.

Judged by what the portal double holds against what the gateways were fed; no PUBACK is taken for an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.core.clock import ns
from sim.core.events import BundleQuarantined, Event
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.port import Address, Session
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from tests.sim.endpoint.brokers import CuttingProxy, make
from tests.sim.gateway.doubles import AckingPortal

PATIENCE_S = 120.0  # a session that found no broker waits longer each time before it dials again
RETRY_S = 1.0  # a thousand turns: a restarted broker drops what comes before the portal is there again


class Bed:
    """A real broker, gateways that are fed numbered telegrams, and the portal double."""

    def __init__(
        self, directory: Path, gateways: int, spec: GatewaySpec, endpoint: MosquittoSpec | None = None
    ) -> None:
        self.broker: Mosquitto = make(directory / "broker", spec=endpoint)
        self.broker.start()
        self.dial_at: Address | None = None
        self.portal = AckingPortal(self.broker)
        # A broker drops, with a PUBACK, what nobody subscribed to: the gateways would wait out their retry time.
        assert self.broker.settle(lambda: self.portal.session.connected, 10)
        self.events: list[Event] = []
        self.now_ns = 0
        self.fed: dict[str, int] = {}
        self.gateways = [
            VirtualGateway(
                name,
                spec,
                directory / f"{name}.db",
                lambda name=name: self.dial(name),
                self.events.append,
                portal_key=self.portal.statements.public,
                retry_s=RETRY_S,
            )
            for name in (f"gw{n}" for n in range(gateways))
        ]

    def dial(self, name: str) -> Session:
        return self.broker.connect(self.broker.identity(name), subscribe=(f"gw/{name}/ack",), address=self.dial_at)

    def feed(self, telegrams: int, length: int = 40) -> None:
        for gateway in self.gateways:
            for _ in range(telegrams):
                number = self.fed.get(gateway.id, 0)
                self.fed[gateway.id] = number + 1
                gateway.receive(number.to_bytes(4, "big") + bytes(length - 4), self.now_ns + number, -70.0)

    def settle_until(self, done: Callable[[], bool], deadline_s: float = PATIENCE_S) -> None:
        """Turn until it is so, whether or not the gateways still hold something."""
        assert self.broker.settle(lambda: (self.turn(), done())[1], deadline_s), "did not happen in time"

    @property
    def online(self) -> bool:
        return all(gateway.session.connected for gateway in self.gateways)

    def turn(self) -> bool:
        self.now_ns += ns(0.001)
        for gateway in self.gateways:
            gateway.pump(self.now_ns)
        self.portal.pump()
        return not any(gateway.waiting for gateway in self.gateways)

    def assert_all_arrived(self) -> None:
        for gateway in self.gateways:
            arrived = [
                int.from_bytes(heard.telegram[:4], "big")
                for (name, _), bundle in sorted(self.portal.bundles.items())
                if name == gateway.id
                for heard in bundle.heard
            ]
            assert arrived == list(range(self.fed[gateway.id])), "each telegram once, in order"
        assert self.portal.altered == 0, "a bundle sent twice is the same bundle"
        assert not [event for event in self.events if isinstance(event, BundleQuarantined)]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = Bed(tmp_path, 4, GatewaySpec(bundle_count=5))
    yield made
    for gateway in made.gateways:
        gateway.close()
    made.broker.stop()


def test_a_broker_killed_three_times_under_load_loses_nothing(bed: Bed) -> None:
    for _ in range(3):
        for _ in range(30):
            bed.feed(5)
            bed.broker.settle(bed.turn, 0.002)
        bed.portal.away = True
        bed.feed(50)
        had = len(bed.portal.bundles)
        bed.settle_until(lambda had=had: len(bed.portal.bundles) > had and bed.online)
        bed.broker.kill()  # with bundles in every place: in the gateways, in the broker, at the portal
        bed.portal.away = False
        for _ in range(20):
            bed.feed(5)
            bed.broker.settle(bed.turn, 0.002)
        bed.broker.restart()
    assert bed.broker.settle(bed.turn, PATIENCE_S)
    assert len(bed.portal.bundles) == 4 * 3 * 60
    assert bed.portal.duplicates > 0, "the kills did hit something under way"
    assert all(gateway.session.connects >= 3 for gateway in bed.gateways)
    bed.assert_all_arrived()


def test_an_absent_portal_and_a_killed_broker_lose_nothing(bed: Bed) -> None:
    bed.settle_until(lambda: bed.online)
    bed.portal.session.cut()
    bed.feed(50)
    bed.turn()
    assert all(gateway.session.unacknowledged for gateway in bed.gateways)
    bed.settle_until(lambda: not any(gateway.session.unacknowledged for gateway in bed.gateways))
    bed.broker.kill()
    bed.broker.restart()
    old, bed.portal = bed.portal, AckingPortal(bed.broker, bed.portal.statements)
    assert not old.bundles
    assert bed.broker.settle(bed.turn, PATIENCE_S)
    bed.assert_all_arrived()


def test_gateways_that_lose_power_lose_only_what_was_open(bed: Bed) -> None:
    for cycle in range(4):
        bed.feed(10)
        bed.broker.settle(bed.turn, 0.01 * cycle)
        for gateway in bed.gateways:
            gateway.power_cut(bed.now_ns)
            gateway.power_on(bed.now_ns)
    assert bed.broker.settle(bed.turn, PATIENCE_S)
    bed.assert_all_arrived()


def test_pubacks_that_never_come_and_cut_lines_lose_nothing(bed: Bed) -> None:
    assert bed.broker.address is not None
    proxy = CuttingProxy(bed.broker.address)
    bed.dial_at = proxy.address
    for gateway in bed.gateways:
        gateway.power_cut(0)
        gateway.power_on(0)
    for _ in range(3):
        bed.settle_until(lambda: bed.online)
        proxy.deaf = True
        had = len(bed.portal.bundles)
        bed.feed(25)
        bed.settle_until(lambda had=had: len(bed.portal.bundles) > had)
        proxy.cut()
        proxy.deaf = False
        bed.feed(25)
        bed.broker.settle(bed.turn, 0.1)
    assert bed.broker.settle(bed.turn, PATIENCE_S)
    assert bed.portal.duplicates > 0
    bed.assert_all_arrived()
    proxy.close()


def test_a_lost_acknowledgement_of_the_portal_is_asked_for_again(bed: Bed) -> None:
    """The portal committed, its word died with its own connection, the gateways' connections never broke."""
    bed.feed(5)
    bed.portal.away = True
    bed.settle_until(lambda: len(bed.portal.bundles) == 4)
    bed.portal._owed.clear()
    bed.portal.away = False
    assert not bed.broker.settle(bed.turn, 0.2)
    bed.now_ns += ns(61)
    assert bed.broker.settle(bed.turn, 10)
    bed.assert_all_arrived()


def test_a_message_the_broker_will_not_take_is_kept_on_the_gateway(tmp_path: Path) -> None:
    bed = Bed(tmp_path, 1, GatewaySpec(bundle_count=100), MosquittoSpec(max_message_bytes=8_000))
    [gateway] = bed.gateways
    bed.feed(100, length=20)
    bed.feed(100, length=60)
    for _ in range(3):
        bed.feed(100, length=20)
    assert bed.broker.settle(bed.turn, 10)
    [kept] = gateway.outbox.quarantined()
    assert kept.sequence == 2 and len(kept.payload) > 8_000
    assert sorted(sequence for _, sequence in bed.portal.bundles) == [1, 3, 4, 5]
    gateway.close()
    bed.broker.stop()


def test_a_thousand_bundles_at_once_go_out_once_each(tmp_path: Path) -> None:
    bed = Bed(tmp_path, 10, GatewaySpec(bundle_count=10))
    bed.settle_until(lambda: bed.online)
    bed.feed(100 * 10)
    assert bed.broker.settle(bed.turn, 60)
    bed.assert_all_arrived()
    assert len(bed.portal.bundles) == 1_000
    for gateway in bed.gateways:
        gateway.close()
    bed.broker.stop()
