"""A bill held against what the gateway captured: every register worked out again from signed readings, by the rules
that the gateway itself applies, and compared.

What is needed: the bill's values (register, period, amount), an export of the gateway (export.checked), and the
gateway's certificate, which the consumer got with the contract and not over the HAN.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from sim.smart_metering.due_values import TAF as AT_DUE_DATES
from sim.smart_metering.han.export import device_id
from sim.smart_metering.han.holding import HeldMeter
from sim.smart_metering.tariffing import Stamped, evaluated
from sim.smgw.delivered_content import Value
from sim.smgw.obis_codes import of_text
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S
from sim.smgw.status_words import BILLED_UP_TO, ptb

AGREES, DIFFERS, OPEN = "agrees", "differs", "cannot be checked"
_CHECKED: Final = (1, 2, 7)
"""TAF 6 is a value that the meter itself keeps of its set date: no reading on the raster shows it."""


class Compared(NamedTuple):
    """A value of a bill, what the readings give (None: nothing), and AGREES, DIFFERS or OPEN with the reason."""

    billed: Value
    amount: Decimal | None
    outcome: str
    why: str = ""


def compared(bill: Iterable[Value], meters: Sequence[HeldMeter]) -> list[Compared]:
    """Each value of a bill. `meters`: as the export has them."""
    known = {(device_id(one.name), _quantity(one.obis)): one for one in meters}
    worked_out: dict[tuple[str, str, int, int, int], dict[tuple[str, int], Decimal | None] | str] = {}
    out = []
    for one in bill:
        meter = known.get((device_id(one.meter), _quantity(one.obis)))
        if meter is None or one.taf not in _CHECKED:
            why = "no reading of this meter" if meter is None else f"TAF {one.taf} is the meter's own value"
            out.append(Compared(one, None, OPEN, why))
            continue
        from_s = one.until_s if one.from_s is None else one.from_s
        key = meter.name, meter.obis, one.taf, from_s, one.until_s
        if key not in worked_out:
            worked_out[key] = _worked_out(meter, one.taf, from_s, one.until_s)
        registers = worked_out[key]
        if isinstance(registers, str):
            out.append(Compared(one, None, OPEN, registers))
            continue
        amount = registers.get((one.obis, one.until_s))
        same = amount == one.amount
        out.append(Compared(one, amount, AGREES if same else DIFFERS, "" if same else f"the readings give {amount}"))
    return out


def _quantity(obis: str) -> tuple[int, int, int, int]:
    """What a register counts, whatever its tariff. Raises RuleError (obis)."""
    code = of_text(obis)
    return code.a, code.b, code.c, code.d


def _worked_out(meter: HeldMeter, taf: int, from_s: int, until_s: int) -> dict[tuple[str, int], Decimal | None] | str:
    try:
        return {(one.obis, one.until_s): one.amount for one in recalculated(meter, taf, from_s, until_s)}
    except RuleError as error:
        return error.detail


def recalculated(meter: HeldMeter, taf: int, from_s: int, until_s: int) -> list[Value]:
    """What a gateway delivers for a period, from readings that were shown or exported. Raises RuleError."""
    if taf == AT_DUE_DATES:
        raise RuleError("not-checked", "values at set dates are the meter's own")
    obis = of_text(meter.obis)
    values = [
        Stamped(one.period, one.at_s, meter.amount(one.value), one.status)
        for one in meter.captured
        if from_s <= one.at_s <= until_s
    ]
    if taf == 7:
        return [
            Value(7, meter.name, meter.obis, 0, None, one.at_s, one.value if ptb(one.word) <= BILLED_UP_TO else None)
            for one in values
        ]
    return list(evaluated(meter.name, obis, values, taf, from_s, until_s, CAPTURE_S))
