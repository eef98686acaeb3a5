"""What a VIF means: quantity, unit and power of ten (EN 13757-3, tables of primary, FB, FD and combinable VIFs).

Tables, not code: a row is ``first, last, quantity, unit, exponent`` and the exponent is that of ``first``; each
following code is one power of ten more.  Rows whose unit steps through seconds, minutes, hours, days list them.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """``value = number * 10**exponent`` in ``unit``; ``unit`` is empty for what has none."""

    quantity: str
    unit: str = ""
    exponent: int = 0


def _steps(first: int, quantity: str, units: str) -> dict[int, Meaning]:
    return {first + n: Meaning(quantity, unit) for n, unit in enumerate(units.split())}


def _powers(first: int, last: int, quantity: str, unit: str, exponent: int) -> dict[int, Meaning]:
    return {code: Meaning(quantity, unit, exponent + code - first) for code in range(first, last + 1)}


def _table(*rows: tuple[int, int, str, str, int]) -> dict[int, Meaning]:
    table: dict[int, Meaning] = {}
    for row in rows:
        table.update(_powers(*row))
    return table


PRIMARY = _table(
    (0x00, 0x07, "energy", "Wh", -3),
    (0x08, 0x0F, "energy", "J", 0),
    (0x10, 0x17, "volume", "m3", -6),
    (0x18, 0x1F, "mass", "kg", -3),
    (0x28, 0x2F, "power", "W", -3),
    (0x30, 0x37, "power", "J/h", 0),
    (0x38, 0x3F, "volume flow", "m3/h", -6),
    (0x40, 0x47, "volume flow", "m3/min", -7),
    (0x48, 0x4F, "volume flow", "m3/s", -9),
    (0x50, 0x57, "mass flow", "kg/h", -3),
    (0x58, 0x5B, "flow temperature", "°C", -3),
    (0x5C, 0x5F, "return temperature", "°C", -3),
    (0x60, 0x63, "temperature difference", "K", -3),
    (0x64, 0x67, "external temperature", "°C", -3),
    (0x68, 0x6B, "pressure", "bar", -3),
    (0x6C, 0x6C, "date", "", 0),
    (0x6D, 0x6D, "date and time", "", 0),
    (0x6E, 0x6E, "heat cost allocation", "HCA", 0),
    (0x78, 0x78, "fabrication number", "", 0),
    (0x79, 0x79, "enhanced identification", "", 0),
    (0x7A, 0x7A, "address", "", 0),
    (0x7E, 0x7E, "any", "", 0),
    (0x7F, 0x7F, "manufacturer specific", "", 0),
)
PRIMARY |= _steps(0x20, "on time", "s min h d")
PRIMARY |= _steps(0x24, "operating time", "s min h d")
PRIMARY |= _steps(0x70, "averaging duration", "s min h d")
PRIMARY |= _steps(0x74, "actuality duration", "s min h d")
PLAIN_TEXT = 0x7C

FB = _table(
    (0x00, 0x01, "energy", "Wh", 5),
    (0x02, 0x03, "reactive energy", "varh", 3),
    (0x04, 0x05, "apparent energy", "VAh", 3),
    (0x06, 0x06, "coefficient of performance", "", -1),
    (0x08, 0x09, "energy", "J", 8),
    (0x0C, 0x0F, "energy", "cal", 5),
    (0x10, 0x11, "volume", "m3", 2),
    (0x14, 0x17, "reactive power", "var", 0),
    (0x18, 0x19, "mass", "kg", 5),
    (0x1A, 0x1B, "relative humidity", "%", -1),
    (0x20, 0x20, "volume", "ft3", 0),
    (0x21, 0x21, "volume", "ft3", -1),
    (0x22, 0x22, "volume", "gal", -1),
    (0x23, 0x23, "phase current to voltage", "°", -1),
    (0x24, 0x24, "volume flow", "gal/min", -3),
    (0x25, 0x25, "volume flow", "gal/min", 0),
    (0x26, 0x26, "volume flow", "gal/h", 0),
    (0x28, 0x29, "power", "W", 5),
    (0x2A, 0x2A, "phase voltage to voltage", "°", -1),
    (0x2B, 0x2B, "phase voltage to current", "°", -1),
    (0x2C, 0x2F, "frequency", "Hz", -3),
    (0x30, 0x31, "power", "J/h", 8),
    (0x34, 0x37, "apparent power", "VA", 0),
    (0x58, 0x5B, "flow temperature", "°F", -3),
    (0x5C, 0x5F, "return temperature", "°F", -3),
    (0x60, 0x63, "temperature difference", "°F", -3),
    (0x64, 0x67, "external temperature", "°F", -3),
    (0x68, 0x68, "resulting rating factor", "", 0),
    (0x69, 0x69, "thermal output rating factor", "", 0),
    (0x6A, 0x6A, "thermal coupling rating factor", "", 0),
    (0x6B, 0x6B, "thermal coupling rating factor, room side", "", 0),
    (0x6C, 0x6C, "thermal coupling rating factor, heating side", "", 0),
    (0x6D, 0x6D, "low temperature rating factor", "", 0),
    (0x6E, 0x6E, "display output scaling factor", "", 0),
    (0x70, 0x73, "temperature limit", "°F", -3),
    (0x74, 0x77, "temperature limit", "°C", -3),
    (0x78, 0x7F, "cumulated maximum power", "W", -3),
)
"""After VIF FB."""

FD = _table(
    (0x00, 0x03, "credit", "currency", -3),
    (0x04, 0x07, "debit", "currency", -3),
    (0x08, 0x08, "access number", "", 0),
    (0x09, 0x09, "device type", "", 0),
    (0x0A, 0x0A, "manufacturer", "", 0),
    (0x0B, 0x0B, "parameter set", "", 0),
    (0x0C, 0x0C, "model version", "", 0),
    (0x0D, 0x0D, "hardware version", "", 0),
    (0x0E, 0x0E, "firmware version", "", 0),
    (0x0F, 0x0F, "software version", "", 0),
    (0x10, 0x10, "customer location", "", 0),
    (0x11, 0x11, "customer", "", 0),
    (0x12, 0x12, "access code user", "", 0),
    (0x13, 0x13, "access code operator", "", 0),
    (0x14, 0x14, "access code system operator", "", 0),
    (0x15, 0x15, "access code developer", "", 0),
    (0x16, 0x16, "password", "", 0),
    (0x17, 0x17, "error flags", "", 0),
    (0x18, 0x18, "error mask", "", 0),
    (0x19, 0x19, "security key", "", 0),
    (0x1A, 0x1A, "digital output", "", 0),
    (0x1B, 0x1B, "digital input", "", 0),
    (0x1C, 0x1C, "baud rate", "Bd", 0),
    (0x1D, 0x1D, "response delay time", "bit", 0),
    (0x1E, 0x1E, "retry", "", 0),
    (0x1F, 0x1F, "remote control", "", 0),
    (0x20, 0x20, "first storage number", "", 0),
    (0x21, 0x21, "last storage number", "", 0),
    (0x22, 0x22, "storage block size", "", 0),
    (0x23, 0x23, "tariff and subunit descriptor", "", 0),
    (0x28, 0x28, "storage interval", "month", 0),
    (0x29, 0x29, "storage interval", "year", 0),
    (0x2A, 0x2A, "operator specific data", "", 0),
    (0x2B, 0x2B, "time point", "s", 0),
    (0x30, 0x30, "tariff start", "", 0),
    (0x38, 0x38, "tariff period", "month", 0),
    (0x39, 0x39, "tariff period", "year", 0),
    (0x3A, 0x3A, "dimensionless", "", 0),
    (0x3B, 0x3B, "wireless M-Bus data container", "", 0),
    (0x40, 0x4F, "voltage", "V", -9),
    (0x50, 0x5F, "current", "A", -12),
    (0x60, 0x60, "reset counter", "", 0),
    (0x61, 0x61, "cumulation counter", "", 0),
    (0x62, 0x62, "control signal", "", 0),
    (0x63, 0x63, "day of week", "", 0),
    (0x64, 0x64, "week number", "", 0),
    (0x65, 0x65, "day change", "", 0),
    (0x66, 0x66, "parameter activation", "", 0),
    (0x67, 0x67, "supplier information", "", 0),
    (0x70, 0x70, "battery change", "", 0),
    (0x71, 0x71, "received level", "dBm", 0),
    (0x72, 0x72, "daylight saving", "", 0),
    (0x73, 0x73, "listening window", "", 0),
    (0x74, 0x74, "remaining battery life", "d", 0),
    (0x75, 0x75, "stop counter", "", 0),
    (0x76, 0x76, "manufacturer data container", "", 0),
)
"""After VIF FD."""
FD |= _steps(0x24, "storage interval", "s min h d")
FD |= _steps(0x2C, "duration since last readout", "s min h d")
FD |= _steps(0x31, "tariff duration", "min h d")
FD |= _steps(0x34, "tariff period", "s min h d")
FD |= _steps(0x3C, "transmission period", "s min h d")
FD |= _steps(0x68, "duration since last cumulation", "h d month year")
FD |= _steps(0x6C, "battery operating time", "h d month year")

EXTENSIONS = {0xFB: FB, 0xFD: FD}

UNSIGNED = frozenset(
    """fabrication number|enhanced identification|address|access number|device type|manufacturer|parameter set|
    model version|hardware version|firmware version|software version|customer location|customer|access code user|
    access code operator|access code system operator|access code developer|password|error flags|error mask|
    security key|digital output|digital input|remote control|control signal|listening window|
    parameter activation|supplier information|operator specific data|daylight saving""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
