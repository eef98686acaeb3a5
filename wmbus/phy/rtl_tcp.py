"""The rtl_tcp protocol, sans I/O: how programs take IQ from a stick over the network.

The server says twelve bytes (magic, kind of tuner, number of gains, big endian) and then samples (cu8) without an end.
The client says commands of five bytes: a number and a big-endian argument.  Source: rtl_tcp.c of librtlsdr.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

MAGIC = b"RTL0"
R820T = 5
GAINS_CDB = (
    0, 90, 140, 270, 370, 770, 870, 1250, 1440, 1570, 1660, 1970, 2070, 2290, 2540, 2800, 2970, 3280, 3380, 3640, 3720,
    3860, 4020, 4210, 4340, 4390, 4450, 4800, 4960,
)  # fmt: skip
"""Gains of an R820T, in 1/100 dB."""
GREETING = MAGIC + struct.pack(">II", R820T, len(GAINS_CDB))
COMMAND_BYTES = 5
RATES_HZ = ((225_001, 300_000), (900_001, 3_200_000))
"""What an RTL2832U can be set to, both ends allowed."""


class Command(IntEnum):
    """What a client can say."""

    FREQUENCY = 1
    SAMPLE_RATE = 2
    GAIN_MODE = 3
    GAIN = 4
    PPM = 5
    IF_GAIN = 6
    TEST_MODE = 7
    AGC = 8
    DIRECT_SAMPLING = 9
    OFFSET_TUNING = 10
    RTL_XTAL = 11
    TUNER_XTAL = 12
    GAIN_BY_INDEX = 13
    BIAS_TEE = 14


class Said(NamedTuple):
    """``argument``: unsigned, 32 bits."""

    number: int
    argument: int

    @property
    def signed(self) -> int:
        """The argument as a signed number."""
        return self.argument - (1 << 32) if self.argument >> 31 else self.argument


class Commands:
    """Commands out of a stream that comes in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Said]:
        """The commands that are complete now."""
        self._rest += data
        whole = len(self._rest) // COMMAND_BYTES * COMMAND_BYTES
        told, self._rest = self._rest[:whole], self._rest[whole:]
        return [Said(*one) for one in struct.iter_unpack(">BI", told)]


def rate_is_possible(rate_hz: int) -> bool:
    """Whether an RTL2832U can be set to so many samples a second."""
    return any(low <= rate_hz <= high for low, high in RATES_HZ)
