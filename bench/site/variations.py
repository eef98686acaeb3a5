"""What interval, bundling and thinning do to a plan: the same service, one of them changed at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from bench.site.budget import Paths
from bench.site.placement import fewest
from bench.site.service import Service, Traffic, chances
from bench.site.upstream import Upstream, of_gateway
from sim.network.backhaul import Backhaul

INTERVALS_S: Final = (120.0, 900.0, 3_600.0, 14_400.0)
BUNDLES_S: Final = (60.0, 900.0, 3_600.0, 21_600.0)
THINS_S: Final = (0.0, 3_600.0, 21_600.0, 43_200.0)


class Row(NamedTuple):
    """`gateways` None: no number of gateways reaches the service. `each`: what each of them sends."""

    what: str
    value_s: float
    gateways: int | None
    load_erlang: float
    each: tuple[Upstream, ...]


class Fixed(NamedTuple):
    """What no change touches: the ways on the air, a receiver's model and sensitivity, a telegram's bytes, the way to
    the broker."""

    paths: Paths
    model: Any
    sensitivity_dbm: float
    telegram_bytes: float
    backhaul: Backhaul


def rows(fixed: Fixed, service: Service) -> Iterator[Row]:
    """One after the other; the same traffic is searched once."""
    known: dict[Traffic, Row] = {}
    changes = (("interval_s", INTERVALS_S), ("bundle_s", BUNDLES_S), ("thin_s", THINS_S))
    for what, values in changes:
        now = getattr(service.traffic, what)
        for value in sorted({*values, now}):
            traffic = service.traffic._replace(**{what: value})
            if traffic not in known:
                known[traffic] = _row(what, value, fixed, service._replace(traffic=traffic))
            yield known[traffic]._replace(what=what, value_s=value)


def _row(what: str, value: float, fixed: Fixed, service: Service) -> Row:
    air = fixed.paths, fixed.model, fixed.sensitivity_dbm
    clauses, load = chances(*air, service)
    chosen = fewest(clauses, service.hang)
    if chosen is None:
        return Row(what, value, None, load, ())
    arrive = service.arrive(*air, load)
    sent = service.traffic, fixed.telegram_bytes, fixed.backhaul
    each = tuple(of_gateway(arrive[:, at], *sent) for at in chosen)
    return Row(what, value, len(chosen), load, each)


def as_json(found: Sequence[Row], costs: Sequence[float | None]) -> list[dict[str, Any]]:
    """`costs`: of a meter and year, a row each."""
    return [
        {"what": one.what, "value_s": one.value_s, "gateways": one.gateways, "load_erlang": round(one.load_erlang, 5),
         "messages_a_day": round(sum(each.messages for each in one.each), 1),
         "wire_bytes_a_day": round(sum(each.wire_bytes for each in one.each)), "a_meter_and_year": cost}
        for one, cost in zip(found, costs, strict=True)
    ]  # fmt: skip
