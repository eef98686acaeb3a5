"""`frame sample`: telegrams of a simulated fleet beside the truth, for receivers of other authors.

Each telegram is another meter's, at another hour of one year from 2026-02-01 on, so that set dates, months and
access numbers of all kinds occur; every eighth meter was tampered with. The values come from the simulation and not
from the telegram, named by quantity, unit and storage number. A seed gives the same telegrams again.

Real receivers take ciphertext that begins 2F2F for plaintext: such a telegram is left out for the meter's next one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench.frame.hex_text import write_lines
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters.expected_records import stated
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import TAMPERS, Kind, kind, kinds
from wmbus.as_json import json_value
from wmbus.telegram import begins_2f2f

START = datetime(2026, 2, 1, tzinfo=UTC)
TELEGRAMS_A_YEAR = 365 * 96
_TAMPERED = 8  # every so many meters one
_BATCH = 64
_FLEET = 20_000  # meters in memory at once


def sample(arguments: argparse.Namespace) -> int:
    """Raises UnknownPart."""
    types = list(kinds().values()) if arguments.type == "all" else [kind(arguments.type)]
    lines: list[str] = []
    for one in types:
        for sampled in samples(one, arguments.security, arguments.count, arguments.seed):
            lines.append(json.dumps(sampled) if arguments.jsonl else str(sampled["telegram"]))
            if len(lines) == _BATCH:
                if not write_lines(lines):
                    return 0
                lines = []
    write_lines(lines)
    return 0


def samples(one: Kind, security: Security, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Telegrams of a type with key and true values, JSON-ready."""
    seeds = Seeds(seed).child(f"sample {one.id}")
    for begin in range(0, count, _FLEET):
        fleet = fleet_of(one, security, min(_FLEET, count - begin), seeds.child(f"from {begin}"))
        for meter in range(fleet.n):
            yield _sampled(fleet, meter, seeds.one_below("sample", TELEGRAMS_A_YEAR, begin + meter))


def fleet_of(one: Kind, security: Security, count: int, seeds: Seeds) -> Fleet:
    """`count` meters of one type and security mode."""
    fleet = Fleet([FleetSpec(one.id, one.id, count, security=security)], seeds, start=START)
    for meter in range(_TAMPERED - 1, count, _TAMPERED):
        fleet.tamper(meter, 0, TAMPERS[meter // _TAMPERED % len(TAMPERS)])
    return fleet


def _sampled(fleet: Fleet, meter: int, k: int) -> dict[str, Any]:
    telegram = fleet.telegram(meter, k)
    while begins_2f2f(telegram):
        k += 1
        telegram = fleet.telegram(meter, k)
    truth = fleet.truth(meter, k)
    one, address, key = fleet.kind(meter), fleet.address(meter), fleet.key(meter)
    return {
        "telegram": telegram.hex(),
        "key": None if key is None else key.hex(),
        "type": one.id,
        "security": fleet.security(meter),
        "manufacturer": address.manufacturer,
        "id": address.id,
        "version": address.version,
        "device_type": address.device_type,
        "acc": truth.acc,
        "sts": truth.sts,
        "counter": truth.counter,
        "values": [
            {
                "name": statement.slot.label,
                "dif_vif": statement.chain.dif_vif.hex().upper(),
                "quantity": statement.chain.quantity,
                "unit": statement.chain.unit,
                "storage_number": statement.chain.storage,
                "tariff": statement.chain.tariff,
                "subunit": statement.chain.subunit,
                "function": statement.chain.function,
                "element": statement.element,
                "value": json_value(value),
            }
            for statement, value in stated(one, truth.values)
        ],
    }
