"""IQ without an end: emissions at any time, frequency and level, and carriers, mixed block by block.

    stream = Stream(1.6e6, noise)
    stream.add(emission(frame, T1), at=position)      any number, in any order, overlapping or not
    samples = stream.take(8_000)

A stream's samples do not depend on how they are cut into blocks, as long as everything was added before it is due.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wmbus.errors import CannotEncode
from wmbus.phy.iq import Carrier, Emission, Samples, modulate

Noise = Callable[[int, int], Samples]
"""Samples of noise: the number of the first, and how many."""


class Stream:
    """``position``: the number of the next sample.  ``noise`` None: silence where nobody sends."""

    def __init__(self, sample_rate_hz: float, noise: Noise | None = None) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.position = 0
        self._noise = noise
        self._waves: list[tuple[int, Samples]] = []
        self._carriers: list[tuple[int, int, Carrier]] = []

    @property
    def waiting(self) -> int:
        """Emissions that are not over."""
        return len(self._waves)

    def add(self, one: Emission | Carrier, at: int) -> int:
        """Let it begin at this sample (its own ``start_s`` does not count), or at the next one where that is past;
        returns which.  Raises CannotEncode for a band that the samples cannot hold."""
        edge_hz = one.edge_hz
        if edge_hz >= self.sample_rate_hz / 2:
            raise CannotEncode(f"{edge_hz:g} Hz from the centre is beyond half of {self.sample_rate_hz:g} samples/s")
        begin = max(at, self.position)
        if isinstance(one, Carrier):
            self._carriers.append((begin, begin + round(one.duration_s * self.sample_rate_hz), one))
        else:
            self._waves.append((begin, modulate(one, self.sample_rate_hz)))
        return begin

    def skip(self, count: int) -> None:
        """Let so many samples pass unseen."""
        self.position += count
        self._forget()

    def take(self, count: int) -> Samples:
        """The next so many samples."""
        first, last = self.position, self.position + count
        out = np.zeros(count, dtype=np.complex64) if self._noise is None else self._noise(first, count)
        for begin, wave in self._waves:
            low, high = max(begin, first), min(begin + len(wave), last)
            if low < high:
                out[low - first : high - first] += wave[low - begin : high - begin]
        for begin, end, one in self._carriers:
            low, high = max(begin, first), min(end, last)
            if low < high:
                turns = np.arange(low - begin, high - begin) * (one.offset_hz / self.sample_rate_hz) % 1.0
                phase = (2 * np.pi * turns + one.phase_rad).astype(np.float32)
                out[low - first : high - first] += one.amplitude * (np.cos(phase) + 1j * np.sin(phase))
        self.position = last
        self._forget()
        return out

    def _forget(self) -> None:
        at = self.position
        self._waves = [(begin, wave) for begin, wave in self._waves if begin + len(wave) > at]
        self._carriers = [one for one in self._carriers if one[1] > at]
