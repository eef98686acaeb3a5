"""Messages longer than one frame: fragments of the authentication and fragmentation layer, apart and together again.

Fragments are numbered from 1; FCL's MF bit is set in all but the last.  The first carries MCL, MCR and ML (the bytes
of the whole message after the AFL), the last the MAC.  The MAC is over the message as a whole; a message in mode 13 has
none (see mode13).  The bytes of the one published message in fragments (OMS Volume 2, Annex N) could not be had: this
follows the standard's words, held by tests of its own.

The rule kept here: fragments come from one sender, in order, without a gap, and ML counts them to the byte.
"""

from __future__ import annotations

from dataclasses import replace

from wmbus.afl import FCL_FRAGMENT, FCL_KI, FCL_MAC, FCL_MCL, FCL_MCR, FCL_ML, FCL_MORE, Afl
from wmbus.dissect import Telegram, parse, parse_layers
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import MAX_L

_FIELDS = {"mcl": FCL_MCL, "ki": FCL_KI, "mcr": FCL_MCR, "mac": FCL_MAC, "ml": FCL_ML}
MAX_MESSAGE_BYTES = 16 * 1024
MAX_FRAGMENTS = 255


class Reassembly:
    """Fragments of one message in, the whole message out.  One object a sender; bounded to 16 KiB."""

    def __init__(self) -> None:
        self._parts: list[Telegram] = []

    @property
    def is_open(self) -> bool:
        """Fragments of a message are here, and more are due."""
        return bool(self._parts)

    def add(self, telegram: Telegram) -> Telegram | None:
        """Take one fragment; the whole message as a Telegram when it was the last one, else None.

        A first fragment begins anew.  Raises BadTelegram (fragment) for a gap, another sender, a message too long or
        one that ML does not count right; the fragments so far are then dropped.
        """
        afl = telegram.afl
        if afl is None or not afl.fragmented:
            return telegram
        if afl.fragment == 1:
            self._parts = []
        expected = len(self._parts) + 1
        sender = self._parts[0].raw[2:10] if self._parts else telegram.raw[2:10]
        if afl.fragment != expected or telegram.raw[2:10] != sender:
            self._parts = []
            raise BadTelegram(Reason.FRAGMENT, f"fragment {afl.fragment} where {expected} was due", afl.offset + 2)
        self._parts.append(telegram)
        self._check_size(afl)
        if afl.more_fragments:
            return None
        parts, self._parts = self._parts, []
        return _join(parts)

    def _check_size(self, afl: Afl) -> None:
        """Raises BadTelegram as soon as there is more than was announced, or than is ever taken."""
        first = self._parts[0].afl
        assert first is not None
        size = sum(len(part.raw) - (part.afl.end if part.afl is not None else 0) for part in self._parts)
        most = MAX_MESSAGE_BYTES if first.ml is None else min(first.ml, MAX_MESSAGE_BYTES)
        if size > most:
            self._parts = []
            said = f"ML says {first.ml} bytes, there are {size}" if most == first.ml else f"a message of {size} bytes"
            raise BadTelegram(Reason.FRAGMENT, f"{said}; at most {MAX_MESSAGE_BYTES} are taken", afl.offset)


def _join(parts: list[Telegram]) -> Telegram:
    whole = Afl(fcl=0)
    body = b""
    for part in parts:
        afl = part.afl
        assert afl is not None
        for name, flag in _FIELDS.items():
            value = getattr(afl, name)
            if value is not None:
                setattr(whole, name, value)
                whole.fcl |= flag
        body += part.raw[afl.end :]
    first = parts[0]
    assert first.afl is not None
    if whole.ml is not None and whole.ml != len(body):
        raise BadTelegram(Reason.FRAGMENT, f"ML says {whole.ml} bytes, there are {len(body)}", first.afl.offset)
    front = first.raw[: first.afl.offset]
    return parse_layers(front + whole.wire() + body, first.afl.offset if first.ell is None else first.ell.offset)


def split(frame: bytes, part_bytes: int) -> list[bytes]:
    """Cut a telegram that has an AFL with a MAC into fragments of at most ``part_bytes`` message bytes each.

    ``frame`` may be longer than a frame can be: its L byte is not looked at.  Raises CannotEncode.
    """
    telegram = parse_layers(frame, 10) if len(frame) > MAX_L + 1 else parse(frame)
    afl = telegram.afl
    if afl is None or afl.mac is None or afl.mcl is None:
        raise CannotEncode("only a telegram with an AFL and a MAC can be fragmented here")
    out = cut(frame[1 : afl.offset], afl, frame[afl.end :], part_bytes)
    if len(out) < 2:
        raise CannotEncode(f"1 fragment; a fragmented message has 2 to {MAX_FRAGMENTS}")
    return out


def cut(front: bytes, afl: Afl, body: bytes, part_bytes: int) -> list[bytes]:
    """Frames of a message: ``front`` (C to the ELL, without L) before each part of ``body``, ``afl``'s fields where
    they belong.  One part alone is no fragment, and has all of them.  Raises CannotEncode.
    """
    pieces = [body[at : at + part_bytes] for at in range(0, len(body), part_bytes)]
    if not 1 <= len(pieces) <= MAX_FRAGMENTS:
        raise CannotEncode(f"{len(pieces)} fragments; a fragmented message has 2 to {MAX_FRAGMENTS}")
    out = []
    for number, piece in enumerate(pieces, 1):
        last = number == len(pieces)
        part = Afl(0 if len(pieces) == 1 else number & FCL_FRAGMENT | (0 if last else FCL_MORE))
        if number == 1:
            part = replace(part, mcl=afl.mcl, ki=afl.ki, mcr=afl.mcr, ml=afl.ml)
        if last:
            part = replace(part, mac=afl.mac)
        part.fcl |= sum(flag for name, flag in _FIELDS.items() if getattr(part, name) is not None)
        whole = front + part.wire() + piece
        if len(whole) > MAX_L:
            raise CannotEncode(f"a fragment of {part_bytes} bytes makes L = {len(whole)}")
        out.append(bytes((len(whole),)) + whole)
    return out
