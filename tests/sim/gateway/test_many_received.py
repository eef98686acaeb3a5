"""Telegrams received at once are what they are one after the other: the same bundles, at the same instants."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.core.bundle import envelope_bytes_max
from sim.core.events import Event
from sim.endpoint.kinds.memory import Memory
from sim.gateway import bundling
from sim.gateway.bundling import NOT_YET, OpenBundle
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.sleeping import SleepingGateway, SleepingSpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.port import receives_many

AGE_NS = 50
Heard = list[tuple[int, int]]  # (ns since the one before, length in bytes)
HEARD = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 3, AGE_NS - 1, AGE_NS, AGE_NS + 1]), st.sampled_from([1, 11, 40, 41, 255])),
    min_size=1, max_size=60,
)  # fmt: skip


class FixedTimes(VirtualGateway):
    """Closes what is open at multiples of its period."""

    def closed_by_age_ns(self, bundle: OpenBundle, now_ns: int) -> int:
        due_ns = (bundle.opened_ns // AGE_NS + 1) * AGE_NS
        return due_ns if bundle.telegrams and now_ns >= due_ns else NOT_YET


class OfItsOwn(VirtualGateway):
    """Takes telegrams by a `receive` of its own."""

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        """Every one but the short ones."""
        if len(telegram) > 1:
            super().receive(telegram, received_ns, rssi_dbm)


def exhaust(places: Iterator[int]) -> None:
    for _ in places:
        pass


@contextlib.contextmanager
def opened(kind: type[VirtualGateway], spec: GatewaySpec) -> Iterator[tuple[VirtualGateway, list[Event]]]:
    endpoint, events = Memory(), list[Event]()
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder) / "gw1.db"
        gateway = kind("gw1", spec, disk, lambda: endpoint.connect(endpoint.identity("gw1")), events.append)
        with contextlib.closing(gateway):
            yield gateway, events


@pytest.mark.parametrize("kind", [VirtualGateway, FixedTimes])
@given(heard=HEARD, cuts=st.sets(st.integers(0, 60)), count=st.integers(1, 12), telegrams_bytes=st.integers(700, 2_000),
       shadow=st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_many_at_once_are_one_after_the_other(
    kind: type[VirtualGateway], heard: Heard, cuts: set[int], count: int, telegrams_bytes: int, shadow: bool
) -> None:
    spec = GatewaySpec(bundle_age_s=AGE_NS / 1e9, bundle_count=count, clock_offset_s=3.0, shadow=shadow,
                       bundle_bytes=telegrams_bytes + envelope_bytes_max("gw1"))  # fmt: skip
    at_ns = list(accumulate(since for since, _ in heard))
    telegrams = [bytes([place]) * length for place, (_, length) in enumerate(heard)]
    levels = [-70.0 - place / 4 for place in range(len(heard))]
    with opened(kind, spec) as (single, told), opened(kind, spec) as (many, told_many):
        for one in zip(telegrams, at_ns, levels, strict=True):
            single.receive(*one)
        for begin, end in pairwise(sorted({0, len(heard)} | {cut for cut in cuts if cut < len(heard)})):
            exhaust(many.receive_all(telegrams[begin:end], at_ns[begin:end], levels[begin:end]))
        assert many.open_bundle == single.open_bundle
        for gateway in (single, many):
            gateway.flush(at_ns[-1] + 1)
        assert told_many == told
        assert many.outbox.waiting() == single.outbox.waiting()
        if shadow:
            boot = [one._report.said(backlog=0, quarantined=0) for one in (single, many) if one._report is not None]
            assert boot[0] == boot[1]


def test_few_questions_answer_for_many_telegrams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle asks as often as its telegrams can be halved, some times over."""
    asked, admit = [0], bundling.admit

    def counted(*told: object) -> bundling.Admission:
        asked[0] += 1
        return admit(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(bundling, "admit", counted)
    with opened(VirtualGateway, GatewaySpec(bundle_age_s=3_600.0, bundle_count=2_000, bundle_bytes=120_000)) as (
        one,
        told,
    ):
        exhaust(one.receive_all([bytes(40)] * 2_000, list(range(2_000)), [-70.0] * 2_000))
        assert told and asked[0] < 100


def test_a_gateway_without_power_hears_nothing() -> None:
    with opened(VirtualGateway, GatewaySpec()) as (gateway, _):
        gateway.power_cut(0)
        exhaust(gateway.receive_all([bytes(40)], [1], [-70.0]))
        assert gateway.open_bundle == ()


def test_a_kind_with_a_receive_of_its_own_is_called_for_each() -> None:
    with opened(VirtualGateway, GatewaySpec()) as (gateway, _):
        assert receives_many(gateway) is gateway
    with opened(FixedTimes, GatewaySpec()) as (gateway, _):
        assert receives_many(gateway) is gateway
    with opened(OfItsOwn, GatewaySpec()) as (gateway, _):
        assert receives_many(gateway) is None
    with opened(SleepingGateway, SleepingSpec()) as (gateway, _):
        assert receives_many(gateway) is None
