"""What a frame is, and in what it differs from the telegram that it was made from: words over raw bytes.

Written for the referee alone: it shares no code with the attacks that make frames nor with the portal that reads them,
knows no key, and decrypts nothing. Places are those of EN 13757-3, -4 and -7 in a frame without its CRCs:

    L C M2 ID4 V T | 8D CC ACC SN4 | ciphertext, where the extended link layer encrypts
    L C M2 ID4 V T | [8C CC ACC] | [90 AFLL FCL2 [MCL] [KI2] [MCR4] [MAC] [ML2]] | CI [ID4 M2 V T] ACC STS CFG2 [..]

What it cannot take apart has the word "unreadable" and no other, so that noise fits no variant.
"""

from __future__ import annotations

from typing import Final, NamedTuple

EXTENDED: Final = 0x8C
SESSION: Final = 0x8D
AUTHENTICATION: Final = 0x90
LONG, SHORT, BARE = 0x72, 0x7A, 0x78
_LINK: Final = 10  # L C M2 ID4 V T
_SEALED: Final = _LINK + 7  # 8D CC ACC SN4
_HAS_MAC, _HAS_COUNTER, _HAS_MCL = 0x0400, 0x0800, 0x2000
_MCL_AT: Final = 4
"""Place of MCL in the layer; its low four bits are the authentication type, and type 3 has two bytes."""
_TWO_BYTES: Final = 3
_ERROR: Final = 0x08  # permanent error, by which a meter says that it was tampered with
_BLOCK: Final = 16
_UNITS: Final = bytes.fromhex("036e")
_CLOCK: Final = bytes.fromhex("046d")
_UNITS_BYTES, _CLOCK_BYTES = 5, 6
_VIF_UNITS: Final = 0x6E
_WIDEST: Final = 4


class Parts(NamedTuple):
    """A frame taken apart. `access`, `status`, `config` are None where there is no header; `blocks` says the header."""

    address: bytes
    extended: bytes
    authentication: bytes
    ci: int
    who: bytes
    access: int | None
    status: int | None
    config: bytes
    body: bytes

    @property
    def mode(self) -> int:
        return self.config[1] & 0x1F if self.config else 0

    @property
    def blocks(self) -> int:
        return self.config[0] >> 4 if self.config else 0

    @property
    def flags(self) -> int:
        return int.from_bytes(self.authentication[2:4], "little") if len(self.authentication) >= 4 else 0


def parts(frame: bytes) -> Parts | None:
    """None: it is not a frame of the kinds known here."""
    if len(frame) < _LINK + 1 or frame[0] != len(frame) - 1:
        return None
    at, extended, authentication = _LINK, b"", b""
    if frame[at] == EXTENDED:
        extended = frame[at : at + 3]
        at += 3
    if frame[at : at + 1] == bytes((AUTHENTICATION,)):
        end = at + 2 + (frame[at + 1] if at + 1 < len(frame) else 255)
        authentication = frame[at:end]
        at = end
    if at >= len(frame):
        return None
    ci, at = frame[at], at + 1
    if ci == BARE:
        return Parts(frame[2:_LINK], extended, authentication, ci, b"", None, None, b"", frame[at:])
    if ci not in (LONG, SHORT):
        return None
    who = frame[at : at + 8] if ci == LONG else b""
    at += len(who)
    if at + 4 > len(frame):
        return None
    access, status, config = frame[at], frame[at + 1], frame[at + 2 : at + 4]
    at += 4 + (config[1] & 0x1F == 7)  # mode 7 has a byte more
    return Parts(frame[2:_LINK], extended, authentication, ci, who, access, status, config, frame[at:])


def shows(frame: bytes, original: bytes = b"") -> frozenset[str]:
    """What is seen in a frame by itself; whose address it has, next to the genuine telegram."""
    if _in_session(frame):
        own = {"own address"} if original and frame[2:_LINK] == original[2:_LINK] else set()
        return frozenset({"AES-CTR in the extended link layer"} | own)
    seen = parts(frame)
    if seen is None:
        return frozenset({"unreadable"})
    said = {{LONG: "header with address", SHORT: "header without address", BARE: "no header"}[seen.ci]}
    if seen.ci != BARE:
        said.add(f"mode {seen.mode}")
    if original and seen.address == original[2:_LINK]:
        said.add("own address")
    said.add("extended link layer" if seen.extended else "no extended link layer")
    if seen.mode in (5, 7) and not seen.blocks:
        said.add("no encrypted block")
    if seen.mode == 7 and not seen.flags & _HAS_MAC:
        said.add("no MAC")
    if seen.mode == 7 and seen.flags & _HAS_MAC and seen.flags & _HAS_MCL and _kind(seen) == _TWO_BYTES:
        said.add("MAC of two bytes")
    if seen.status is not None and not seen.status & _ERROR:
        said.add("no error in the status")
    return frozenset(said | _at_the_end(seen))


