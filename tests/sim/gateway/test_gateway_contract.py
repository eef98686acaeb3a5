"""What every kind of gateway does, and what those with a feature do. Every kind that is found in sim/gateway/kinds is
put through it, on the embedded broker; what arrived is judged at the portal. Real gateways pass with the wall's clock
and are put through a suite of their own (tests/sim/desk)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args

import pytest

from sim.core.clock import ns
from sim.core.events import BundleClosed, BundleQuarantined, Event
from sim.endpoint.kinds.memory import Memory, MemorySpec
from sim.gateway.bundling import limits_of
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.port import GatewayFeature, GatewayPort, Wiring
from sim.gateway.registry import GATEWAYS
from tests.sim.gateway.doubles import AckingPortal

KINDS = {id_: kind for id_, kind in GATEWAYS.parts().items() if not kind.real}
TELEGRAM = bytes(range(40))
Test = TypeVar("Test", bound=Callable[..., None])


def needs(*features: GatewayFeature) -> Callable[[Test], Test]:
    """Only kinds with these features are put through the test."""

    def marked(test: Test) -> Test:
        test.__dict__["needs"] = features
        return test

    return marked


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        wanted = set(getattr(metafunc.function, "needs", ()))
        metafunc.parametrize("kind", [id_ for id_, kind in KINDS.items() if wanted <= kind.features])


class Bed:
    """One gateway of a kind, an embedded broker and an acknowledging portal."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind, self.directory = KINDS[kind], directory
        self.endpoint = Memory(spec=MemorySpec(max_message_bytes=2_000))
        self.portal = AckingPortal(self.endpoint)
        self.events: list[Event] = []
        self.spec: GatewaySpec = self.kind.spec(bundle_age_s=60.0, bundle_count=10, bundle_bytes=2_000)
        self.gateway = self.opened()

    def opened(self) -> GatewayPort:
        key = self.portal.statements.public
        return self.kind.open("gw1", self.spec, Wiring(self.directory, self._dial, self.events.append, key))

    def _dial(self) -> Any:
        return self.endpoint.connect(self.endpoint.identity("gw1"), subscribe=("gw/gw1/ack",))

    def settle(self, now_ns: int = 0) -> bool:
        def turn() -> bool:
            self.gateway.pump(now_ns)
            self.portal.pump()
            return not self.gateway.waiting

        return self.endpoint.settle(turn, 10)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bed(kind: str, tmp_path: Path) -> Iterator[Bed]:
    made = Bed(kind, tmp_path)
    yield made
    made.gateway.close()


def test_a_gateway_is_on_when_it_is_made_and_off_when_it_is_closed(bed: Bed) -> None:
    assert bed.gateway.id == "gw1" and bed.gateway.up
    assert bed.gateway.waiting == () and len(bed.gateway.open_bundle) == 0
    bed.gateway.close()
    bed.gateway.close()
    assert not bed.gateway.up


@needs("forwards_encrypted")
def test_telegrams_arrive_unchanged_with_time_and_strength(bed: Bed) -> None:
    heard = [(bytes([n]) * (20 + n), n * 1_000, -60.0 - n / 4) for n in range(10)]
    for telegram, received_ns, rssi_dbm in heard:
        bed.gateway.receive(telegram, received_ns, rssi_dbm)
    bed.gateway.flush(10_000)
    assert bed.settle(10_000)
    arrived = [one for _, bundle in sorted(bed.portal.bundles.items()) for one in bundle.heard]
    assert [(h.telegram, h.received_ns, h.rssi_dbm) for h in arrived] == heard


@needs("birth")
def test_the_birth_comes_before_the_first_bundle_and_counts_power_ons(bed: Bed) -> None:
    bed.gateway.receive(TELEGRAM, 0, -70.0)
    bed.gateway.flush(1)
    assert bed.settle(1)
    bed.gateway.power_cut(2)
    bed.gateway.power_on(3)
    bed.gateway.receive(TELEGRAM, 4, -70.0)
    bed.gateway.flush(5)
    assert bed.settle(5)
    (_, first, one, _), (_, second, again, _) = bed.portal.births
    assert first != second and (one, again) == (1, 1)


@needs("always awake")
def test_equal_telegrams_go_on_as_often_as_they_are_received(bed: Bed) -> None:
    assert bed.gateway.waking is None and bed.gateway.thinning is None
    for n in range(3):
        bed.gateway.receive(TELEGRAM, n, -70.0)
    assert bed.gateway.open_bundle == (TELEGRAM,) * 3


@needs("bundling rule")
def test_bundles_close_by_the_rule(bed: Bed) -> None:
    limits = limits_of(bed.spec, "gw1")
    for n in range(limits.telegrams):
        bed.gateway.receive(TELEGRAM[:1], n, -70.0)
    assert len(bed.gateway.open_bundle) == 0, "closed by its count"
    begun_ns = ns(1)
    bed.gateway.receive(TELEGRAM, begun_ns, -70.0)
    bed.gateway.close_due(begun_ns + limits.age_ns - 1)
    assert len(bed.gateway.open_bundle) == 1
    bed.gateway.close_due(begun_ns + limits.age_ns + 5)
    assert [event.time_ns for event in bed.of(BundleClosed)] == [limits.telegrams - 1, begun_ns + limits.age_ns]
    for n in range(12):
        bed.gateway.receive(bytes(150), ns(100) + n, -70.0)
    assert all(event.size_bytes <= bed.spec.bundle_bytes for event in bed.of(BundleClosed))
    assert len(bed.of(BundleClosed)) > 3, "closed by their size"


