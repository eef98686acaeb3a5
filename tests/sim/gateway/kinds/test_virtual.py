"""The virtual gateway on the embedded broker: what it forwards, when it closes, what it keeps and for how long."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, Ack, Taken, digest, envelope_bytes_max
from sim.core.clock import NS_PER_S, ns
from sim.core.events import (
    AcknowledgementRefused,
    BundleAcknowledged,
    BundleClosed,
    BundleQuarantined,
    Event,
    SessionChanged,
)
from sim.endpoint.kinds.memory import Memory, MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.outbox import Outbox, OutboxError
from sim.pki.statements import StatementKey
from tests.sim.gateway.doubles import AckingPortal

SPEC = GatewaySpec(bundle_age_s=60.0, bundle_count=10, bundle_bytes=4_000)
TELEGRAM = bytes(range(40))


class Bed:
    """An embedded broker, an acknowledging portal and gateways."""

    def __init__(self, directory: Path, spec: MemorySpec | None = None) -> None:
        self.directory = directory
        self.endpoint = Memory(spec=spec)
        self.portal = AckingPortal(self.endpoint)
        self.gateways: list[VirtualGateway] = []
        self.events: list[Event] = []

    def gateway(self, name: str = "gw1", spec: GatewaySpec = SPEC, **how: Any) -> VirtualGateway:
        made = VirtualGateway(
            name,
            spec,
            self.directory / f"{how.get('device', name)}.db",
            lambda: self.endpoint.connect(self.endpoint.identity(name), subscribe=(f"gw/{name}/ack",)),
            self.events.append,
            **{"portal_key": self.portal.statements.public, **how},
        )
        self.gateways.append(made)
        return made

    def settle(self, now_ns: int = 0, done: Callable[[], bool] | None = None) -> bool:
        def turn() -> bool:
            for gateway in self.gateways:
                gateway.pump(now_ns)
            self.portal.pump()
            return done() if done else not any(gateway.waiting for gateway in self.gateways)

        return self.endpoint.settle(turn, 10)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


def test_its_own_clock_stamps_and_the_worlds_clock_records(bed: Bed) -> None:
    gateway = bed.gateway(spec=replace(SPEC, clock_offset_s=-30.5))
    gateway.receive(TELEGRAM, ns(100), -70.0)
    gateway.close_due(ns(161))
    assert bed.settle()
    bundle = bed.portal.bundles["gw1", 1]
    assert bundle.heard[0].received_ns == ns(69.5) and bundle.closed_ns == ns(129.5)
    assert bed.of(BundleClosed)[0].time_ns == ns(160)


def test_age_closes_at_its_instant_however_often_it_is_asked(bed: Bed) -> None:
    """Windows of 1 s or of an hour: the same bundles."""
    outcomes = []
    for name, step_s in (("gw1", 1), ("gw2", 3_600)):
        gateway = bed.gateway(name)
        for second in range(0, 600, 7):
            if second % step_s == 0:
                gateway.close_due(second * NS_PER_S)
            gateway.receive(TELEGRAM, second * NS_PER_S, -70.0)
        gateway.close_due(3_600 * NS_PER_S)
        outcomes.append(
            [(e.time_ns, e.sequence, e.telegrams) for e in bed.of(BundleClosed) if e.gateway == name]
        )
    assert outcomes[0] == outcomes[1] and len(outcomes[0]) > 5


@pytest.mark.parametrize("rssi_dbm", [-70.0, -100.123456789])
@pytest.mark.parametrize("length", [1, 40, 255])
def test_size_closes_before_the_limit(bed: Bed, length: int, rssi_dbm: float) -> None:
    """No bundle is larger than its limit, and each has all telegrams that certainly fit, whatever their numbers."""
    gateway = bed.gateway(spec=replace(SPEC, bundle_count=10_000))
    for n in range(2_000):
        gateway.receive(bytes(length), n + 10**18, rssi_dbm)
    closed = bed.of(BundleClosed)
    assert closed and all(event.size_bytes <= SPEC.bundle_bytes for event in closed)
    fit = (SPEC.bundle_bytes - envelope_bytes_max("gw1")) // (2 * length + TELEGRAM_OVERHEAD_BYTES)
    assert {event.telegrams for event in closed} == {fit}
    assert closed[0].size_bytes == len(gateway.outbox.waiting()[0][1])


def test_nothing_is_published_before_the_portal_can_be_reached_and_birth_comes_first(bed: Bed) -> None:
    gateway = bed.gateway()
    for n in range(10):
        gateway.receive(TELEGRAM, n, -70.0)
    gateway.pump(0)
    assert gateway.waiting == (1,) and not gateway.session.connected
    assert bed.settle()
    assert bed.portal.births == [("gw1", "gw1.1", 1, 0)]


def test_a_birth_that_the_broker_took_and_lost_is_said_again_until_the_portal_has_it(tmp_path: Path) -> None:
    """Nobody is subscribed when it comes, as on a broker that was killed and forgot the portal: it has a PUBACK and no
    receiver. Then the portal is there, and away from its desk for two hours."""
    endpoint = Memory()
    gateway = VirtualGateway(
        "gw1", SPEC, tmp_path / "gw1.db", lambda: endpoint.connect(endpoint.identity("gw1"), subscribe=("gw/gw1/ack",)),
        lambda _: None, portal_key=(statements := StatementKey()).public,
    )  # fmt: skip

    def at(second: float) -> None:
        def turn() -> bool:
            gateway.pump(ns(second))
            if portal is not None:
                portal.pump()
            return False

        endpoint.settle(turn, 0.05)

    portal: AckingPortal | None = None
    at(0)
    assert gateway.session.connects == 1 and gateway.session.unacknowledged == 0
    portal = AckingPortal(endpoint, statements)
    portal.away = True
    said = []
    for second in range(0, 7_200, 30):
        before = len(portal.births)
        at(second)
        said += [second] * (len(portal.births) - before)
    assert said == [60, 180, 420, 900, 1_860, 3_780]
    assert {(one.boot, one.connects) for one in portal.births} == {("gw1.1", 1)}
    portal.away = False
    at(7_200)
    at(7_500)
    at(30_000)
    assert len(portal.births) == len(said)


def test_only_the_portals_word_deletes(bed: Bed) -> None:
    gateway = bed.gateway()
    bed.portal.away = True
    for n in range(10):
        gateway.receive(TELEGRAM, n, -70.0)
    assert not bed.settle()
    assert gateway.session.unacknowledged == 0, "the broker acknowledged"
    assert gateway.waiting == (1,) and len(gateway.outbox.waiting()) == 1
    bed.portal.away = False
    assert bed.settle()
    assert gateway.waiting == () and [e.sequence for e in bed.of(BundleAcknowledged)] == [1]


def test_sent_again_after_a_reconnect_with_the_same_bytes(bed: Bed) -> None:
    gateway = bed.gateway()
    bed.portal.away = True
    for n in range(10):
        gateway.receive(TELEGRAM, n, -70.0)
    bed.settle()
    thief = bed.endpoint.connect(bed.endpoint.identity("gw1"))
    bed.settle(done=lambda: thief.connected)
    thief.close()
    bed.portal.away = False
    assert bed.settle()
    assert bed.portal.duplicates >= 1 and bed.portal.altered == 0
    assert [(one.boot, one.connects) for one in bed.portal.births] == [("gw1.1", 1), ("gw1.1", 2)]
    assert [event.state for event in bed.of(SessionChanged)][:3] == ["connected", "dropped", "connected"]


def test_a_power_cut_takes_the_open_bundle_and_nothing_else(bed: Bed) -> None:
    gateway = bed.gateway()
    bed.portal.away = True
    for n in range(13):
        gateway.receive(TELEGRAM, n, -70.0)
    bed.settle()
    gateway.power_cut(20)
    assert not gateway.up and len(gateway.open_bundle) == 0
    gateway.receive(TELEGRAM, 21, -70.0)
    gateway.pump(22)
    gateway.power_on(30)
    assert gateway.up and gateway.waiting == (1,)
    bed.portal.away = False
    for n in range(10):
        gateway.receive(TELEGRAM, 40 + n, -70.0)
    assert bed.settle(50)
    assert sorted(bed.portal.bundles) == [("gw1", 1), ("gw1", 2)]
    assert bed.portal.bundles["gw1", 2].heard[0].received_ns == 40
    assert bed.portal.births[-1][1] == "gw1.2"


@pytest.mark.parametrize(("cut_after_ns", "kept"), [(-1, ()), (0, (1,)), (1, (1,))])
def test_a_bundle_whose_age_came_before_the_power_cut_is_kept(
    bed: Bed, cut_after_ns: int, kept: tuple[int, ...]
) -> None:
    gateway = bed.gateway()
    gateway.receive(TELEGRAM, 5, -70.0)
    gateway.power_cut(5 + gateway.limits.age_ns + cut_after_ns)
    gateway.power_on(ns(1_000))
    assert gateway.waiting == kept


def test_a_number_is_not_used_again_after_a_power_cut(bed: Bed) -> None:
    gateway = bed.gateway()
    for cycle in range(3):
        for n in range(10):
            gateway.receive(TELEGRAM, 100 * cycle + n, -70.0)
        assert bed.settle()
        gateway.power_cut(0)
        gateway.power_on(0)
    assert [event.sequence for event in bed.of(BundleClosed)] == [1, 2, 3]
    assert len(bed.portal.bundles) == 3


def test_switched_off_and_on_again_in_order(bed: Bed, tmp_path: Path) -> None:
    gateway = bed.gateway()
    gateway.receive(TELEGRAM, 0, -70.0)
    gateway.flush(5)
    gateway.close()
    gateway.close()
    assert Outbox(tmp_path / "gw1.db").waiting()[0][0] == 1


def test_a_clone_is_another_device_under_the_same_name(bed: Bed) -> None:
    bed.gateway()
    bed.settle(done=lambda: len(bed.portal.births) == 1)
    bed.gateway(device="clone")
    bed.settle(done=lambda: len(bed.portal.births) >= 3)
    assert [one.boot for one in bed.portal.births[:3]] == ["gw1.1", "clone.1", "gw1.1"]


@pytest.mark.parametrize("with_others", [True, False])
def test_a_bundle_the_broker_drops_is_quarantined_and_blocks_nobody(tmp_path: Path, with_others: bool) -> None:
    bed = Bed(tmp_path, MemorySpec(max_message_bytes=2_000))
    gateway = bed.gateway(spec=replace(SPEC, bundle_count=20))
    gateway.receive(TELEGRAM, 0, -70.0)
    gateway.flush(1)
    assert bed.settle(2)
    for n in range(20):
        gateway.receive(bytes(80), 3 + n, -70.0)  # 20 * (160 + overhead) > 2 000
    if with_others:
        for n in range(3):
            gateway.receive(TELEGRAM, 100 + n, -70.0)
            gateway.flush(100 + n)
    minutes = 0
    while gateway.waiting and minutes < 5:
        bed.settle(200 + minutes * ns(61))
        minutes += 1
    assert gateway.waiting == () and minutes <= 2
    assert [event.sequence for event in bed.of(BundleQuarantined)] == [2]
    assert [item.sequence for item in gateway.outbox.quarantined()] == [2]
    assert ("gw1", 2) not in bed.portal.bundles
    gateway.power_cut(0)
    gateway.power_on(0)
    assert gateway.waiting == (), "quarantine outlasts a power cut"


def test_an_absent_portal_brings_nothing_into_quarantine(bed: Bed) -> None:
    gateway = bed.gateway()
    bed.portal.away = True
    for n in range(50):
        gateway.receive(TELEGRAM, n, -70.0)
    for hour in range(20):
        bed.settle(hour * ns(3_600))
    assert gateway.waiting == (1, 2, 3, 4, 5) and not bed.of(BundleQuarantined)
    bed.portal.away = False
    assert bed.settle(21 * ns(3_600))
    assert sorted(bed.portal.bundles) == [("gw1", n) for n in range(1, 6)] and bed.portal.altered == 0


def test_noise_on_its_topic_deletes_nothing(bed: Bed) -> None:
    gateway = bed.gateway()
    bed.portal.away = True
    for n in range(10):
        gateway.receive(TELEGRAM, n, -70.0)
    bed.settle()
    for payload in (b"", b"[]", b'{"v":1,"ack":[[1,"x"]]}', b'{"v":2,"ack":"1"}', b'{"v":2,"ack":[1]}', b"\xff" * 100):
        bed.portal.session.publish("gw/gw1/ack", payload)
    bed.settle()
    assert gateway.waiting == (1,)


def test_a_full_disk_keeps_what_was_closed_and_publishes_nothing(bed: Bed) -> None:
    gateway = bed.gateway(spec=replace(SPEC, bundle_count=1))
    bed.portal.away = True
    assert bed.settle(0, lambda: gateway.session.connected)
    gateway.pump(0)
    birth = gateway.session.unacknowledged
    gateway.outbox._db.execute("PRAGMA max_page_count = 1")
    for n in range(200):
        gateway.receive(bytes(255), n, -70.0)
    with pytest.raises(OutboxError, match="free some space"):
        gateway.pump(300)
    assert gateway.session.unacknowledged == birth and len(gateway.waiting) == 200
    gateway.outbox._db.execute("PRAGMA max_page_count = 100000")
    bed.portal.away = False
    assert bed.settle(301)
    assert sum(len(bundle.heard) for bundle in bed.portal.bundles.values()) == 200


def test_it_is_keyless() -> None:
    """No file of the gateway's imports the protocol, let alone a key."""
    for path in Path("sim/gateway").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("wmbus", "Crypto", "cryptography") for name in names), path


