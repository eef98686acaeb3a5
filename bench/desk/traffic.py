"""What rows of the contract suite feed: telegrams of water meters, no two alike, each naming itself by its reading.

A telegram can be found again in whatever a gateway makes of it: as bytes, or by the meter's id and the litres that it
reads. Wherever the gateway decodes, telegrams are in clear, so that it needs no key; a gateway that forwards gets
clear and encrypted ones by turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.desk.inventory import Claims
from wmbus import compact
from wmbus.errors import CannotEncode
from wmbus.link import Address
from wmbus.records import parse_records
from wmbus.sender import build
from wmbus.transport import CI_NONE

KEY: Final = bytes.fromhex("8be1c7f04d2a9356b07ce1195d83fa26")
"""Of every meter here. No gateway is given it, so whoever shows it or what it hides got it elsewhere."""
MAKER: Final = "SEN"
VERSION: Final = 0x68
WATER: Final = 0x07
_VOLUME: Final = bytes.fromhex("0413")  # 32 bits of litres (EN 13757-3, table 10)
_FLOW: Final = bytes.fromhex("023b")  # 16 bits of litres an hour
_MAKERS_DATA: Final = b"\x0f"
_FIRST_LITRES: Final = 41_700_001
SND_NR: Final = 0x44
_MAKERS_CI: Final = 0xA0
_ENDLESS: Final = 10_000_000
CI_COMPACT: Final = 0x79
SHORTEST_L: Final = 10


@dataclass(frozen=True, slots=True)
class Telegram:
    """`frame`: without CRCs, L first. `meter`: eight digits. `litres`: what it reads, None of one that reads
    nothing. `hidden`: the plaintext of an encrypted one, "" bytes of the others."""

    frame: bytes
    meter: str
    litres: int | None
    hidden: bytes = b""


class Traffic:
    """Telegrams for one row. `meters`: how many take turns; of a gateway that thins, each telegram is of another."""

    def __init__(self, claims: Claims, meters: int = 20) -> None:
        self._claims = claims
        self._meters = meters if not claims.thinning_s else _ENDLESS
        self._made = 0

    def next(
        self, meter: str | None = None, *, length: int | None = None, encrypted: bool | None = None,
        c_field: int | None = None, maker: str = MAKER,
    ) -> Telegram:  # fmt: skip
        """The next telegram. `meter`: the one whose turn it is unless named. `length`: its L, 10 to 255; one with
        no room for a reading has none. `encrypted`: every second one of a gateway that forwards, unless said."""
        self._made += 1
        mark = self._made
        id_ = meter or f"{70_000_000 + mark % self._meters:08d}"
        address = Address(maker, id_, VERSION, WATER)
        control = c_field if c_field is not None else (*self._claims.c_fields, SND_NR)[0]
        if encrypted is None:
            encrypted = length is None and self._claims.forwards == "encrypted" and mark % 2 == 0
        litres = _FIRST_LITRES + mark
        records = _VOLUME + litres.to_bytes(4, "little")
        if encrypted:
            frame = build(address, mark & 255, 0, records, security="mode5", key=KEY, c_field=control)
            return Telegram(frame, id_, litres, records)
        plain = build(address, mark & 255, 0, records, security="none", c_field=control)
        if length is None:
            return Telegram(plain, id_, litres)
        more = length + 1 - len(plain)
        if more > 0:
            filler = (_MAKERS_DATA + bytes((mark * 7 + at) & 0x7F for at in range(more - 1)))[:more]
            return Telegram(
                build(address, mark & 255, 0, records + filler, security="none", c_field=control), id_, litres
            )
        if more == 0:
            return Telegram(plain, id_, litres)
        if length < SHORTEST_L:
            raise CannotEncode(f"L = {length} has no room for a link header and a CI")
        body = litres.to_bytes(4, "big") * 4
        frame = bytes((length, control)) + address.wire() + bytes((_MAKERS_CI,)) + body[: length - SHORTEST_L]
        return Telegram(frame, id_, None)

    def other_quantity(self, meter: str) -> Telegram:
        """One in clear of a meter that says its flow and not its volume."""
        self._made += 1
        records = _FLOW + (self._made % 1_000).to_bytes(2, "little")
        address = Address(MAKER, meter, VERSION, WATER)
        return Telegram(build(address, self._made & 255, 0, records, security="none"), meter, None)

    def full_frame(self, meter: str) -> Telegram:
        """Records without a header (CI 78): the format that compact frames refer to."""
        litres, records = self._reading()
        return self._without_header(meter, CI_NONE, records, litres)

    def compact_frame(self, meter: str) -> Telegram:
        """The values of such a full frame alone (CI 79)."""
        litres, records = self._reading()
        return self._without_header(meter, CI_COMPACT, compact.encode(parse_records(records)), litres)

    def _reading(self) -> tuple[int, bytes]:
        self._made += 1
        litres = _FIRST_LITRES + self._made
        return litres, _VOLUME + litres.to_bytes(4, "little")

    def _without_header(self, meter: str, ci: int, body: bytes, litres: int) -> Telegram:
        wire = Address(MAKER, meter, VERSION, WATER).wire()
        return Telegram(bytes((SHORTEST_L + len(body), SND_NR)) + wire + bytes((ci,)) + body, meter, litres)

    def several(self, count: int) -> list[Telegram]:
        return [self.next() for _ in range(count)]

    def broken(self, meter: str) -> list[bytes]:
        """Frames with good CRCs in whose inside nothing fits: a header cut short, an unknown CI, records that run over
        the end, ciphertext of a wrong key, and an APL of noise."""
        wire = Address(MAKER, meter, VERSION, WATER).wire()
        insides = (
            b"\x7a\x01", b"\xfe", b"\x7a\x02\x00\x00\x00\x0d\x13\xbf\x01", b"\x7a\x03\x00\x30\x05" + bytes(range(48)),
            b"\x7a\x04\x00\x10\x05\xff", b"\x72" + bytes(3), b"\x78" + b"\xff" * 30, b"\x8c\x20", b"\x90\x0f\x00",
        )  # fmt: skip
        return [bytes((9 + len(inside), SND_NR)) + wire + inside for inside in insides]