@needs("custody")
def test_only_an_acknowledgement_of_the_portal_ends_custody(bed: Bed) -> None:
    bed.portal.away = True
    bed.gateway.receive(TELEGRAM, 0, -70.0)
    bed.gateway.flush(1)
    assert not bed.settle(1)
    assert bed.gateway.session.unacknowledged == 0, "the broker acknowledged"
    assert bed.gateway.waiting == (1,)
    bed.portal.away = False
    assert bed.settle(2)
    assert bed.gateway.waiting == ()


@needs("power_cut", "custody")
def test_a_power_cut_takes_the_open_bundle_and_nothing_else(bed: Bed) -> None:
    bed.portal.away = True
    bed.gateway.receive(TELEGRAM, 0, -70.0)
    bed.gateway.flush(1)
    bed.gateway.receive(TELEGRAM, 2, -70.0)
    bed.gateway.power_cut(3)
    assert not bed.gateway.up and len(bed.gateway.open_bundle) == 0
    bed.gateway.receive(TELEGRAM, 4, -70.0)
    bed.gateway.pump(4)
    bed.gateway.power_on(5)
    assert bed.gateway.up and bed.gateway.waiting == (1,)
    bed.gateway.receive(TELEGRAM, 6, -70.0)
    bed.gateway.flush(7)
    bed.portal.away = False
    assert bed.settle(8)
    assert [(key, [h.received_ns for h in bundle.heard]) for key, bundle in sorted(bed.portal.bundles.items())] == [
        (("gw1", 1), [0]), (("gw1", 2), [6]),
    ]  # fmt: skip


@needs("custody")
def test_what_was_closed_outlasts_the_process(bed: Bed) -> None:
    bed.gateway.receive(TELEGRAM, 0, -70.0)
    bed.gateway.flush(1)
    bed.gateway.close()
    bed.gateway = bed.opened()
    assert bed.gateway.waiting == (1,)
    assert bed.settle(2)


@needs("quarantine")
def test_what_the_broker_drops_is_quarantined_and_blocks_nothing(bed: Bed) -> None:
    bed.gateway.receive(TELEGRAM, 0, -70.0)
    bed.gateway.flush(1)
    assert bed.settle(2)
    bed.endpoint.spec = MemorySpec(max_message_bytes=1_024)
    for n in range(4):
        bed.gateway.receive(bytes([n]) * 150, 3 + n, -70.0)
    bed.gateway.flush(8)
    bed.gateway.receive(TELEGRAM[::-1], 9, -70.0)
    bed.gateway.flush(10)
    for minute in range(1, 6):
        bed.settle(ns(61.0 * minute))
    assert bed.gateway.waiting == () and bed.gateway.quarantined == (2,)
    assert [event.sequence for event in bed.of(BundleQuarantined)] == [2]
    assert sorted(sequence for _, sequence in bed.portal.bundles) == [1, 3]


@needs("shadow")
def test_its_shadow_hears_of_it_and_of_no_meter(bed: Bed) -> None:
    told: list[tuple[str, bytes]] = []
    bed.endpoint.taps.append(lambda client, topic, payload: told.append((topic, payload)))
    bed.gateway.close()
    bed.spec = replace(bed.spec, shadow=True, firmware="2.7")
    bed.gateway = bed.opened()
    bed.gateway.receive(TELEGRAM, 0, -70.0)
    bed.gateway.flush(1)
    assert bed.settle(2)
    updates = [payload for topic, payload in told if topic == "$aws/things/gw1/shadow/update"]
    reported = json.loads(updates[-1])["state"]["reported"]
    assert (reported["firmware"], reported["meters"], reported["last_heard_ns"]) == ("2.7", 1, 0)
    assert not any(TELEGRAM[2:10] in one or TELEGRAM[2:10].hex().encode() in one for one in updates)


# --- the registry ----------------------------------------------------------------------------------------------


def test_each_feature_that_a_gateway_may_have_has_a_test() -> None:
    tested = {one for test in globals().values() for one in getattr(test, "needs", ())}
    assert tested == set(get_args(GatewayFeature))


def test_a_kind_is_what_its_gateways_are(kind: str, bed: Bed) -> None:
    assert bed.gateway.features == KINDS[kind].features
    assert KINDS[kind].spec().kind == kind and KINDS[kind].title


def test_settings_of_another_kind_are_refused(kind: str, tmp_path: Path) -> None:
    wiring = Wiring(tmp_path, lambda: pytest.fail("dialled"), lambda _: None, b"")
    with pytest.raises(TypeError, match=KINDS[kind].spec.__name__):
        KINDS[kind].open("gw1", MemorySpec(), wiring)  # type: ignore[arg-type]
