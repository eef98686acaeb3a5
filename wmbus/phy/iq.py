"""2-FSK as IQ samples: emissions at any time, frequency and level, mixed into one recording, with noise.

Samples are complex64 with full scale 1.0.  Phase is continuous inside an emission; chip edges fall where they fall
between samples, so any sample rate above twice the occupied band works.  Noise needs a generator from the caller:
this package draws no random number of its own.

Signal-to-noise ratio is signal power over noise power in the whole sampled bandwidth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wmbus.errors import CannotEncode
from wmbus.phy.codes import Chips
from wmbus.phy.modes import Mode, to_chips

Samples = NDArray[np.complex64]
SampleFormat = Literal["cu8", "cs8", "cs16", "cf32"]
MAX_SAMPLES = 1 << 28


@dataclass(frozen=True, slots=True)
class Emission:
    """Chips on the air.

    ``amplitude`` 0-1 of full scale; ``offset_hz`` from the recording's centre; ``chip_rate_hz`` as this sender has
    it; ``phase_rad`` where its carrier starts.
    """

    chips: Chips
    chip_rate_hz: float
    deviation_hz: float
    start_s: float = 0.0
    offset_hz: float = 0.0
    amplitude: float = 0.5
    phase_rad: float = 0.0

    @property
    def duration_s(self) -> float:
        """Seconds on the air."""
        return len(self.chips) / self.chip_rate_hz

    @property
    def edge_hz(self) -> float:
        """How far from the centre it reaches."""
        return abs(self.offset_hz) + abs(self.deviation_hz)


@dataclass(frozen=True, slots=True)
class Carrier:
    """An unmodulated carrier: the simplest jammer."""

    duration_s: float
    start_s: float = 0.0
    offset_hz: float = 0.0
    amplitude: float = 0.5
    phase_rad: float = 0.0

    @property
    def edge_hz(self) -> float:
        """How far from the centre it is."""
        return abs(self.offset_hz)


def emission(
    frame: bytes,
    mode: Mode,
    *,
    start_s: float = 0.0,
    offset_hz: float = 0.0,
    amplitude: float = 0.5,
    chip_rate_hz: float | None = None,
    deviation_hz: float | None = None,
) -> Emission:
    """A frame (without CRCs) in a link mode as one emission.  Raises CannotEncode."""
    return Emission(
        to_chips(frame, mode),
        mode.chip_rate_hz if chip_rate_hz is None else chip_rate_hz,
        mode.deviation_hz if deviation_hz is None else deviation_hz,
        start_s,
        offset_hz,
        amplitude,
    )


def modulate(one: Emission, sample_rate_hz: float) -> Samples:
    """Samples of one emission from its first chip to its last."""
    count = int(np.ceil(one.duration_s * sample_rate_hz))
    chip = np.minimum((np.arange(count) * (one.chip_rate_hz / sample_rate_hz)).astype(np.int64), len(one.chips) - 1)
    frequency = one.offset_hz + one.deviation_hz * (2.0 * one.chips[chip] - 1.0)
    turns = np.cumsum(frequency / sample_rate_hz) % 1.0  # before it is narrow: 32-bit sines are ten times faster
    phase = (one.phase_rad + 2 * np.pi * turns).astype(np.float32)
    wave = np.empty(count, dtype=np.complex64)
    wave.real, wave.imag = np.cos(phase), np.sin(phase)
    wave *= np.float32(one.amplitude)
    return wave


def mix(
    sources: Iterable[Emission | Carrier],
    sample_rate_hz: float,
    *,
    duration_s: float | None = None,
    pad_s: float = 0.01,
) -> Samples:
    """Several emissions in one recording, ``pad_s`` of silence before the first start (0) and after the last end.

    Raises CannotEncode for a recording of more than 2**28 samples.
    """
    parts = list(sources)
    end_s = max((s.start_s + s.duration_s for s in parts), default=0.0) if duration_s is None else duration_s
    count = int(np.ceil((end_s + 2 * pad_s) * sample_rate_hz))
    if count > MAX_SAMPLES:
        raise CannotEncode(f"{count} samples; a recording has at most {MAX_SAMPLES}")
    out = np.zeros(count, dtype=np.complex64)
    for part in parts:
        at = round((part.start_s + pad_s) * sample_rate_hz)
        if isinstance(part, Carrier):
            turns = np.arange(int(np.ceil(part.duration_s * sample_rate_hz))) * (part.offset_hz / sample_rate_hz)
            wave = (part.amplitude * np.exp(1j * (2 * np.pi * turns + part.phase_rad))).astype(np.complex64)
        else:
            wave = modulate(part, sample_rate_hz)
        wave = wave[: max(0, count - at)]
        out[at : at + len(wave)] += wave
    return out


def to_bytes(samples: Samples, sample_format: SampleFormat) -> bytes:
    """Samples as a recording's bytes, I and Q interleaved, little endian, clipped at full scale.

    Raises CannotEncode for an unknown format.
    """
    pairs = np.empty((len(samples), 2), dtype=np.float32)
    pairs[:, 0], pairs[:, 1] = samples.real, samples.imag
    if sample_format == "cf32":
        return pairs.astype("<f4").tobytes()
    pairs = np.clip(pairs, -1.0, 1.0)
    if sample_format == "cu8":
        return np.round(pairs * 127.5 + 127.5).astype(np.uint8).tobytes()
    if sample_format == "cs8":
        return np.round(pairs * 127).astype(np.int8).tobytes()
    if sample_format == "cs16":
        return np.round(pairs * 32767).astype("<i2").tobytes()
    raise CannotEncode(f"sample format is cu8, cs8, cs16 or cf32, not {sample_format!r}")


def from_bytes(data: bytes, sample_format: SampleFormat) -> Samples:
    """Inverse of ``to_bytes`` up to rounding.  Raises CannotEncode for an unknown format."""
    if sample_format == "cf32":
        pairs = np.frombuffer(data, dtype="<f4")
    elif sample_format == "cu8":
        pairs = (np.frombuffer(data, dtype=np.uint8).astype(np.float32) - 127.5) / 127.5
    elif sample_format == "cs8":
        pairs = np.frombuffer(data, dtype=np.int8).astype(np.float32) / 127
    elif sample_format == "cs16":
        pairs = np.frombuffer(data, dtype="<i2").astype(np.float32) / 32767
    else:
        raise CannotEncode(f"sample format is cu8, cs8, cs16 or cf32, not {sample_format!r}")
    return (pairs[0::2] + 1j * pairs[1::2]).astype(np.complex64)
