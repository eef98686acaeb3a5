"""What values about the grid are called on a page that people read, and their units."""

from __future__ import annotations

from typing import Final

from sim.smgw.obis_codes import Obis

_POWER_FED_IN, _POWER, _FREQUENCY, _ANGLES = 2, 16, 14, 81
_ANGLE_PHASES: Final = {4: 1, 15: 2, 26: 3}
_NAMES: Final = {31: ("current", "A"), 32: ("voltage", "V")}
"""Of the first phase; the others have 20 more each."""
_INSTANTANEOUS: Final = 7


def quantity(code: Obis) -> tuple[str, str]:
    """Name and unit of a grid value; ("", "") for whatever is none."""
    if code.a != 1 or code.d != _INSTANTANEOUS:
        return "", ""
    if code.c in (_POWER, _POWER_FED_IN):
        return "power" if code.c == _POWER else "power fed in", "W"
    if code.c == _FREQUENCY:
        return "frequency", "Hz"
    if code.c == _ANGLES and code.e in _ANGLE_PHASES:
        return f"phase angle L{_ANGLE_PHASES[code.e]}", "°"
    phase, first = divmod(code.c - 31, 20)
    if first + 31 in _NAMES and phase < 3:
        name, unit = _NAMES[first + 31]
        return f"{name} L{phase + 1}", unit
    return "", ""
