"""OBIS codes: six value groups A to F (IEC 62056-61), each a byte."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from sim.core.quoting import quoted
from sim.smgw.refusals import RuleError

ERROR_TARIFF: Final = 63
"""Value group E of the register that takes what no zone may have."""
_HEX: Final = re.compile(r"[0-9A-Fa-f]{12}")
_WORDS: Final = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\*(\d{1,3})")
_MEDIA: Final = {1: "electricity", 4: "heat cost", 5: "cooling", 6: "heat", 7: "gas", 8: "cold water", 9: "hot water"}
_ENERGIES: Final = frozenset(range(1, 11))
"""Value group C of electricity: active and reactive energy, import and export, quadrants, apparent energy."""
_GRID: Final = frozenset((13, 14, 16, 31, 32, 33, 36, 51, 52, 53, 56, 71, 72, 73, 76, 81))
"""Power factor, frequency, power (sum and each phase), current, voltage, phase angle."""
_TIME_INTEGRAL: Final = 8
_INSTANTANEOUS: Final = 7


@dataclass(frozen=True, slots=True, order=True)
class Obis:
    """One code. Text: A-B:C.D.E*F."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int

    def __str__(self) -> str:
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}*{self.f}"

    def tariff(self, e: int) -> Obis:
        """The register of another tariff of the same quantity."""
        return replace(self, e=e)

    @property
    def is_register(self) -> bool:
        """A meter reading, which only grows."""
        return self.a != 1 or self.d == _TIME_INTEGRAL

    @property
    def is_known(self) -> bool:
        """A quantity of this model."""
        if self.a != 1:
            return self.a in _MEDIA
        if self.d == _TIME_INTEGRAL:
            return self.c in _ENERGIES
        return self.d == _INSTANTANEOUS and (self.c in _GRID or self.c in (1, 2))


def of_bytes(data: bytes) -> Obis:
    """Six bytes. Raises ValueError."""
    if len(data) != 6:
        raise ValueError(f"an OBIS code has 6 bytes, not {len(data)}")
    return Obis(*data)


def of_text(text: object) -> Obis:
    """Either way of writing. Raises RuleError (obis)."""
    if isinstance(text, str):
        if _HEX.fullmatch(text):
            return of_bytes(bytes.fromhex(text))
        if (found := _WORDS.fullmatch(text)) and all(int(group) <= 255 for group in found.groups()):
            return Obis(*map(int, found.groups()))
    raise RuleError("obis", f"{quoted(text)} is no OBIS code: write twelve hex digits, or A-B:C.D.E*F")


def known(text: object) -> Obis:
    """The same, of a quantity that this model has. Raises RuleError (obis, obis-unknown)."""
    code = of_text(text)
    if not code.is_known:
        raise RuleError("obis-unknown", f"{code} is no register or grid value of this model")
    return code
