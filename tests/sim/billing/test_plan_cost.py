"""Costs of a plan: the worked figures of price pages to the cent, ends of AWS's units, prices missing and old."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.run_directory import ROOT
from sim.billing.costs import AwsIotCore, Bought, Power, Servers, SimMonthly, SimPrepaid
from sim.billing.plan_cost import answer, as_json, curve, small, told
from sim.billing.plan_spec import Plan, TrafficSpec, load
from sim.core.settings import SpecError
from sim.endpoint.aws.bill import US_EAST_1, bill, cents

DAY = date(2026, 6, 1)
AWS = AwsIotCore(DAY, "price page", "us-east-1", 1.0, 0.08, 0.15, 0.15)


def thousand(payload_bytes: int, *costs: Any) -> Plan:
    """A thousand gateways with a hundred meters each, a bundle of so many bytes every 900 s."""
    traffic = TrafficSpec(telegram_bytes=100, frame_bytes=payload_bytes - 10_000)
    return Plan("thousand", DAY, meters=100_000, gateways=1_000, traffic=traffic, cost=costs or (AWS,))


@pytest.mark.parametrize(
    ("payload_bytes", "units", "messages"),
    [(10_200, 2, "14.40"), (10_210, 2, "14.40"), (10_211, 3, "20.16"), (10_240, 3, "20.16")],
)
def test_the_worked_figures_of_aws_come_out_to_the_cent(payload_bytes: int, units: int, messages: str) -> None:
    plan = thousand(payload_bytes)
    month = AWS.month(plan.sent())
    told_ = bill(month, US_EAST_1)
    assert cents(told_.messages) == messages and told_.connection == Decimal("3.456")
    [line] = answer(plan).lines
    assert line.note.startswith(f"{units} units")
    assert line.a_year == (told_.messages + Decimal("3.456")) * 365 / 30


def test_basic_ingest_pays_rule_and_action_and_no_message() -> None:
    month = bill(dataclasses.replace(AWS, basic_ingest=True).month(thousand(10_200).sent()), US_EAST_1)
    assert (cents(month.messages), cents(month.rules), cents(month.actions)) == ("0.00", "0.86", "0.86")


def flats(telegrams_a_day: float, **more: Any) -> Plan:
    return Plan("flats", DAY, meters=377, traffic=TrafficSpec(telegrams_a_day, topic_bytes=1, **more), cost=(AWS,))


@pytest.mark.parametrize(
    ("telegrams", "kb_a_day", "days"), [(96.0, 3_040.1, 164.5), (4.0, 126.7, 3_947), (1.0, 31.7, 15_788)]
)
def test_thinning_decides_how_long_a_package_lasts(telegrams: float, kb_a_day: float, days: float) -> None:
    sent = flats(telegrams).sent()._replace(bytes_a_day=Decimal(377 * 84) * Decimal(telegrams))
    assert flats(telegrams).sent().bytes_a_day - sent.bytes_a_day == sent.messages_a_day  # the one byte of topic
    assert float(sent.bytes_a_day) / 1000 == pytest.approx(kb_a_day, abs=0.05)
    assert float(SimPrepaid(DAY, "x").lasts_days(sent)) == pytest.approx(days, rel=1e-3)


def test_a_package_is_bought_again_when_data_or_years_are_used_up() -> None:
    card = SimPrepaid(DAY, "x", mb=500, valid_years=10, price_a_package=14.0, price_a_card=2.5)
    for bytes_a_day, packages in [(136_986, 1), (136_987, 2), (273_972, 2), (273_973, 3), (1, 1)]:
        cost = card.cost(flats(4.0).sent()._replace(bytes_a_day=Decimal(bytes_a_day)))
        assert cost.a_year == (packages * Decimal(14) + Decimal("2.5")) / 10, bytes_a_day
    assert card.cost(flats(4.0).sent()._replace(years=11, bytes_a_day=Decimal(1))).note.startswith("2 packages")


def test_the_other_kinds_by_hand() -> None:
    sent = thousand(10_200).sent()
    assert Servers(DAY, "x", 2, 40.0, 3.0, 80.0).cost(sent).a_year == 12 * (80 + 240)
    assert Power(DAY, "x", 3.0, 0.30).cost(sent).a_year == Decimal("26.28") * 1_000 * Decimal("0.3")
    assert Bought("mast", DAY, "x", 100.0, lasts_years=9.0).cost(sent).a_year == 2 * 100 * 1_000 / 10
    assert Bought("key", DAY, "x", 1.0, each="meter").cost(sent).a_year == 10_000
    monthly = SimMonthly(DAY, "x", 1.0, 0.03, 3.0).cost(sent._replace(bytes_a_day=Decimal(1_000_000)))
    assert monthly.a_year == 1_000 * (12 + Decimal("10.95") + Decimal("0.3"))


def test_a_bundle_goes_when_it_is_full_and_not_without_a_telegram() -> None:
    sent = flats(96.0, bundle_s=86_400, bundle_bytes=131_072).sent()
    assert sent.messages_a_day == 24 and sent.payload_bytes == 126_672  # 3 040 128 bytes in 24 pieces
    assert Plan("one", DAY, traffic=TrafficSpec(1.0, bundle_s=60.0), cost=(AWS,)).sent().messages_a_day == 1


def test_a_missing_and_an_old_price_are_marked_and_the_rest_is_answered() -> None:
    old = dataclasses.replace(AWS, dated=date(2025, 5, 31))
    of = answer(thousand(10_200, old, Bought("mast", DAY, "x"), Power(DAY, "x", 3.0, 0.30)))
    assert [line.marks for line in of.lines] == [
        ("old: of 2025-05-31, 366 days before the plan",)[:0],
        ("no price",),
        (),
    ]
    of = answer(thousand(10_200, dataclasses.replace(old, dated=date(2025, 5, 30)), Bought("mast", DAY, "x")))
    assert of.lines[0].marks == ("old: of 2025-05-30, 367 days before the plan",) and of.lines[0].a_year
    assert (
        not of.whole
        and "at least" in "\n".join(told(of))
        and of.absent == ("servers", "sim-prepaid", "sim-monthly", "power")
    )


def test_spare_bytes_of_the_curve_end_where_the_next_unit_begins() -> None:
    for point in curve(thousand(10_200)):
        grown = point.payload_bytes + point.spare_bytes + 30
        assert grown == point.units * 5_120 and point.spare_bytes >= 0


def test_what_a_meter_costs_is_told_to_three_digits_however_little_it_is() -> None:
    assert [small(one) for one in (12.3456, 0.5294, 0.0017106, 0.0)] == ["12.346", "0.529", "0.00171", "0.000"]
    cheap = answer(dataclasses.replace(thousand(10_200), meters=127_000))
    per_meter = cheap.a_year / 127_000
    assert f"USD {float(per_meter):.3g} a meter and year" in "\n".join(told(cheap)) and per_meter < 0.003
    assert float(str(as_json(cheap)["a_meter_and_year"])) == pytest.approx(float(per_meter), abs=1e-6)


def test_the_shipped_plan_says_what_it_lacks(tmp_path: Path) -> None:
    path = ROOT / "scenarios" / "plans" / "flats-377.toml"
    of = answer(load(path))
    assert [line.marks for line in of.lines] == [(), (), ("no price",), ("no price",)]
    aws = of.plan.cost[0]
    assert [Decimal(str(one)) for one in (aws.messages, aws.connection_minutes, aws.rules, aws.actions)] == [
        US_EAST_1.messages, US_EAST_1.connection_minutes, US_EAST_1.rules, US_EAST_1.actions,
    ]  # fmt: skip
    assert as_json(of)["whole"] is False
    for find, put, said in [
        ("gateways = 1\n", "gateways = 0\n", "line 5: gateways: 0 is not between 1"),
        ("on = 2026-11-27\n", "", "on: is missing: the day of the plan"),
        ("watts = 3", 'watts = "3"', "is not a number"),
        ('kind = "power"', 'kind = "powr"', "did you mean 'power'"),
        ("dated = 2026-06-01", 'dated = "june"', "is not a date"),
    ]:
        text = path.read_text()
        assert find in text
        (tmp_path / "plan.toml").write_text(text.replace(find, put, 1))
        with pytest.raises(SpecError, match=said):
            load(tmp_path / "plan.toml")
