"""How much of a signal arrives: path loss, floors, shadowing, fading; and powers that add up exactly.

The rule kept here: levels are integers of 1/100 dB, powers integers of 1e-16 mW, and every step from a position to
a level is integer arithmetic over tables of our own. Sums of powers are therefore exact, in any order, on any machine.

Path loss follows ITU-R P.1238 (indoor, distances above 1 m):

    L = 20 log10(f / MHz) + N log10(d / m) + floors x floor loss - 28    N = 10 x path loss exponent

with f = 868.95 MHz for all modes (S1, 0.65 MHz lower, would lose 0.006 dB less). On top comes log-normal shadowing,
a property of the two *places*: the same from A to B as from B to A, and the same for any device there. Fading is
drawn for each frame at each receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from arrays.splitmix import GOLDEN, mixed
from sim.core.seeds import NORMAL_KNOTS, Seeds, normal_of
from sim.radio.site_spec import SiteSpec

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
F64 = NDArray[np.floating[Any]]

FLOOR_HEIGHT_M: Final = 3.0
FREQUENCY_TERM_CDB: Final = 5878  # 2000 log10(868.95)
P1238_TERM_CDB: Final = 2800
SHADOWING: Final = "radio shadowing"
FADING: Final = "radio fading"

# --- powers ----------------------------------------------------------------------------------------------------

LOWEST_CDBM: Final = -16_000  # one unit; anything weaker counts as this
HIGHEST_CDBM: Final = 0  # a front end is full at 1 mW; nine hundred such signals still add up in 63 bits


def _powers() -> I64:
    """Units for each 1/100 dBm from lowest to highest, rounded down from an exact mantissa."""
    with localcontext() as context:
        context.prec = 50  # a thousand products lose four of its digits
        step, value = Decimal(10) ** (Decimal(1) / 1000), Decimal(10) ** 18
        tenth = []  # 10**(i/1000), 18 digits
        for _ in range(1000):
            tenth.append(int(value))
            value *= step
    decades = range((HIGHEST_CDBM - LOWEST_CDBM) // 1000)
    values = [mantissa * 10**decade // 10**18 for decade in decades for mantissa in tenth]
    return np.array([*values, tenth[0] * 10 ** len(decades) // 10**18], dtype=np.int64)


POWER: Final = _powers()
_POWER_LIST: Final[list[int]] = POWER.tolist()


def power_of(level_cdbm: I64) -> I64:
    """Power in 1e-16 mW of a level in 1/100 dBm."""
    power: I64 = POWER[np.clip(level_cdbm, LOWEST_CDBM, HIGHEST_CDBM) - LOWEST_CDBM]
    return power


def one_power(level_cdbm: int) -> int:
    """power_of for one level."""
    return _POWER_LIST[min(max(level_cdbm, LOWEST_CDBM), HIGHEST_CDBM) - LOWEST_CDBM]


# --- distance --------------------------------------------------------------------------------------------------

_LOG_BITS: Final = 12
_LOG_Q: Final = 24


def _log_tables() -> tuple[I64, I64]:
    """log10(1 + i / 4096) and log10(2**i), Q24, to the nearest. None is within 1e-5 of where rounding turns, and
    double precision is good to 1e-6 here: any library's log10 gives the same table."""
    knots = 1 + np.arange((1 << _LOG_BITS) + 1) / (1 << _LOG_BITS)
    octaves = np.arange(54) * np.log10(2.0)
    inside, octave = (np.floor(logs * (1 << _LOG_Q) + 0.5).astype(np.int64) for logs in (np.log10(knots), octaves))
    return inside, octave


LOG10, OCTAVE = _log_tables()


def log10_q24(value: I64) -> I64:
    """log10 of whole numbers from 1 to 2**52, Q24; linear between 4 096 knots an octave (error below 1e-7)."""
    mantissa, exponent = np.frexp(value.astype(np.float64))  # exact: value = mantissa * 2**exponent, 0.5 <= m < 1
    place = (mantissa * float(1 << 53)).astype(np.int64) - (1 << 52)  # exact: 52 bits after the leading one
    index = place >> (52 - _LOG_BITS)
    rest = (place >> (52 - _LOG_BITS - 20)) & ((1 << 20) - 1)
    low = LOG10[index]
    result: I64 = low + (((LOG10[index + 1] - low) * rest) >> 20) + OCTAVE[exponent.astype(np.int64) - 1]
    return result


def centimetres(positions_m: F64) -> I64:
    """Positions (n, 3) as whole centimetres."""
    whole: I64 = np.rint(np.asarray(positions_m, dtype=np.float64).reshape(-1, 3) * 100).astype(np.int64)
    return whole


