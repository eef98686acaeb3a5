"""What programs that decode call the values of our meters, and whether what they said is true.

A name carries its unit (`total_m3`, `power_kw`); numbers are compared in it, dates to the minute. A newer driver's
names count as the older one's. The names of wmbusmeters are those in the published telegrams' expected values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_WMBUSMETERS: Final[dict[str, dict[str, str]]] = {
    "apator-amiplus": {
        "total_energy_consumption_kwh": "energy_wh", "total_energy_production_kwh": "fed_in_wh",
        **{f"total_energy_consumption_tariff_{n}_kwh": f"tariff_{n}_wh" for n in (1, 2, 3)},
        **{f"total_energy_production_tariff_{n}_kwh": f"fed_in_{n}_wh" for n in (1, 2, 3)},
        **{f"voltage_at_phase_{n}_v": f"phase_{n}_dv" for n in (1, 2, 3)}, "device_datetime": "clock",
    },
    "engelmann-hca-e2": {
        "consumption_hca": "units", "current_consumption_hca": "units", "target_date": "set_date",
        "target_hca": "set_date_units", "meter_datetime": "datetime",
    },
    "engelmann-sensostar": {
        "total_kwh": "energy_kwh", "total_water_m3": "heating_volume_l", "flow_water_m3h": "flow_l_h",
        "power_kw": "power_w", "forward_c": "flow_c", "return_c": "return_c", "difference_c": "spread_ck",
        "meter_datetime": "datetime",
    },
    "qundis-q-caloric": {
        "current_consumption_hca": "units", "set_date": "set_date", "consumption_at_set_date_hca": "set_date_units",
        "set_date_17": "month_end", "consumption_at_set_date_17_hca": "month_units", "device_datetime": "datetime",
    },
    "qundis-q-water": {
        "total_m3": "volume_l", "due_date": "set_date", "due_date_m3": "set_date_volume_l",
        "due_17_date": "month_end", "due_17_date_m3": "month_volume_l", "meter_datetime": "datetime",
    },
    "ram-euris-2": {
        "current_consumption_hca": "units", "consumption_at_set_date_hca": "month_units",
        "consumption_at_set_date_1_hca": "month_units",
        **{f"consumption_at_set_date_{n}_hca": f"month_units[{n - 1}]" for n in range(2, 18)},
    },
    "sontex-868": {
        "current_consumption_hca": "units", "set_date": "set_day_after", "device_datetime": "datetime",
        "consumption_at_set_date_hca": "set_date_units", "current_temp_c": "radiator_cc",
        "current_room_temp_c": "room_cc",
    },
    "techem-radio-4": {
        "current_consumption_hca": "units", "set_date": "set_date", "consumption_at_set_date_hca": "set_date_units",
        "set_date_8": "month_end[14]", "consumption_at_set_date_1_hca": "month_increment",
        **{f"consumption_at_set_date_{n}_hca": f"month_increment[{n - 1}]" for n in range(2, 15)},
    },
    "vipa-c10": {
        "consumption_hca": "units", "target_date": "set_date", "target_hca": "set_date_units",
        "external_temperature_c": "room_dc", "flow_temperature_c": "radiator_dc", "fabrication_no": "fabrication",
        "meter_datetime": "datetime",
    },
    "zenner-caltos-e": {
        "consumption_hca": "units", "target_date": "set_day_after", "target_hca": "set_date_units",
        "base_date": "month_first", "base_hca": "month_units",
        **{f"consumption_{n}_hca": f"month_units[{n}]" for n in range(1, 15)},
    },
}  # fmt: skip
_RENAMED: Final = {
    "due_date": "target_year_date", "due_date_m3": "target_year_m3", "due_17_date": "target_date",
    "due_17_date_m3": "target_m3",
}  # fmt: skip
"""Names of a newer driver (qwaterv2, August 2026) for what an older one (qwater) calls otherwise."""
TABLES: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {"wmbusmeters": _WMBUSMETERS}
"""Program -> meter type -> its name -> our label of a value."""
UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "kwh": ("Wh", 1_000.0), "wh": ("Wh", 1.0), "mwh": ("Wh", 1e6), "kw": ("W", 1_000.0), "w": ("W", 1.0),
    "m3": ("m3", 1.0), "l": ("m3", 1e-3), "m3h": ("m3/h", 1.0), "lh": ("m3/h", 1e-3), "v": ("V", 1.0),
    "hca": ("HCA", 1.0), "c": ("°C", 1.0), "k": ("K", 1.0),
}  # fmt: skip
"""Unit at the end of a name -> the unit that it is of, and how many of those it is."""
_RELATIVE: Final = 1e-6
_MINUTE: Final = len("2026-01-02 03:04")


def in_the_unit_of(name: str, value: Any, unit: str) -> Any:
    """Our value, in `unit`, as `name` tells it: numbers in its unit, date-times with a blank and to the minute."""
    if isinstance(value, str):
        return value.replace("T", " ")[:_MINUTE] if "T" in value else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    theirs, factor = UNITS.get(name.rpartition("_")[2].lower(), ("", 1.0))
    return value / factor if theirs == unit and factor != 1.0 else value


def said(answer: Mapping[str, Any], field: str) -> Any:
    """What an answer calls `field`, whichever version of the driver wrote it. Raises KeyError if no name is there."""
    return answer[field] if field in answer else answer[_RENAMED.get(field, field)]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the true one; `true` in the unit of `name`."""

    name: str
    said: object
    true: object

    def __str__(self) -> str:
        return f"{self.name} is {ascii(self.said)[:60]}, the meter sent {self.true!r}"


