"""What a plan costs: a line for each price, the sum, and how it moves with thinning and bundling. Pure.

The rule kept here: a line whose price is missing or old is marked and the rest still answered; a sum with a line
missing is "at least". Money is exact until it is printed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sim.billing.plan_spec import Plan
from sim.endpoint.aws.bill import UNIT_BYTES, cents, units

THINNED_A_DAY: Final = (1.0, 4.0, 24.0, 96.0)
BUNDLED_S: Final = (60.0, 900.0, 3_600.0, 86_400.0)
RECURRING: Final = ("aws-iot-core", "servers", "sim-prepaid", "sim-monthly", "bought", "power")


@dataclass(frozen=True, slots=True)
class Line:
    """`a_year`: None where the price is missing. `marks`: what is to be known of it, in words."""

    kind: str
    a_year: Decimal | None
    note: str
    source: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """`bytes_a_day`: of one gateway. `absent`: kinds of cost that the plan does not name."""

    plan: Plan
    lines: tuple[Line, ...]
    absent: tuple[str, ...]

    @property
    def a_year(self) -> Decimal:
        return sum((line.a_year for line in self.lines if line.a_year is not None), Decimal(0))

    @property
    def a_meter_and_year(self) -> Decimal:
        return self.a_year / self.plan.meters

    @property
    def whole(self) -> bool:
        """No price is missing."""
        return all(line.a_year is not None for line in self.lines)


def answer(plan: Plan) -> Answer:
    """The costs of a plan."""
    sent = plan.sent()
    lines = []
    for one in plan.cost:
        cost, age_days = one.cost(sent), (plan.on - one.dated).days
        marks = [] if cost.a_year is not None else ["no price"]
        if age_days > plan.old_after_days:
            marks.append(f"old: of {one.dated}, {age_days} days before the plan")
        elif age_days < 0:
            marks.append(f"of {one.dated}, after the day of the plan")
        lines.append(Line(one.kind, cost.a_year, cost.note, f"{one.dated}, {one.source}", tuple(marks)))
    named = {line.kind for line in lines}
    return Answer(plan, tuple(lines), tuple(kind for kind in RECURRING if kind not in named))


@dataclass(frozen=True, slots=True)
class Point:
    """`units`: of 5120 bytes a message; `spare_bytes`: by how much the payload could grow for the same units."""

    telegrams_a_day: float
    bundle_s: float
    payload_bytes: int
    units: int
    spare_bytes: int
    bytes_a_day: Decimal
    a_meter_and_year: Decimal


def curve(plan: Plan) -> Iterator[Point]:
    """The plan with other thinning and bundling, all else equal."""
    for telegrams in THINNED_A_DAY:
        for bundle_s in BUNDLED_S:
            traffic = dataclasses.replace(plan.traffic, telegrams_a_day=telegrams, bundle_s=bundle_s)
            other = dataclasses.replace(plan, traffic=traffic)
            sent = other.sent()
            size = units(sent.topic_bytes, sent.payload_bytes)
            spare = size * UNIT_BYTES - sent.topic_bytes - sent.payload_bytes
            yield Point(
                telegrams, bundle_s, sent.payload_bytes, size, spare, sent.bytes_a_day, answer(other).a_meter_and_year
            )


def small(money: Decimal | float) -> str:
    """Of a meter and year, to a tenth of a cent, or to three digits where that is less."""
    value = float(money)
    return f"{value:.3f}" if abs(value) >= 0.1 or not value else f"{value:.3g}"


def told(of: Answer) -> list[str]:
    """The answer for people."""
    plan, sent = of.plan, of.plan.sent()
    currency = plan.currency
    lines = [
        f"{plan.title}: {plan.meters:,} meters, {plan.gateways:,} gateways, {plan.years} years, on {plan.on}",
        f"  a gateway sends {sent.messages_a_day:.1f} messages and {sent.bytes_a_day / 1000:.1f} kB a day",
        f"  {currency + ' a year':>14}",
    ]
    for line in of.lines:
        amount = "-" if line.a_year is None else cents(line.a_year)
        marks = "".join(f"  [{mark}]" for mark in line.marks)
        lines.append(f"  {amount:>14}  {line.kind:<13} {line.note}{marks}")
        lines.append(f"  {'':>14}  {'':<13} prices of {line.source}")
    least = "" if of.whole else "at least "
    lines.append(
        f"  {cents(of.a_year):>14}  {least}in all: {currency} {least}{small(of.a_meter_and_year)} a meter and year"
    )
    if of.absent:
        lines.append(f"  not in this plan: {', '.join(of.absent)}")
    lines.append(
        f"  {'telegrams/day':>14}  {'bundle s':>8}  {'payload':>8}  {'units':>5}  {'spare':>6}  {'kB/day':>9}  a meter"
    )
    for point in curve(plan):
        lines.append(
            f"  {point.telegrams_a_day:>14g}  {point.bundle_s:>8g}  {point.payload_bytes:>8}  {point.units:>5}  "
            f"{point.spare_bytes:>6}  {point.bytes_a_day / 1000:>9.1f}  {small(point.a_meter_and_year)}"
        )
    return lines


def as_json(of: Answer) -> dict[str, object]:
    """The answer for programs; money as text, of a meter to six places: a message costs a millionth."""
    mill = Decimal("0.000001")
    return {
        "title": of.plan.title, "currency": of.plan.currency, "on": str(of.plan.on), "whole": of.whole,
        "a_year": cents(of.a_year), "a_meter_and_year": str(of.a_meter_and_year.quantize(mill)),
        "lines": [
            {"kind": line.kind, "a_year": None if line.a_year is None else cents(line.a_year), "note": line.note,
             "source": line.source, "marks": list(line.marks)} for line in of.lines
        ],
        "absent": list(of.absent),
        "curve": [
            {"telegrams_a_day": p.telegrams_a_day, "bundle_s": p.bundle_s, "payload_bytes": p.payload_bytes,
             "units": p.units, "spare_bytes": p.spare_bytes, "bytes_a_day": float(p.bytes_a_day),
             "a_meter_and_year": str(p.a_meter_and_year.quantize(mill))} for p in curve(of.plan)
        ],
    }  # fmt: skip
