"""`frame iq`: telegrams as a software radio would have recorded them, alone, one on another, or under a jammer.

Every telegram may say what is its own: HEX@start_ms=0.3,level_db=-6,offset_hz=20000,mode=C1A. Levels count from one
telegram's, which stands far enough below full scale that as many as meet do not clip. Signal to noise is against
that level, in the whole sampled bandwidth. The noise is the seed's.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.frame.hex_text import BadText, telegram_bytes
from bench.run_errors import CannotRun
from sim.core.seeds import Seeds
from wmbus.errors import BadTelegram, CannotEncode
from wmbus.link import strip_crcs
from wmbus.phy import iq as radio
from wmbus.phy.iq import Carrier, Emission, SampleFormat, Samples
from wmbus.phy.modes import MODES

FORMATS: tuple[SampleFormat, ...] = ("cu8", "cs8", "cs16", "cf32")
RATES_HZ = (2e5, 2e7)
PAD_S = 0.05
_OWN = ("start_ms", "level_db", "offset_hz", "mode")
_NOISE_CHUNK = 1 << 20
_FULL = 0.9  # of full scale, shared by all that are sent at once


@dataclass(frozen=True, slots=True)
class Wanted:
    """One telegram with what it says of itself; `start_ms` None: in its turn."""

    frame: bytes
    mode: str
    start_ms: float | None
    level_db: float
    offset_hz: float


def iq(arguments: argparse.Namespace) -> int:
    """Raises CannotRun for what cannot be sent."""
    sample_format = _format(arguments)
    if not RATES_HZ[0] <= arguments.rate_hz <= RATES_HZ[1]:
        raise CannotRun(
            f"--rate-hz {arguments.rate_hz:g}: between {RATES_HZ[0]:g} and {RATES_HZ[1]:g} samples a second"
        )
    for name in ("offset_hz", "deviation_hz", "chip_rate_hz", "gap_ms", "jammer_db", "jammer_hz"):
        _finite(f"--{name.replace('_', '-')}", getattr(arguments, name))
    if arguments.gap_ms < 0:
        raise CannotRun(f"--gap-ms {arguments.gap_ms:g}: silence is not negative; --collide sends all at once")
    if arguments.snr_db != math.inf:
        _finite("--snr-db", arguments.snr_db)
    wanted = [_wanted(text, arguments) for text in arguments.hex]
    try:
        sources, amplitude = _sources(wanted, arguments)
        samples = radio.mix(sources, arguments.rate_hz, pad_s=PAD_S)
    except CannotEncode as error:
        raise CannotRun(f"this cannot be sent: {error}") from None
    if not math.isinf(arguments.snr_db):
        _add_noise(samples, amplitude * 10 ** (-arguments.snr_db / 20), Seeds(arguments.seed))
    data = radio.to_bytes(samples, sample_format)
    if str(arguments.out) == "-":
        sys.stdout.buffer.write(data)
        return 0
    try:
        arguments.out.write_bytes(data)
    except OSError as error:
        raise CannotRun(f"{arguments.out} cannot be written: {error.strerror}; give another place with --out") from None
    seconds = len(samples) / arguments.rate_hz
    print(f"{arguments.out}: {len(wanted) * arguments.repeat} telegrams in {seconds:.3f} s, {len(data)} bytes")
    print(f"hear it: rtl_433 -s {arguments.rate_hz:.0f} -R 104 -R 105 -Y minmax -r {arguments.out} -F json")
    return 0


def _finite(name: str, value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        raise CannotRun(f"{name} {value} is not a finite number")


def _format(arguments: argparse.Namespace) -> SampleFormat:
    wish = arguments.format or Path(arguments.out).suffix.lstrip(".").lower()
    for one in FORMATS:
        if wish == one:
            return one
    raise CannotRun(f"{arguments.out}: which sample format? End the name in {', .'.join(FORMATS)}, or give --format")


def _wanted(text: str, arguments: argparse.Namespace) -> Wanted:
    hexa, _, own = text.partition("@")
    given: dict[str, str] = {}
    for part in filter(None, own.split(",")):
        name, _, value = part.partition("=")
        if name not in _OWN:
            raise CannotRun(f"{part!r} behind @: a telegram has {', '.join(_OWN)}, each with =VALUE")
        given[name] = value
    mode = given.pop("mode", arguments.mode)
    if mode not in MODES:
        raise CannotRun(f"mode={mode}: the modes are {', '.join(MODES)}")
    try:
        numbers = {name: float(value) for name, value in given.items()}
    except ValueError:
        raise CannotRun(f"{own!r} behind @: start_ms, level_db and offset_hz are numbers") from None
    for name, number in numbers.items():
        _finite(name, number)
    try:
        frame = strip_crcs(telegram_bytes(hexa))
    except BadText as error:
        raise CannotRun(f"{error.detail} (at {error.offset}); a telegram is given in hex") from None
    except BadTelegram as error:
        raise CannotRun(f"{hexa[:20]}... is no telegram: {error}") from None
    offset_hz = numbers.get("offset_hz", arguments.offset_hz)
    return Wanted(frame, mode, numbers.get("start_ms"), numbers.get("level_db", 0.0), offset_hz)


def _sources(wanted: list[Wanted], arguments: argparse.Namespace) -> tuple[list[Emission | Carrier], float]:
    """What is on the air, and the amplitude of level 0."""
    together = len(wanted) if arguments.collide or any(one.start_ms is not None for one in wanted) else 1
    levels = sorted((10 ** (one.level_db / 20) for one in wanted), reverse=True)[:together]
    jammer = 0.0 if arguments.jammer_db is None else 10 ** (arguments.jammer_db / 20)
    amplitude = _FULL / (sum(levels) + jammer) if sum(levels) + jammer > 1 else _FULL / 2
    out: list[Emission | Carrier] = []
    turn_s = 0.0
    for _ in range(arguments.repeat):
        begin_s = end_s = turn_s
        for one in wanted:
            start_s = turn_s if one.start_ms is None else begin_s + one.start_ms / 1e3
            if start_s < 0:
                raise CannotEncode(f"start_ms={one.start_ms:g} is before the recording begins")
            emission = radio.emission(
                one.frame, MODES[one.mode], start_s=start_s, offset_hz=one.offset_hz,
                amplitude=amplitude * 10 ** (one.level_db / 20), chip_rate_hz=arguments.chip_rate_hz,
                deviation_hz=arguments.deviation_hz,
            )  # fmt: skip
            _check_band(emission, arguments.rate_hz)
            out.append(emission)
            end_s = max(end_s, start_s + emission.duration_s)
            if not arguments.collide and one.start_ms is None:
                turn_s = end_s + arguments.gap_ms / 1e3
        turn_s = end_s + arguments.gap_ms / 1e3
    if arguments.jammer_db is not None:
        end_s = max(one.start_s + one.duration_s for one in out)
        out.append(Carrier(end_s, 0.0, arguments.jammer_hz, amplitude * jammer))
    return out, amplitude


def _check_band(one: Emission, rate_hz: float) -> None:
    if not 1e3 <= one.chip_rate_hz <= rate_hz:
        raise CannotEncode(f"{one.chip_rate_hz:g} chips a second; between 1000 and the sample rate")
    if one.edge_hz >= rate_hz / 2:
        raise CannotEncode(
            f"offset and deviation reach {one.edge_hz:g} Hz, beyond half of {rate_hz:g} samples a second"
        )


def _add_noise(samples: Samples, amplitude: float, seeds: Seeds) -> None:
    """White Gaussian noise of this effective value, in place."""
    sigma = amplitude / math.sqrt(2) / (1 << 16)
    for begin in range(0, len(samples), _NOISE_CHUNK):
        part = samples[begin : begin + _NOISE_CHUNK]
        place = np.arange(begin, begin + len(part))
        part.real += sigma * seeds.normal_q16("iq noise I", place)
        part.imag += sigma * seeds.normal_q16("iq noise Q", place)
