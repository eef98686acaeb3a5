"""What a software radio's antenna gives while frames are fed: every frame at its level and frequency, overlapping where
they overlap, among noise and a jammer. No line, no clock, no thread.

The rules kept here. Levels are absolute: `full_scale_dbm` is the level that just fills the samples, and noise is
-174 dBm/Hz times the sample rate, plus the receiver's noise figure. Each transmitter has one error of frequency, drawn
from its address, as its crystal has. A frame whose CRC is not to fit has a chip of its last bytes turned over.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from sim.core.seeds import Seeds, normal_of
from sim.core.vocabulary import Link
from wmbus.phy import modes
from wmbus.phy.iq import Carrier, Samples, emission
from wmbus.phy.iq_stream import Stream
from wmbus.phy.modes import Mode

_THERMAL_DBM_PER_HZ: Final = -174.0
_Q16: Final = 1 << 16
_AUTO_GAIN_DB: Final = 40.0
"""The gain at which `full_scale_dbm` fills the samples."""


def radio_mode(link: Link, frame_format: Literal["A", "B"]) -> Mode:
    """What is sent for a link mode and a frame format."""
    if link == "C1":
        return modes.C1B if frame_format == "B" else modes.C1A
    return modes.MODES[link]


@dataclass(frozen=True, slots=True)
class Jammer:
    """A carrier: its level at the receiver, where it is, how long it is on and off."""

    level_dbm: float
    frequency_hz: float
    on_s: float
    off_s: float


class Signal:
    """`rate_hz` samples a second round `centre_hz`."""

    def __init__(
        self, rate_hz: int, centre_hz: float, *, full_scale_dbm: float, noise_figure_db: float, spread_hz: int = 0,
        jammer: Jammer | None = None, seeds: Seeds | None = None,
    ) -> None:  # fmt: skip
        self.full_scale_dbm, self.noise_figure_db, self.spread_hz = full_scale_dbm, noise_figure_db, spread_hz
        self.gain_db = _AUTO_GAIN_DB
        self.jammer = jammer
        self._seeds = seeds or Seeds(1)
        self.centre_hz = centre_hz
        self._tune(rate_hz, 0)

    # --- tuning ---------------------------------------------------------------------------------------------------

    @property
    def rate_hz(self) -> int:
        return round(self.stream.sample_rate_hz)

    @property
    def noise_dbm(self) -> float:
        """Noise in the whole sampled band."""
        return _THERMAL_DBM_PER_HZ + 10 * math.log10(self.rate_hz) + self.noise_figure_db

    def tune(self, *, rate_hz: int | None = None, centre_hz: float | None = None) -> int:
        """Another rate or another frequency from the next sample on; returns how many frames that cuts off."""
        cut = self.stream.waiting
        self.centre_hz = self.centre_hz if centre_hz is None else centre_hz
        self._tune(rate_hz or self.rate_hz, self.stream.position)
        return cut

    def auto_gain(self) -> None:
        self.gain_db = _AUTO_GAIN_DB

    def _tune(self, rate_hz: int, position: int) -> None:
        self.stream = Stream(rate_hz, self._noise)
        self.stream.position = self._jam_at = position
        self._sigma = self._amplitude(self.noise_dbm) / math.sqrt(2) / _Q16

    # --- what is on the air ---------------------------------------------------------------------------------------

    def send(self, frame: bytes, mode: Mode, level_dbm: float, at: int, *, crc_ok: bool = True) -> int:
        """Let a frame (without CRCs) begin at a sample; returns at which it does. Raises CannotEncode for a frame that
        no mode can carry, and for one outside the band that is tuned to."""
        offset_hz = mode.centre_hz - self.centre_hz + self._error_hz(frame)
        one = emission(frame, mode, offset_hz=offset_hz, amplitude=self._amplitude(level_dbm))
        if not crc_ok:
            chips = one.chips.copy()
            chips[-len(mode.tail) - mode.chips_per_byte // 2] ^= 1
            one = replace(one, chips=chips)
        return self.stream.add(one, at)

    def duration_s(self, frame: bytes, mode: Mode) -> float:
        """How long a frame is on the air. Raises CannotEncode."""
        return modes.air_time_s(len(modes.wire_bytes(frame, mode)), mode)

    def _error_hz(self, frame: bytes) -> int:
        place = zlib.crc32(frame[2:10])
        return self._seeds.one_below("iq frequency error", 2 * self.spread_hz + 1, place) - self.spread_hz

    def _amplitude(self, level_dbm: float) -> float:
        return float(10 ** ((level_dbm - self.full_scale_dbm) / 20))

    # --- samples --------------------------------------------------------------------------------------------------

    def take(self, count: int) -> Samples:
        """The next so many samples, full scale 1.0; what is louder is for `to_bytes` to clip."""
        self._jam(self.stream.position + count)
        samples = self.stream.take(count)
        if self.gain_db != _AUTO_GAIN_DB:
            samples *= np.float32(10 ** ((self.gain_db - _AUTO_GAIN_DB) / 20))
        return samples

    def _jam(self, until: int) -> None:
        """The bursts that begin before this sample; none where the jammer is outside the band."""
        jammer = self.jammer
        if jammer is None or abs(jammer.frequency_hz - self.centre_hz) >= self.rate_hz / 2:
            return
        while self._jam_at < until:
            offset_hz = jammer.frequency_hz - self.centre_hz
            self.stream.add(Carrier(jammer.on_s, 0.0, offset_hz, self._amplitude(jammer.level_dbm)), self._jam_at)
            self._jam_at += max(1, round((jammer.on_s + jammer.off_s) * self.rate_hz))

    def _noise(self, first: int, count: int) -> Samples:
        """Sample n of the noise is the seed's, however the stream is cut."""
        low, high = first // 2, (first + count + 1) // 2
        block = np.arange(low, high, dtype=np.uint64)
        words = self._seeds.blocks("iq noise", block & np.uint64(0xFFFFFFFF), block >> np.uint64(32))
        normal = normal_of(words.reshape(-1).astype(np.uint64)).astype(np.float32)
        normal *= np.float32(self._sigma)
        return normal.view(np.complex64)[first - 2 * low :][:count]
