"""Curves of a receiver program, point by point: the share of telegrams over noise, and of the stronger of two.

    alone       over signal to noise in 1.6 MHz, from LOWEST_DB up until every telegram arrives twice running
    first       the stronger begins first, a weaker one begins inside it
    inside      the weaker begins first, the stronger begins inside it
    together    both begin within 2 % of a frame, in either order
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bench.receiver.trial import Program, Sending, heard, telegram
from sim.core.seeds import Seeds
from sim.radio.receiver_profile import ModeCurves, Points, ReceiverFile
from wmbus.phy import modes
from wmbus.phy.modes import Mode

LOWEST_DB: Final = -3
HIGHEST_DB: Final = 24
CAPTURE_SNR_DB: Final = 30.0
STRONGER_DB: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0)
TIMINGS: Final = ("first", "inside", "together")
MODES: Final[dict[str, Mode]] = {"T1": modes.T1, "C1": modes.C1A, "S1": modes.S1}
TOGETHER: Final = 0.02
_GAP_S: Final = 0.03
_ONE_IN: Final = 1 << 32


@dataclass(slots=True)
class Measured:
    """Points (dB, share) by mode and curve."""

    points: dict[str, dict[str, list[tuple[float, float]]]] = field(default_factory=dict)

    def add(self, mode: str, curve: str, at_db: float, share: float) -> None:
        self.points.setdefault(mode, {}).setdefault(curve, []).append((at_db, share))

    def profile(self, title: str, source: str) -> ReceiverFile:
        """As a file of sim/radio/receivers. Needs every curve of every mode."""
        t1, c1, s1 = (_curves(self.points[mode], MODES[mode]) for mode in MODES)
        level = [at for at, share in self.points["T1"]["alone"] if share >= 0.5]
        half = level[0] if level else float(HIGHEST_DB)
        return ReceiverFile(title, source, round(-106.0 + half - 0.5, 1), t1, c1, s1)


def _curves(own: dict[str, list[tuple[float, float]]], mode: Mode) -> ModeCurves:
    first = dict(own["first"])
    early = [(at, min(1.0, max(0.0, round(2 * share - first[at], 3)))) for at, share in own["together"]]
    return ModeCurves(
        _points(own["alone"]), _points(own["first"]), _points(own["inside"]), _points(early),
        round(TOGETHER * _air_s(mode) * 1e6, 1),
    )  # fmt: skip


def _points(points: list[tuple[float, float]]) -> Points:
    return tuple((float(at), float(share)) for at, share in points)


def _air_s(mode: Mode) -> float:
    return modes.air_time_s(len(modes.wire_bytes(telegram(1, Seeds(0)), mode)), mode)


def measure(
    program: Program, wanted: list[str], frames: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> Measured:
    """Every curve of these modes, so many telegrams a point. Raises CannotRun."""
    found, seeds = Measured(), Seeds(seed)
    for name in wanted:
        for at_db, share in _alone(program, MODES[name], frames, seeds):
            found.add(name, "alone", at_db, share)
            say(f"{name} alone {at_db:g} dB: {share:.2f}")
        for timing in TIMINGS:
            for at_db in STRONGER_DB:
                share = _overlapping(program, MODES[name], timing, at_db, frames, seeds)
                found.add(name, timing, at_db, share)
                say(f"{name} {timing} {at_db:g} dB: {share:.2f}")
    return found


def _alone(program: Program, mode: Mode, frames: int, seeds: Seeds) -> Iterator[tuple[float, float]]:
    whole = 0
    for snr_db in range(LOWEST_DB, HIGHEST_DB + 1):
        step_s = _air_s(mode) + _GAP_S
        begins = [0.05 + step_s * (n + 0.2 * _even(seeds, "begin", n)) for n in range(frames)]
        sendings = [Sending(n + 1, snr_db, start_s) for n, start_s in enumerate(begins)]
        share = len(heard(program, mode, sendings, seeds)) / frames
        yield snr_db, share
        whole = whole + 1 if share == 1.0 else 0
        if whole == 2:
            return


def _overlapping(program: Program, mode: Mode, timing: str, stronger_db: float, frames: int, seeds: Seeds) -> float:
    """The share of the stronger telegrams that arrive; they have odd numbers."""
    air_s = _air_s(mode)
    sendings = []
    for n in range(frames):
        base_s = 0.05 + n * (2 * air_s + _GAP_S)
        later_s = air_s * (0.05 + 0.9 * _even(seeds, timing, n))
        if timing == "together":
            later_s = TOGETHER * air_s * (2 * _even(seeds, timing, n) - 1)
        elif timing == "first":
            later_s = -later_s
        strong_s, weak_s = base_s + max(later_s, 0.0), base_s + max(-later_s, 0.0)
        sendings.append(Sending(2 * n + 1, CAPTURE_SNR_DB, strong_s))
        sendings.append(Sending(2 * n + 2, CAPTURE_SNR_DB - stronger_db, weak_s))
    return sum(number % 2 for number in heard(program, mode, sendings, seeds)) / frames


def _even(seeds: Seeds, purpose: str, number: int) -> float:
    return seeds.one_u32(f"measured {purpose}", number) / _ONE_IN