def place_ids(positions_cm: I64) -> U64:
    """32-bit numbers of places (SplitMix64's finaliser over the three coordinates)."""
    word = np.zeros(len(positions_cm), dtype=np.uint64)
    for axis in range(3):
        word = mixed(word + positions_cm[:, axis].astype(np.uint64) + GOLDEN)
    return word & np.uint64(0xFFFFFFFF)


# --- the model -------------------------------------------------------------------------------------------------


def scaled(sigma_cdb: int, normal_q16: I64) -> I64:
    """A normal deviate in 1/100 dB, rounded to the nearest."""
    return (sigma_cdb * normal_q16 + (1 << 15)) >> 16


@dataclass(frozen=True, slots=True)
class Propagation:
    """The air of one site: integers of 1/100 dB, `slope_cdb` for each factor of ten in distance."""

    slope_cdb: int
    floor_cdb: int
    shadowing_cdb: int
    fading_cdb: int
    seeds: Seeds

    @classmethod
    def of(cls, spec: SiteSpec, seeds: Seeds) -> Propagation:
        """The propagation of a site; its shadowing is drawn from `seeds`."""
        return cls(
            round(spec.path_loss_exponent * 1000), round(spec.floor_loss_db * 100),
            round(spec.shadowing_db * 100), round(spec.fading_db * 100), seeds,
        )  # fmt: skip

    def loss_cdb(self, here_cm: I64, there_cm: I64) -> I64:
        """Mean loss between places (n, 3) and (m, 3), shadowing included: (n, m)."""
        loss = self.mean_loss_cdb(here_cm, there_cm)
        return loss + self._shadowing(here_cm, there_cm) if self.shadowing_cdb else loss

    def mean_loss_cdb(self, here_cm: I64, there_cm: I64) -> I64:
        """The same without shadowing."""
        delta = here_cm[:, None, :] - there_cm[None, :, :]
        distance = self.distance_cdb(np.maximum((delta * delta).sum(axis=2), 10_000))  # the model begins at 1 m
        height_cm = round(FLOOR_HEIGHT_M * 100)
        floors = np.abs(here_cm[:, None, 2] // height_cm - there_cm[None, :, 2] // height_cm)
        loss: I64 = FREQUENCY_TERM_CDB - P1238_TERM_CDB + distance + floors * self.floor_cdb
        return loss

    def distance_cdb(self, square_cm: I64) -> I64:
        """What distance takes, from square distances of at least 1 m."""
        loss: I64 = (self.slope_cdb * (log10_q24(square_cm) - (4 << _LOG_Q)) + (1 << _LOG_Q)) >> (_LOG_Q + 1)
        return loss

    def _shadowing(self, here_cm: I64, there_cm: I64) -> I64:
        a, b = np.broadcast_arrays(place_ids(here_cm)[:, None], place_ids(there_cm)[None, :])
        return scaled(self.shadowing_cdb, self.seeds.normal_q16(SHADOWING, np.minimum(a, b), np.maximum(a, b)))

    def drawn(self, source: I64, k: I64, receiver: I64, luck: bool) -> tuple[I64, I64]:
        """For frames (source, k) at receivers, equal-length arrays: what fading gives (or takes, negative), and the
        32 bits that curves are drawn with (capture_effect.py), 0 without `luck`."""
        fading = drawn = np.zeros(len(source), dtype=np.int64)
        if self.fading_cdb or luck:
            words = self.seeds.blocks(FADING, source, k, receiver)
            if self.fading_cdb:
                fading = scaled(self.fading_cdb, normal_of(words[:, 0].astype(np.uint64)))
            if luck:
                drawn = words[:, 1].astype(np.int64)
        return fading, drawn

    def draws_needed(self, missing_cdb: I64) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """For links whose mean level lacks so much of the sensitivity: (how many of the 2**32 draws of fading, the
        strongest first, bring it into range, where not all do; whether all do). The strongest draw is word 0; the words
        from 2**31 on, which take, follow backwards."""
        floor, top = (int(missing_cdb.min()), int(missing_cdb.max())) if len(missing_cdb) else (0, 0)
        most = scaled(self.fading_cdb, NORMAL_KNOTS.max()).item() + 2
        need = np.arange(min(max(floor, -most), most), max(min(top, most), -most) + 1)
        low, high = np.zeros(len(need), dtype=np.int64), np.full(len(need), 1 << 32)
        while (low < high).any():
            middle = (low + high) // 2
            word = np.where(middle >> 31 != 0, middle ^ 0x7FFFFFFF, middle).astype(np.uint64)
            enough = scaled(self.fading_cdb, normal_of(word)) >= need
            low, high = np.where(enough, np.minimum(middle + 1, high), low), np.where(enough, high, middle)
        at = np.clip(missing_cdb, need[0], need[-1]) - need[0]
        return np.minimum(low, (1 << 32) - 1).astype(np.uint32)[at], (low == 1 << 32)[at]
