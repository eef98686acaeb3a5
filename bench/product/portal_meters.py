"""The meters that a product under attack is to know: one for each row and mode, so that no attack disturbs another, and
one whose telegrams fill the time between.

Water meters whose telegrams have what the attacks need: a first block with the volume in BCD at its begin, and a later
telegram with the volume in its second block, as in docs/how-to/attack-a-portal.md. Identifications, keys and values
follow from the seed, so a list of keys can be handed over before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bench.product.rows.port import Case, Mode, PortalRow
from wmbus.link import Address
from wmbus.sender import build

MAKER: Final = "SEN"
VERSION: Final = 0x68
WATER: Final = 0x07
CLOCK: Final = bytes.fromhex("046d1c014531")  # 2026-01-05 01:28, type F
FILL: Final = b"\x2f"
TEXT: Final = b"\x0d\x78\x1b" + b"WMBENCH NUMBER OF A METER 1"
"""A fabrication number of 27 letters (DIF 0D, VIF 78): with 2F2F before it, two blocks to the byte."""
FIRST_ID: Final = 71_000_000
GENUINE, FRESH, HELD, AFTER = 4_321, 1_234, 5_678, 8_765
"""Litres that its telegrams read: given first, never given, never given, given last."""
_SECURITY: Final = {"mode0": "none", "mode5": "mode5", "mode7": "mode7"}


def volume(litres: int) -> bytes:
    """Eight digits of BCD (DIF 0C, VIF 13)."""
    return b"\x0c\x13" + bytes.fromhex(f"{litres:08d}")[::-1]


@dataclass(frozen=True, slots=True)
class Meter:
    """`key`: None in mode 0. `row`: for which it is; "" of the one that fills the time."""

    id: str
    mode: Mode
    key: bytes | None
    row: str

    def telegram(self, number: int, records: bytes) -> bytes:
        """Its telegram of this access number and counter."""
        address = Address(MAKER, self.id, VERSION, WATER)
        counter = number if self.mode == "mode7" else None
        return build(address, number & 255, 0, records, security=_SECURITY[self.mode], key=self.key, counter=counter)  # type: ignore[arg-type]

    def case(self) -> Case:
        tail = FILL * 2 + bytes.fromhex("023b0500")
        genuine = self.telegram(21, volume(GENUINE) + CLOCK + tail)
        fresh = self.telegram(24, volume(FRESH) + CLOCK + tail)
        held = self.telegram(25, CLOCK + FILL * 8 + volume(HELD))
        long = self.telegram(26, TEXT + volume(HELD))
        return Case(self.mode, MAKER, genuine, GENUINE, fresh, FRESH, held, HELD, long, 26)

    def after(self) -> bytes:
        """Genuine, behind the attack."""
        return self.telegram(30, volume(AFTER) + CLOCK)


def meters_for(rows: Iterable[PortalRow], seed: int) -> list[Meter]:
    """The last one fills the time."""
    wanted = [(row.id, mode) for row in rows for mode in row.modes]
    made = [
        Meter(f"{FIRST_ID + at:08d}", mode, None if mode == "mode0" else _key(seed, at), row)
        for at, (row, mode) in enumerate(wanted)
    ]
    return [*made, Meter(f"{FIRST_ID + 900_000:08d}", "mode5", _key(seed, 900_000), "")]


def _key(seed: int, number: int) -> bytes:
    return hashlib.blake2b(f"{seed} {number}".encode(), digest_size=16, person=b"wmbench portal").digest()


def key_list(meters: Iterable[Meter]) -> str:
    """CSV as `keys import` reads it, without the meters in clear."""
    rows = [f"{MAKER} {one.id} {VERSION:02X} {WATER:02X},{one.key.hex()}" for one in meters if one.key is not None]
    return "\n".join(["address,key", *rows]) + "\n"
