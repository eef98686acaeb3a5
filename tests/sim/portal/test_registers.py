"""An electricity meter at the portal: the total is its energy, tariff registers and what was fed in are not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sim.core.seeds import Seeds
from sim.core.vocabulary import SECURITIES, Security
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.portal.interpret import interpret
from wmbus.records import encode_records, parse_records
from wmbus.telegram import read

TOTAL, TARIFF_1, TARIFF_2, FED_IN = (bytes.fromhex(head) for head in ("0E03", "8E1003", "8E2003", "0E833C"))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_a_tariff_register_is_not_the_total_wherever_it_stands(order: tuple[int, ...]) -> None:
    registers = [(TOTAL, 5_000), (TARIFF_1, 3_000), (TARIFF_2, 2_000), (FED_IN, 700)]
    values = interpret(parse_records(encode_records([registers[at] for at in order])))
    assert values.energy_kwh == 5.0
    assert values.twice is None


@pytest.mark.parametrize("head", [TARIFF_1, TARIFF_2, FED_IN])
def test_without_a_total_there_is_no_energy(head: bytes) -> None:
    values = interpret(parse_records(encode_records([(head, 3_000)])))
    assert values.energy_kwh is None
    assert not values.tells_consumption


@pytest.mark.parametrize("security", SECURITIES)
def test_the_total_is_the_sum_of_the_tariffs_and_comes_in_kilowatt_hours(security: Security) -> None:
    groups = [FleetSpec("one", "apator-amiplus", 5, security=security)]
    fleet = Fleet(groups, Seeds(2), start=datetime(2026, 1, 12, tzinfo=UTC))
    for meter in range(fleet.n):
        for k in (0, 40, 5_000):
            sent = fleet.truth(meter, k).values
            assert sent["energy_wh"] == sent["tariff_1_wh"] + sent["tariff_2_wh"]
            assert min(sent["tariff_1_wh"], sent["tariff_2_wh"]) > 0
            values = interpret(read(fleet.telegram(meter, k), fleet.key(meter)).records)
            assert values.energy_kwh == sent["energy_wh"] / 1_000
            assert values.meter_time is not None
            assert values.meter_time.replace(second=0) == fleet.truth(meter, k).meter_time