"""Quantities that are flags or names: their binary numbers are unsigned (types C and D), all others signed (type B)."""

WHOLE_ADDRESS = "enhanced identification"
"""With 64 bits it is id, maker, version and type, as in a long header."""
IDENTIFICATIONS = frozenset({"fabrication number", WHOLE_ADDRESS, "customer location", "customer"})
"""Quantities whose BCD digits are a name and no number: zeros in front count."""

VIFE = {
    0x12: "average",
    0x13: "inverse compact profile",
    0x14: "relative deviation",
    0x1D: "standard conform data content",
    0x1E: "compact profile with registers",
    0x1F: "compact profile",
    0x20: "per second", 0x21: "per minute", 0x22: "per hour", 0x23: "per day", 0x24: "per week", 0x25: "per month",
    0x26: "per year", 0x27: "per revolution",
    0x28: "per input pulse, channel 0", 0x29: "per input pulse, channel 1",
    0x2A: "per output pulse, channel 0", 0x2B: "per output pulse, channel 1",
    0x2C: "per l", 0x2D: "per m3", 0x2E: "per kg", 0x2F: "per K", 0x30: "per kWh", 0x31: "per GJ", 0x32: "per kW",
    0x33: "per K l", 0x34: "per V", 0x35: "per A", 0x36: "times s", 0x37: "times s/V", 0x38: "times s/A",
    0x39: "start of", 0x3A: "uncorrected", 0x3B: "forward only", 0x3C: "backward only", 0x3D: "non-metric",
    0x3E: "at base conditions", 0x3F: "OBIS declaration",
    0x40: "lower limit", 0x41: "exceeds of lower limit", 0x48: "upper limit", 0x49: "exceeds of upper limit",
    0x68: "value during lower limit exceeded", 0x6C: "value during upper limit exceeded",
    0x7D: "times 1000", 0x7E: "future value", 0x7F: "manufacturer specific VIFE",
}  # fmt: skip
"""Combinable (orthogonal) VIFEs that stand after a VIF."""

