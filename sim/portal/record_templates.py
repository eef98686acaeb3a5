"""Where a reading's values stand in a payload, learned from the payload itself, so that many of one kind are read at
once.

`wmbus.records` parses one payload; what it found becomes a layout: the bytes that say what the records are (chains,
length bytes, fill) as a template with a mask, and for each record that `interpret` gives a meaning its place and
encoding. Every payload that agrees with the template under the mask has the same records, so its values may be read at
those places. The rule kept here: a layout holds only encodings that are read here exactly as `wmbus.values` and
`interpret` read them; a payload that no layout fits is left to them.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.portal.check import NONE
from sim.portal.interpret import Meaning, meaning
from wmbus import values
from wmbus.dates import decode_g
from wmbus.errors import BadTelegram
from wmbus.records import Record, parse_records

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
UNITS, SET_DATE_UNITS, SET_DAY, MINUTE, TAMPER = range(5)
"""Columns of whole numbers: HCA units; days and minutes since 1970; whether error flags or an error date complain."""
VOLUME_M3, ENERGY_KWH = range(2)
"""Columns of real numbers, NaN where not available."""
WHOLES, REALS = 5, 2
MOST_LAYOUTS: Final = 64  # of one length; what is stranger than that is read one at a time

_SIGNED, _UNSIGNED, _BCD, _DATE, _DATETIME, _FLAGS, _ERROR_DATE, _SIGNED_REAL, _UNSIGNED_REAL, _BCD_REAL = range(10)
_DATETIME_SECONDS = 10  # type I
_WHOLE_COLUMNS = {"units": UNITS, "set_date_units": SET_DATE_UNITS}
_REAL_COLUMNS = {"volume_m3": VOLUME_M3, "energy_kwh": ENERGY_KWH}
_EXACT_DIGITS = 15  # a double holds so many without a loss
_DAY_MINUTES = 1_440
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Layout:
    """`steps` rows of (column, offset, width, encoding, power of ten, divisor)."""

    mask: U8
    template: U8
    steps: I64


def learned(payload: bytes) -> Layout | None:
    """The layout of a payload, None where it is not to be read in bulk."""
    try:
        records = parse_records(payload, strict=True)
    except BadTelegram:
        return None
    mask = np.full(len(payload), 0xFF, dtype=np.uint8)
    steps: dict[str, tuple[int, ...]] = {}
    for record in records:
        begin = record.offset + len(record.dif_vif)
        fixed = int(record.chain.size < 0 and record.dif_vif not in (b"\x0f", b"\x1f"))  # an LVAR byte stays as it is
        mask[begin + fixed : begin + len(record.raw)] = 0
        what = meaning(record.chain)
        if what is not None:
            step = _step(what, record, begin)
            if step is None or what.column in steps:
                return None
            steps[what.column] = step
    if "set_date" not in steps:
        steps.pop("set_date_units", None)  # see interpret: a month end is no set date
    if not steps:
        return None
    template = np.frombuffer(payload, dtype=np.uint8) & mask
    return Layout(mask, template, np.array(list(steps.values()), dtype=np.int64).reshape(-1, 6))


def _step(what: Meaning, record: Record, offset: int) -> tuple[int, ...] | None:
    chain, width, told = record.chain, record.chain.size, what.column
    if told in ("set_date", "error_date"):
        column, encoding = (SET_DAY, _DATE) if told == "set_date" else (TAMPER, _ERROR_DATE)
        return (column, offset, width, encoding, 0, 1) if chain.is_date and width == 2 else None
    if told == "meter_time":
        form = {4: _DATETIME, 6: _DATETIME_SECONDS}.get(width)
        return (MINUTE, offset, width, form, 0, 1) if chain.is_date and form is not None else None
    whole = chain.data_field in values.INTEGER_BYTES and not chain.is_date and width <= 6
    if told == "errors":
        return (TAMPER, offset, 1, _FLAGS, 0, 1) if whole and chain.exponent == 0 else None
    if not whole and chain.data_field not in values.BCD_BYTES:
        return None
    kind = (_SIGNED if chain.signed else _UNSIGNED) if whole else _BCD
    if told in _WHOLE_COLUMNS:
        return (_WHOLE_COLUMNS[told], offset, width, kind, 0, 1) if chain.exponent == 0 else None
    if 2.41 * width + abs(chain.exponent) > _EXACT_DIGITS + 0.5:
        return None
    return _REAL_COLUMNS[told], offset, width, kind + _SIGNED_REAL, chain.exponent, what.divisor


@dataclass(slots=True)
class Layouts:
    """What was learned so far, by length of payload."""

    by_length: dict[int, list[Layout]]

    def read(self, payloads: U8, marked: bool, wholes: I64, reals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Values of payloads (n, length) into `wholes` (n, WHOLES) and `reals` (n, REALS), which hold what "not
        available" is; those that were read. `marked`: they must begin 2F2F, as what was decrypted does."""
        n, length = payloads.shape
        known = self.by_length.setdefault(length, [])
        done = np.zeros(n, dtype=np.bool_)
        rest = np.arange(n)
        for layout in known:
            rest = rest[~self._fit(layout, payloads, rest, marked, wholes, reals, done)]
            if not len(rest):
                return done
        while len(rest) and len(known) < MOST_LAYOUTS:
            layout_or_none = learned(payloads[rest[0]].tobytes())
            if layout_or_none is None or (marked and payloads[rest[0], :2].tobytes() != b"\x2f\x2f"):
                rest = rest[1:]
                continue
            known.append(layout_or_none)
            fits = self._fit(layout_or_none, payloads, rest, marked, wholes, reals, done)
            rest = rest[~fits]
        return done

    @staticmethod
    def _fit(
        layout: Layout, payloads: U8, rows: I64, marked: bool, wholes: I64, reals: NDArray[np.float64],
        done: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:  # fmt: skip
        fits = np.zeros(len(rows), dtype=np.bool_)
        _read(payloads, rows, marked, (layout.mask, layout.template, layout.steps), _days(), (wholes, reals, fits))
        done[rows[fits]] = True
        return fits


@cache
def _days() -> tuple[I64, I64]:
    """Days since 1970 of each type G, NONE where it is no date; and the same where hundred-year bits are set."""
    plain = np.full(1 << 16, NONE, dtype=np.int64)
    later = plain.copy()
    for code in range(0, 1 << 16, 32):  # the day of the month has the five lowest bits
        begins = decode_g((code | 1).to_bytes(2, "little"))
        if begins is None:
            continue
        count = monthrange(begins.year, begins.month)[1]
        plain[code + 1 : code + 1 + count] = begins.toordinal() - _EPOCH + np.arange(count)
        if begins.year < 2_000:  # leap years fall alike a century later
            begins = begins.replace(year=begins.year + 100)
        later[code + 1 : code + 1 + count] = begins.toordinal() - _EPOCH + np.arange(count)
    return plain, later


@njit(cache=True, error_model="numpy")
def _read(payloads: Any, rows: Any, marked: Any, layout: Any, dates: Any, out: Any) -> None:
    """`layout`: mask, template, steps; `dates`: see `_days`; `out`: whole numbers, real ones, whether a row fits."""
    (mask, template, steps), (days, later), (wholes, reals, fits) = layout, dates, out
    size = payloads.shape[1]
    for at in range(len(rows)):
        row = rows[at]
        differs = np.uint8(0)
        for byte in range(size):
            differs |= (payloads[row, byte] & mask[byte]) ^ template[byte]
        if differs != 0 or (marked and (payloads[row, 0] != 0x2F or payloads[row, 1] != 0x2F)):
            continue
        fits[at] = True
        for step in range(len(steps)):
            column, offset, width, encoding = steps[step, 0], steps[step, 1], steps[step, 2], steps[step, 3]
            raw = np.int64(0)
            for byte in range(width):
                raw |= np.int64(payloads[row, offset + byte]) << (8 * byte)
            if encoding == _FLAGS:
                wholes[row, column] |= raw >> 3 & 1
                continue
            if encoding == _ERROR_DATE:
                wholes[row, column] |= 1 if days[raw] != NONE else 0
                continue
            value: Any = NONE
            if encoding == _DATE:
                value = days[raw]
                if value != NONE and raw & 31 == 1:
                    value -= 1  # the first of a month: see interpret.last_counted
            elif encoding == _DATETIME:
                minute, hour, code = raw & 0xFF, raw >> 8 & 0xFF, raw >> 16
                day = later[code] if hour >> 5 & 3 else days[code]
                if minute & 0x80 == 0 and minute & 63 < 60 and hour & 31 < 24 and day != NONE:
                    value = day * _DAY_MINUTES + (hour & 31) * 60 + (minute & 63)
            elif encoding == _DATETIME_SECONDS:
                second, minute, hour, day = raw & 63, raw >> 8 & 0xFF, raw >> 16 & 31, days[raw >> 24 & 0xFFFF]
                if minute & 0x80 == 0 and minute & 63 < 60 and hour < 24 and second < 60 and day != NONE:
                    value = day * _DAY_MINUTES + hour * 60 + (minute & 63)
            elif encoding in (_UNSIGNED, _UNSIGNED_REAL):
                value = raw
            elif encoding in (_SIGNED, _SIGNED_REAL):
                lowest = np.int64(1) << (8 * width - 1)
                if raw != lowest:
                    value = raw - (lowest << 1) if raw & lowest else raw
            else:
                value = np.int64(0)
                for nibble in range(2 * width - 1, -1, -1):
                    digit = raw >> (4 * nibble) & 15
                    if digit == 15 and nibble == 2 * width - 1:
                        continue
                    if digit > 9:
                        value = NONE
                        break
                    value = value * 10 + digit
                if value != NONE and raw >> (8 * width - 4) & 15 == 15:
                    value = -value
            if encoding < _SIGNED_REAL or encoding == _DATETIME_SECONDS:
                wholes[row, column] = value
            elif value == NONE:
                reals[row, column] = np.nan
            else:
                power, real = steps[step, 4], np.float64(value)
                scale = 1.0
                for _ in range(abs(power)):
                    scale *= 10.0
                real = real * scale if power > 0 else real / scale
                reals[row, column] = real / np.float64(steps[step, 5])
