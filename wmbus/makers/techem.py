"""Techem's payload behind CI A0, A1 or A2: a tag, then little-endian words at fixed places.

    heat cost allocator   tag  date(2)  units(2)  date'(2)  units(2)  [1 byte if tag 0F]  room(2)  radiator(2), 0.01 C
    water, 0.1 m3         tag  date(2)  volume(2)  date'(2)  volume(2) since the set date
    heat, kWh             tag  date(2)  energy(3)  byte  energy(3) since the set date
    heat, MJ              tag  date(2)  energy(2)  date'(2)  energy(2) since the set date

The first date is the set date: day in bits 0-4, month in 5-8, year after 2000 in 9-15. The second is the reading's: day
in bits 4-8, month in 9-12; its year is the one in which it first comes after the set date. Version and device type say
which layout it is; the tag says whether a byte stands before the temperatures.

Described in public by the drivers fhkvdataiii, mkradio3, mkradio4, compact5 and vario451 of wmbusmeters, and held here
against the values published with them. Sources differ for tag 0F: openHAB's binding takes the units now from one byte
further on (258 where wmbusmeters and ioBroker's adapter take 657); two against one, and the first layout alone gives
plausible units for every telegram found. Temperatures are there for versions 69 and 94 alone.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from wmbus.makers.value import MakerValue

_ALLOCATOR, _WATER, _HEAT_KWH, _HEAT_MJ = range(4)
_LAYOUTS: Final = {
    **{(version, 0x80): _ALLOCATOR for version in (0x64, 0x69, 0x94)},
    **{(version, kind): _WATER for version in (0x70, 0x74, 0x95) for kind in (0x62, 0x72)},
    **{(version, kind): _HEAT_KWH for version in (0x22, 0x39, 0x45) for kind in (0x04, 0x43, 0xC3)},
    **{(0x27, kind): _HEAT_MJ for kind in (0x04, 0xC3)},
}
_WITH_TEMPERATURES: Final = {0x69: (0x01, 0x11), 0x94: (0x0F,)}
_A_BYTE_BEFORE: Final = 0x0F
_LEAST_BYTES: Final = 14
_WH_IN_MJ: Final = 1e6 / 3600


def read(version: int, device_type: int, payload: bytes) -> list[MakerValue] | None:
    """The values of a payload, from the byte after the CI on; None for a layout that no public source describes."""
    layout = _LAYOUTS.get((version, device_type))
    if layout is None or len(payload) < _LEAST_BYTES:
        return None
    past_date = _set_date(_word(payload, 1))
    if layout == _HEAT_KWH:
        past, now = (int.from_bytes(payload[at : at + 3], "little") * 1000 for at in (3, 7))
        return _both("energy", "Wh", past, now, past_date, None)
    past, now = _word(payload, 3), _word(payload, 7)
    now_date = None if past_date is None else _reading_date(_word(payload, 5), past_date)
    if layout == _WATER:
        return _both("volume", "m3", past / 10, now / 10, past_date, now_date, total=(past + now) / 10)
    if layout == _HEAT_MJ:
        return _both("energy", "Wh", past * _WH_IN_MJ, now * _WH_IN_MJ, past_date, now_date)
    found = [
        MakerValue("heat cost allocation", now, "HCA"),
        MakerValue("date", now_date),
        MakerValue("heat cost allocation", past, "HCA", 1),
        MakerValue("date", past_date, "", 1),
    ]
    if payload[0] in _WITH_TEMPERATURES.get(version, ()):
        at = 10 if payload[0] == _A_BYTE_BEFORE else 9
        found.append(MakerValue("room temperature", _word(payload, at) / 100, "°C"))
        found.append(MakerValue("radiator temperature", _word(payload, at + 2) / 100, "°C"))
    return found


def _both(
    quantity: str,
    unit: str,
    past: float,
    now: float,
    past_date: date | None,
    now_date: date | None,
    *,
    total: float | None = None,
) -> list[MakerValue]:
    """These meters send what they counted up to the set date and since then; their sum is what the dial shows."""
    found = [
        MakerValue(quantity, past + now if total is None else total, unit),
        MakerValue(f"{quantity} since the set date", now, unit),
        MakerValue(quantity, past, unit, 1),
        MakerValue("date", past_date, "", 1),
    ]
    return [*found, MakerValue("date", now_date)] if now_date is not None else found


def _word(payload: bytes, at: int) -> int:
    return payload[at] | payload[at + 1] << 8


def _set_date(raw: int) -> date | None:
    try:
        return date(2000 + (raw >> 9), raw >> 5 & 15, raw & 31)
    except ValueError:
        return None


def _reading_date(raw: int, past: date) -> date | None:
    month, day = raw >> 9 & 15, raw >> 4 & 31
    try:
        return date(past.year + ((month, day) <= (past.month, past.day)), month, day)
    except ValueError:
        return None