@dataclass(frozen=True, slots=True)
class Compared:
    """Their names: `agree` with the truth; `differ`; `absent`: of values that the meter sent, none was told;
    `invented`: told although the meter sent that it has none."""

    agree: tuple[str, ...]
    differ: tuple[Difference, ...]
    absent: tuple[str, ...]
    invented: tuple[str, ...]


def compared(
    values: Mapping[str, object],
    true: Sequence[Mapping[str, Any]],
    meter_type: str,
    names: str = "",
    means: Mapping[str, str] | None = None,
) -> Compared:
    """What a gateway told of one telegram against what the meter sent: `true` as in `frame sample` (name, unit, value).
    `names`, `means`: as in sim.readers.message_content. Values that neither knows are not judged."""
    by_label = {one["name"]: one for one in true}
    table: dict[str, tuple[str, str]] = {
        name: (label, name) for name, label in TABLES.get(names, {}).get(meter_type, {}).items()
    }
    for name, meaning in (means or {}).items():
        label, _, unit = meaning.partition(" ")
        table[name] = (label, f"_{unit}" if unit else name)
    agree, differ, absent, invented = [], [], [], []
    for name, (label, unit_name) in table.items():
        one = by_label.get(label)
        if one is None:
            continue
        wanted = in_the_unit_of(unit_name, one["value"], one["unit"])
        try:
            told = said(values, name)
        except KeyError:
            told = None
        if told is None:
            if wanted is not None:
                absent.append(name)
        elif wanted is None:
            invented.append(name)
        elif _equal(told, wanted):
            agree.append(name)
        else:
            differ.append(Difference(name, told, wanted))
    return Compared(tuple(agree), tuple(differ), tuple(absent), tuple(invented))


def _equal(told: object, wanted: object) -> bool:
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        try:
            number = float(told) if isinstance(told, int | float | str) and not isinstance(told, bool) else math.nan
        except (ValueError, OverflowError):
            return False
        return math.isclose(number, wanted, rel_tol=_RELATIVE, abs_tol=1e-9)
    text = str(told).replace("T", " ").removesuffix("Z")
    return text[: len(str(wanted))] == str(wanted)