RECORD_ERRORS = {
    0x00: "no error", 0x01: "too many DIFEs", 0x02: "storage number not implemented",
    0x03: "unit number not implemented", 0x04: "tariff number not implemented",
    0x05: "function not implemented", 0x06: "data class not implemented",
    0x07: "data size not implemented", 0x0B: "too many VIFEs", 0x0C: "illegal VIF group", 0x0D: "illegal VIF exponent",
    0x0E: "VIF and DIF mismatch", 0x0F: "unimplemented action", 0x15: "no data available", 0x16: "data overflow",
    0x17: "data underflow", 0x18: "data error", 0x1C: "premature end of record",
}  # fmt: skip
"""VIFEs 00-1C as a meter uses them in its answers."""

_EDGE = ("first begin", "first end", "last begin", "last end")


def _limits() -> dict[int, str]:
    """VIFEs 42-6F that are built of bits: u (upper), f (last), b (end) and a unit of time."""
    table = {}
    for upper in (0, 1):
        limit = "upper" if upper else "lower"
        for last in (0, 1):
            for end in (0, 1):
                code = 0x42 | upper << 3 | last << 2 | end
                table[code] = f"date of {_EDGE[last * 2 + end]} of {limit} limit exceed"
            for n, unit in enumerate(("s", "min", "h", "d")):
                table[0x50 | upper << 3 | last << 2 | n] = (
                    f"duration of {'last' if last else 'first'} {limit} limit exceed ({unit})"
                )
    for last in (0, 1):
        for n, unit in enumerate(("s", "min", "h", "d")):
            table[0x60 | last << 2 | n] = f"duration of {'last' if last else 'first'} ({unit})"
        for end in (0, 1):
            table[0x6A | last << 2 | end] = f"date of {_EDGE[last * 2 + end]}"
    return table


VIFE |= _limits()

VIFE_FC = {
    0x01: "phase L1", 0x02: "phase L2", 0x03: "phase L3", 0x04: "neutral",
    0x05: "L1 to L2", 0x06: "L2 to L3", 0x07: "L3 to L1",
    0x08: "quadrant Q1", 0x09: "quadrant Q2", 0x0A: "quadrant Q3", 0x0B: "quadrant Q4",
    0x0C: "delta of import and export", 0x10: "sum of absolute values", 0x11: "type C", 0x12: "type D",
}  # fmt: skip
"""Second level of combinable VIFEs, after FC."""
UNSIGNED_FC = (0x11, 0x12)

MULTIPLIER_FIRST, MULTIPLIER_LAST = 0x70, 0x77  # times 10**(n-6)
ADDITIVE_FIRST, ADDITIVE_LAST = 0x78, 0x7B  # plus 10**(n-3): named, not added
EXTENSION_FC = 0x7C
TIMES_1000 = 0x7D
MANUFACTURER_VIFE = 0x7F
DATE_OF = frozenset({0x39, *(c for c, text in VIFE.items() if text.startswith("date of"))})
"""VIFEs that turn the value into a date or a date and time."""
DURATION_OF = {code: ("s", "min", "h", "d")[code & 3] for code, text in VIFE.items() if text.startswith("duration of")}
"""VIFEs that turn the value into a duration, with its unit."""
COUNT_OF = frozenset({0x41, 0x49})
"""VIFEs that turn the value into a count."""
PROFILES = frozenset({0x13, 0x1E, 0x1F})
