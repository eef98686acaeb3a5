"""What counts as a message, an operation of a shadow or a rule, and the bounds of a unit; the published worked figures
stand in tests/sim/billing/test_plan_cost.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sim.endpoint.aws.bill import Meter, bill, units


@pytest.mark.parametrize(("size", "wanted"), [(0, 1), (1, 1), (5_120, 1), (5_121, 2), (10_240, 2), (131_072, 26)])
def test_units(size: int, wanted: int) -> None:
    assert units(0, size) == units(size, 0) == wanted


def test_what_is_published_is_a_message_an_operation_of_a_shadow_or_a_rule_s() -> None:
    meter = Meter()
    for topic, size in (
        ("gw/gw1/up", 5_120), ("$aws/things/gw1/shadow/update", 40), ("$aws/things/gw1/shadow/name/a/get", 0),
        ("$aws/things/gw1/shadow/update/accepted", 40), ("$aws/rules/portal/gw/gw1/up", 9_000), ("fence/gw1", 9),
    ):  # fmt: skip
        meter.published(topic, size)
    assert meter == Meter(messages=3, shadow_operations=2)


def test_each_kind_of_operation_has_its_price() -> None:
    made = bill(Meter(messages=10**6, connected_s=60 * 10**6, shadow_operations=10**6, rules=10**6, actions=10**6))
    assert (made.messages, made.connection, made.shadows, made.rules, made.actions) == tuple(
        map(Decimal, ("1.00", "0.08", "1.25", "0.15", "0.15"))
    )
    assert Meter(1, 2.0, 3, 4, 5) + Meter(1, 1.0, 1, 1, 1) == Meter(2, 3.0, 4, 5, 6)
