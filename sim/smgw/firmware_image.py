"""An image of a gateway's firmware, and what is looked at before one is taken.

    "WMFW" | format 1 | length of the head (2) | head, JSON | length of the program (4) | SHA-256 of it (32)
           | length of the signature (1) | signature | program

The head has the device type, the version (three numbers) and who signed. The signature is ECDSA over everything before
its length; so it covers the program by its digest. The order of looking: header, device, length, signer, signature,
integrity, version. That a gateway takes firmware from its administrator alone, signed, and no older one is recalled;
layout, order and who signs (its maker) are this model's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from sim.core.quoting import named
from sim.core.refused import Refusal

MAGIC: Final = b"WMFW\x01"
HEAD_MOST_BYTES: Final = 512
PROGRAM_MOST_BYTES: Final = 1 << 23
_DIGEST_BYTES: Final = 32
_FIELDS: Final = frozenset(("device", "version", "signer"))

Version = tuple[int, int, int]
Verify = Callable[[bytes, bytes], bool]
"""(signed bytes, signature) -> the expected signer signed them."""
REASONS: Final = ("header", "device", "length", "signer", "signature", "integrity", "version")


class FirmwareRefused(Refusal):
    """An image that is not taken. `reason` is the stable code, one of REASONS."""


class Firmware(NamedTuple):
    device: str
    version: Version
    program: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the program, hex."""
        return hashlib.sha256(self.program).hexdigest()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a gateway takes: images for its device type, signed by this signer, no older than what runs. `check` False
    is the weakness that takes whatever has a header."""

    device: str
    signer: str
    verify: Verify
    check: bool = True


def version_text(version: Version) -> str:
    return ".".join(map(str, version))


def encode(firmware: Firmware, signer: str, sign: Callable[[bytes], bytes]) -> bytes:
    """An image. `sign` may give nothing, which is an image without a signature. Raises ValueError for a version or a
    program that does not fit."""
    if len(firmware.program) > PROGRAM_MOST_BYTES or not all(0 <= one < 1 << 16 for one in firmware.version):
        raise ValueError(f"a program of at most {PROGRAM_MOST_BYTES} bytes, versions of numbers below 65536")
    head = json.dumps(
        {"device": firmware.device, "version": list(firmware.version), "signer": signer}, sort_keys=True
    ).encode()
    if len(head) > HEAD_MOST_BYTES:
        raise ValueError(f"a head of at most {HEAD_MOST_BYTES} bytes, not {len(head)}")
    signed = (
        MAGIC + len(head).to_bytes(2, "big") + head + len(firmware.program).to_bytes(4, "big")
        + hashlib.sha256(firmware.program).digest()
    )  # fmt: skip
    signature = sign(signed)
    return signed + bytes((len(signature),)) + signature + firmware.program


def judge(image: bytes, expected: Expected, running: Version) -> Firmware:
    """Raises FirmwareRefused."""
    head, signed_end, length, digest = _head(image)
    device, version, signer = head
    firmware_at = signed_end + 1 + image[signed_end]
    program = image[firmware_at:]
    found = Firmware(device, version, program)
    if not expected.check:
        return found
    if device != expected.device:
        raise FirmwareRefused("device", f"it is for {named(device)}, and this is {named(expected.device)}")
    if len(program) != length:
        raise FirmwareRefused("length", f"{len(program)} bytes of {length} are there")
    if signer != expected.signer:
        raise FirmwareRefused("signer", f"{named(signer)} signed it, not {named(expected.signer)}")
    if not expected.verify(image[:signed_end], image[signed_end + 1 : firmware_at]):
        raise FirmwareRefused("signature", f"it is not signed by {named(expected.signer)}")
    if hashlib.sha256(program).digest() != digest:
        raise FirmwareRefused("integrity", "its program is not the one that was signed")
    if version < running:
        raise FirmwareRefused("version", f"it is {version_text(version)}, and {version_text(running)} runs")
    return found


def _head(image: bytes) -> tuple[tuple[str, Version, str], int, int, bytes]:
    """((device, version, signer), where the signature's length stands, the program's length and digest)."""
    start = len(MAGIC) + 2
    if image[: len(MAGIC)] != MAGIC or len(image) < start:
        raise FirmwareRefused("header", "it does not begin as an image does")
    head_end = start + int.from_bytes(image[len(MAGIC) : start], "big")
    signed_end = head_end + 4 + _DIGEST_BYTES
    too_short = len(image) <= signed_end or len(image) < signed_end + 1 + image[signed_end]
    if head_end - start > HEAD_MOST_BYTES or too_short:
        raise FirmwareRefused("header", f"{len(image)} bytes end before its program begins")
    length = int.from_bytes(image[head_end : head_end + 4], "big")
    if length > PROGRAM_MOST_BYTES:
        raise FirmwareRefused("header", f"a program of {length} bytes; {PROGRAM_MOST_BYTES} are the most")
    return _fields(image[start:head_end]), signed_end, length, image[head_end + 4 : signed_end]


def _fields(head: bytes) -> tuple[str, Version, str]:
    try:
        given = json.loads(head)
    except (ValueError, RecursionError):
        raise FirmwareRefused("header", "its head is no JSON") from None
    if not isinstance(given, dict) or set(given) != _FIELDS:
        raise FirmwareRefused("header", f"its head has {', '.join(sorted(_FIELDS))}, and nothing else")
    device, version, signer = given["device"], given["version"], given["signer"]
    numbers = isinstance(version, list) and len(version) == 3 and all(type(one) is int for one in version)
    if not (numbers and isinstance(device, str) and isinstance(signer, str)):
        raise FirmwareRefused("header", "device and signer are text, the version is three numbers")
    return device, (version[0], version[1], version[2]), signer