def changed(frame: bytes, original: bytes) -> frozenset[str]:
    """All in which a frame differs from the telegram it was made from; empty for an exact copy."""
    if frame == original:
        return frozenset()
    if _in_session(frame) and _in_session(original):
        return _in_one_session(frame, original)
    now, before = parts(frame), parts(original)
    if now is None or before is None:
        return frozenset({"unreadable"})
    said = set()
    if now.address != before.address:
        same_meter = now.address[:6] == before.address[:6] and now.address[7:] == before.address[7:]
        said.add("version" if same_meter else "address")
    if now.access != before.access:
        said.add("access number")
    if now.status != before.status:
        said.add("status")
    if now.config != before.config:
        same = now.config[1:] == before.config[1:] and now.config[:1] and now.config[0] & 15 == before.config[0] & 15
        way = "N lowered" if now.blocks < before.blocks else "N raised"
        said.add(way if same else "configuration")
    if (now.ci, now.who) != (before.ci, before.who):
        said.add("header")
    if now.extended[:2] != before.extended[:2]:  # its access number goes with the other one
        said.add("extended link layer")
    if now.authentication != before.authentication:
        said.add(_authentication(now, before))
    if frame[1] != original[1]:
        said.add("C field")
    return frozenset(said | _body(now, before))


def _kind(seen: Parts) -> int:
    """Authentication type."""
    return seen.authentication[_MCL_AT] & 0x0F if len(seen.authentication) > _MCL_AT else 0


def _in_session(frame: bytes) -> bool:
    """Encrypted in the extended link layer: bits 31 to 29 of its session number are 1."""
    known = len(frame) > _SEALED and frame[0] == len(frame) - 1 and frame[_LINK] == SESSION
    return known and frame[_SEALED - 1] >> 5 == 1


def _in_one_session(frame: bytes, original: bytes) -> frozenset[str]:
    """Differences of two such telegrams."""
    said = {"C field"} if frame[1] != original[1] else set()
    places = (("address", 2, _LINK), ("communication control", _LINK + 1, _LINK + 2),
              ("access number", _LINK + 2, _LINK + 3), ("session number", _LINK + 3, _SEALED))  # fmt: skip
    said |= {name for name, begin, end in places if frame[begin:end] != original[begin:end]}
    if frame[_SEALED:] != original[_SEALED:]:
        said.add("ciphertext" if len(frame) == len(original) else "contents")
    return frozenset(said)


def _authentication(now: Parts, before: Parts) -> str:
    if before.flags & _HAS_MAC and not now.flags & _HAS_MAC and now.flags & _HAS_COUNTER:
        return "MAC left out"
    return "authentication"


def _body(now: Parts, before: Parts) -> set[str]:
    """Differences behind the header."""
    new, old = now.body, before.body
    if new == old:
        return set()
    if len(new) > len(old) and new.startswith(old):
        return {"bytes appended"}
    if now.blocks < before.blocks and new[:_BLOCK] == old[:_BLOCK]:
        return {"cut behind the first block"}
    if now.blocks > before.blocks and len(new) == len(old) + _BLOCK * (now.blocks - before.blocks):
        apart = [place for place, (one, other) in enumerate(zip(new, old, strict=False)) if one != other]
        if len(apart) == 2 and apart[0] >= _BLOCK:
            return {"two bytes turned and blocks appended"}
    if len(new) != len(old):
        return {"contents"}
    places = [place for place, (one, other) in enumerate(zip(new, old, strict=True)) if one != other]
    if now.mode != 0:
        turned = sum((new[place] ^ old[place]).bit_count() for place in places)
        return {"one bit behind the first block"} if turned == 1 and places[0] >= _BLOCK else {"ciphertext"}
    return {_clear(old, place) for place in places}


def _clear(body: bytes, place: int) -> str:
    """Which record in clear a byte belongs to: the value behind the nearest beginning of a known one."""
    clock = body.rfind(_CLOCK, 0, place)
    if clock >= 0 and place < clock + _CLOCK_BYTES:
        return "clock in clear"
    units = body.rfind(_VIF_UNITS, max(0, place - _WIDEST), place)
    return "units in clear" if units >= 1 else "contents"


def _at_the_end(seen: Parts) -> set[str]:
    """Records in clear with which a frame ends: units, or units and a clock."""
    body, clock = seen.body, seen.body[-_CLOCK_BYTES:].startswith(_CLOCK)
    if clock:
        body = body[:-_CLOCK_BYTES]
    if not body[-_UNITS_BYTES:].startswith(_UNITS):
        return set()
    return {"units and a clock in clear at the end" if clock else "units in clear at the end"}
