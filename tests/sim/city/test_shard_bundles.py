"""Bundles of many gateways close, are lost and leave at the very instants at which one gateway's do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sim.city.plan import CityLimit, CityPlan
from sim.city.shard_bundles import Bundles
from sim.core.clock import NS_PER_S
from sim.core.events import BundleClosed, Event
from sim.core.history import FrameBatch
from sim.endpoint.kinds.memory import Memory
from sim.gateway.bundling import limits_of
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.registry import GATEWAYS
from sim.meters.fleet_spec import FleetSpec
from sim.world_spec import WorldSpec

pytest.importorskip("numba")

SPEC = WorldSpec(
    "two", "Two gateways, names out of order", (FleetSpec("a", "vipa-c10", 4),),
    (GatewaySpec("z", count=1, bundle_age_s=10.0), GatewaySpec("a", count=1, bundle_age_s=10.0)),
)  # fmt: skip
Z, A = 0, 1


def bundles(*down_of_z: tuple[float, float]) -> Bundles:
    down = [[(round(begin * 1e9), round(end * 1e9)) for begin, end in down_of_z], []]
    own = np.array([True, True, True, False])
    return Bundles(SPEC, np.array([Z, A]), own, np.zeros(4, dtype=np.int64), down)


def hear(made: Bundles, *heard: tuple[float, int, int, int]) -> None:
    """(second, meter, k, receiver) each."""
    made.hear(FrameBatch.of([(round(at * 1e9), meter, k, r, 0, -7_000, 50) for at, meter, k, r in heard]))


def taken(made: Bundles, at_s: float, *, last: bool = False) -> list[int]:
    return sorted(made.take(round(at_s * 1e9), last=last).k.tolist())


def test_who_comes_when_the_bundle_is_old_enough_is_in_the_next() -> None:
    made = bundles()
    hear(made, (1.0, 0, 0, Z), (10.9, 0, 1, Z), (11.0, 0, 2, Z))
    assert taken(made, 11.0) == [0, 1]
    assert taken(made, 20.9) == []
    assert taken(made, 21.0) == [2]


@pytest.mark.parametrize(("cut_s", "left", "lost"), [(11.0, [0], 0), (10.999_999_999, [], 1), (1.5, [], 1)])
def test_a_cut_loses_what_was_not_closed_before(cut_s: float, left: list[int], lost: int) -> None:
    made = bundles((cut_s, 20.0))
    hear(made, (1.0, 0, 0, Z), (1.2, 3, 9, Z))  # the second is the guard's
    assert taken(made, 19.0) == []
    assert taken(made, 20.0) == left
    assert made.lost == lost


def test_what_comes_after_a_short_cut_is_kept() -> None:
    made = bundles((5.0, 5.2))
    hear(made, (4.0, 0, 0, Z), (5.5, 0, 1, Z))
    assert taken(made, 30.0) == [1]
    assert made.lost == 1


def test_the_end_closes_what_is_open_but_for_who_is_down() -> None:
    made = bundles((6.0, 9_000.0))
    hear(made, (1.0, 0, 0, Z), (2.0, 1, 1, A), (3.0, 2, 2, A))
    assert taken(made, 8.0) == []
    assert taken(made, 9.0, last=True) == [1, 2]


def test_a_take_is_by_meter_then_number_then_name() -> None:
    made = bundles()
    hear(made, (1.0, 2, 0, Z), (1.5, 0, 1, Z), (1.0, 2, 0, A), (2.0, 1, 0, A))
    hear(made, (0.5, 0, 0, A), (1.6, 3, 0, A))
    out = made.take(40 * NS_PER_S)
    rows = list(zip(out.meter.tolist(), out.k.tolist(), out.slot.tolist(), strict=True))
    assert rows == [(0, 0, 0), (0, 1, 1), (1, 0, 0), (2, 0, 0), (2, 0, 1)]
    assert made.names == ("a-0001", "z-0001")


def test_bundles_close_as_a_gateways_do_at_every_bound(tmp_path: Path) -> None:
    """Telegrams that come at an age's bound, less and more by a nanosecond, and of lengths that fill a bundle to its
    last byte; bundles of one gateway against those of a shard."""
    group = GatewaySpec("z", bundle_age_s=10.0, bundle_count=4, bundle_bytes=1_000, clock_offset_s=-3.0)
    limits = limits_of(group, "z-0001")
    room = limits.size_bytes
    rng = np.random.default_rng(7)
    at_ns, heard = 1, []
    for k in range(600):
        step = rng.choice([1, limits.age_ns - 1, limits.age_ns, limits.age_ns + 1, limits.age_ns // 3])
        length = int(rng.choice([1, 50, 150, (room // 2 - 51) // 2, (room - 2 * 51) // 4, (room - 2 * 51) // 4 + 1]))
        at_ns += int(step)
        heard.append((at_ns, k, length))
    spec = WorldSpec("one", "One gateway", SPEC.fleet, (group,))
    made = Bundles(spec, np.array([0]), np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.int64), [[]])
    sequences: dict[int, int] = {}
    for begin in range(0, len(heard), 37):
        part = heard[begin : begin + 37]
        made.hear(FrameBatch.of([(ns, 0, k, 0, 0, -7_000, length) for ns, k, length in part]))
        last = begin + 37 >= len(heard)
        taken_ = made.take(part[-1][0] + 1, last=last)
        sequences |= dict(zip(taken_.k.tolist(), taken_.sequence.tolist(), strict=True))
    endpoint, events = Memory(), list[Event]()
    gateway = VirtualGateway(
        "z-0001", group, tmp_path / "z.db", lambda: endpoint.connect(endpoint.identity("z-0001")), events.append
    )
    for ns, _, length in heard:
        gateway.receive(bytes(length), ns, -70.0)
    gateway.flush(heard[-1][0] + 1)
    counts = [event.telegrams for event in events if isinstance(event, BundleClosed)]
    gateway.close()
    assert counts == np.bincount([sequences[k] for k in range(len(heard))]).tolist()
    assert set(counts) == {1, 2, 3, 4}


def test_gateways_whose_bundles_close_otherwise_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    virtual = GATEWAYS.find("virtual")
    other = dataclasses.replace(virtual, id="other", features=virtual.features - {"bundling rule"})
    monkeypatch.setattr(GATEWAYS, "_parts", {"virtual": virtual, "other": other})
    spec = dataclasses.replace(SPEC, gateway=(SPEC.gateway[0], GatewaySpec("b", kind="other")))
    CityPlan(SPEC, 1, NS_PER_S, "readings").refuse()
    CityPlan(spec, 1, NS_PER_S, "bytes").refuse()
    with pytest.raises(CityLimit, match="'other'"):
        CityPlan(spec, 1, NS_PER_S, "readings").refuse()