def test_only_the_portals_signature_counts(tmp_path: Path) -> None:
    """What it signed for another gateway, another list under its signature, another's key, none: each is refused, and
    the first is told at once."""
    bed = Bed(tmp_path)
    bed.portal.away = True
    gateway = bed.gateway()
    gateway.receive(TELEGRAM, 0, -70.0)
    gateway.flush(1)
    assert bed.settle(1, lambda: len(bed.portal.bundles) == 1)
    mark = Taken(1, digest(bed.portal.payloads["gw1", 1]))
    sign, own = bed.portal.statements.sign, Ack("gw1", (mark,))
    other = Ack("gw2", (mark,)).signed(sign)
    forged = [
        own, own.signed(StatementKey().sign), other, own._replace(signature=other.signature),
        own.signed(sign)._replace(taken=(mark, Taken(2, mark.digest))), Ack("gw1", ()).signed(StatementKey().sign),
    ]  # fmt: skip
    for count, ack in enumerate(forged, start=1):
        bed.portal.session.publish("gw/gw1/ack", ack.encode())
        assert bed.settle(2, lambda count=count: len(bed.of(AcknowledgementRefused)) == count)
        assert gateway.waiting == (1,)
    assert bed.settle(3, lambda: len(bed.portal.births) == 2)
    assert [birth.refused for birth in bed.portal.births] == [0, 1]
    bed.portal.session.publish("gw/gw1/ack", own.signed(sign).encode())
    assert bed.settle(4)
    thief = bed.endpoint.connect(bed.endpoint.identity("gw1"))
    bed.settle(5, lambda: thief.connected)
    thief.close()
    assert bed.settle(5, lambda: len(bed.portal.births) == 3)
    assert bed.portal.births[-1].refused == len(forged)


def test_a_gateway_that_verifies_nothing_believes_anybody(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.portal.away = True
    gateway = bed.gateway(spec=replace(SPEC, verify_acks=False), portal_key=b"")
    gateway.receive(TELEGRAM, 0, -70.0)
    gateway.flush(1)
    assert bed.settle(1, lambda: len(bed.portal.bundles) == 1)
    ack = Ack("gw1", (Taken(1, digest(bed.portal.payloads["gw1", 1])),))
    bed.portal.session.publish("gw/gw1/ack", ack.encode())
    assert bed.settle(2)
