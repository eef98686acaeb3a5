"""An image is taken when everything about it holds, and refused for the first thing that does not."""

from __future__ import annotations

import pytest

from sim.pki.slot_keys import DRAWN_BYTES, SlotKey, verifies
from sim.smgw.firmware_image import (
    MAGIC,
    PROGRAM_MOST_BYTES,
    Expected,
    Firmware,
    FirmwareRefused,
    Version,
    encode,
    judge,
)

MAKER, STRANGER = (SlotKey(bytes((one,)) * DRAWN_BYTES) for one in (1, 2))
EXPECTED = Expected("box", "maker", lambda body, signature: verifies(MAKER.public, body, signature))
PROGRAM = bytes(range(256)) * 10


def image(version: Version = (1, 2, 3), device: str = "box", signer: str = "maker", key: SlotKey = MAKER) -> bytes:
    return encode(Firmware(device, version, PROGRAM), signer, key.sign)


@pytest.mark.parametrize("running", [(1, 2, 3), (1, 2, 2), (1, 1, 9), (0, 9, 9)])
def test_the_same_or_a_newer_one_is_taken(running: Version) -> None:
    assert judge(image(), EXPECTED, running) == Firmware("box", (1, 2, 3), PROGRAM)


CASES: list[tuple[str, bytes]] = [
    ("header", b""),
    ("header", MAGIC),
    ("header", b"WMFW\x02" + image()[5:]),
    ("header", MAGIC + b"\xff\xff" + image()[7:]),
    ("header", image()[:60]),
    ("header", image().replace(b'"signer"', b'"singer"')),
    ("header", image().replace(b"[1, 2, 3]", b"[1, 2, 3.")),
    ("header", image().replace(b"[1, 2, 3]", b"[1, 2,  ]")),
    ("device", image(device="another box")),
    ("length", image()[:-1]),
    ("length", image() + b"\0"),
    ("signer", image(signer="somebody", key=STRANGER)),
    ("signature", image(key=STRANGER)),
    ("signature", encode(Firmware("box", (1, 2, 3), PROGRAM), "maker", lambda body: b"")),
    ("signature", image().replace(b"[1, 2, 3]", b"[9, 2, 3]")),
    ("integrity", image()[:-1] + bytes((image()[-1] ^ 1,))),
    ("version", image(version=(1, 2, 2))),
    ("version", image(version=(0, 65_535, 65_535))),
]


@pytest.mark.parametrize(("reason", "given"), CASES, ids=[f"{number} {one[0]}" for number, one in enumerate(CASES)])
def test_what_does_not_hold_is_named(reason: str, given: bytes) -> None:
    with pytest.raises(FirmwareRefused) as refused:
        judge(given, EXPECTED, (1, 2, 3))
    assert refused.value.reason == reason


def test_no_changed_bit_is_taken() -> None:
    whole = image()
    for at in range(0, len(whole), 7):
        changed = whole[:at] + bytes((whole[at] ^ 1 << at % 8,)) + whole[at + 1 :]
        with pytest.raises(FirmwareRefused):
            judge(changed, EXPECTED, (1, 2, 3))


def test_without_the_check_whatever_has_a_head_is_taken() -> None:
    careless = Expected("box", "maker", EXPECTED.verify, check=False)
    for reason, given in CASES:
        if reason != "header":
            judge(given, careless, (1, 2, 3))


def test_what_does_not_fit_is_not_made() -> None:
    for firmware in (Firmware("box", (1, 2, 65_536), b""), Firmware("b" * 600, (1, 2, 3), b"")):
        with pytest.raises(ValueError, match=r"at most|below"):
            encode(firmware, "maker", MAKER.sign)
    with pytest.raises(ValueError, match=str(PROGRAM_MOST_BYTES)):
        encode(Firmware("box", (1, 2, 3), bytes(PROGRAM_MOST_BYTES + 1)), "maker", MAKER.sign)
