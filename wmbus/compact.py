"""Compact frames (EN 13757-3, CI 79, 7B, 73): the values alone, once the full frame has been seen.

    compact payload:  format signature(2, LE)  full-frame CRC(2, LE)  values in order
    format signature = CRC-16 of all DIF/VIF chains of the full frame, one after the other
    full-frame CRC   = CRC-16 of the full frame's records

A receiver learns formats from full frames and rebuilds the records.  The full-frame CRC must fit the rebuilt bytes,
else the format was another one with the same signature (16 bits are few) and the telegram is refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache

from wmbus.dif import Chain, chain, chain_end
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import crc16
from wmbus.records import Record
from wmbus.values import lvar_bytes

_HEAD = 4
KNOWN_FORMATS = 4096


@lru_cache(maxsize=KNOWN_FORMATS)
def _signature_of(chains: bytes) -> int:
    """Kept, since a fleet sends the same few formats in every telegram."""
    return crc16(chains)


class Formats:
    """The formats a receiver has seen, at most ``limit`` of them; the longest unused is forgotten first."""

    def __init__(self, limit: int = KNOWN_FORMATS) -> None:
        self._known: OrderedDict[int, tuple[Chain, ...]] = OrderedDict()
        self._limit = limit
        self._latest: tuple[tuple[Chain, ...], int] | None = None  # the one used last, if it was learned

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, records: Iterable[Record]) -> int:
        """Remember the format of a full frame's records; returns its signature."""
        return self.learn_parsed(tuple([record.chain for record in records if record.chain.dif_vif]))

    def learn_parsed(self, chains: tuple[Chain, ...]) -> int:
        """The same of its chains, in order."""
        if self._latest is not None and chains == self._latest[0]:
            return self._latest[1]  # a fleet's telegrams are of one format mostly
        number = _signature_of(b"".join([one.dif_vif for one in chains]))
        self._remember(number, chains)
        return number

    def learn_chains(self, dif_vif: bytes) -> int:
        """Remember a format published as bare DIF/VIF bytes.  Raises BadTelegram (bad-record)."""
        chains = []
        at = 0
        while at < len(dif_vif):
            end = chain_end(dif_vif, at)
            chains.append(chain(dif_vif[at:end]))
            at = end
        number = crc16(dif_vif)
        self._remember(number, tuple(chains))
        return number

    def _remember(self, number: int, chains: tuple[Chain, ...]) -> None:
        self._latest = chains, number
        self._known[number] = chains
        self._known.move_to_end(number)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def expand(self, payload: bytes, *, offset: int = 0) -> bytes:
        """Compact payload -> the full frame's records.

        Raises BadTelegram: format-unknown, format-mismatch (lengths or the full-frame CRC do not fit), bad-record.
        """
        if len(payload) < _HEAD:
            raise BadTelegram(Reason.BAD_RECORD, "a compact frame begins with four bytes of signature and CRC", offset)
        number = int.from_bytes(payload[:2], "little")
        chains = self._known.get(number)
        if chains is None:
            raise BadTelegram(Reason.FORMAT_UNKNOWN, f"no full frame of format {number:04X} has been seen", offset)
        self._known.move_to_end(number)
        self._latest = None
        at = _HEAD
        out = bytearray()
        for one in chains:
            size = one.size
            if size < 0:
                extra = lvar_bytes(payload[at]) if at < len(payload) else None
                if extra is None:
                    raise BadTelegram(Reason.FORMAT_MISMATCH, "the LVAR byte is missing or reserved", offset + at)
                size = 1 + extra
            out += one.dif_vif
            out += payload[at : at + size]
            at += size
        if at > len(payload) or payload[at:].strip(b"\x2f"):
            raise BadTelegram(
                Reason.FORMAT_MISMATCH, f"the format needs {at} bytes, the frame has {len(payload)}", offset
            )
        full = bytes(out)
        if crc16(full) != int.from_bytes(payload[2:4], "little"):
            raise BadTelegram(Reason.FORMAT_MISMATCH, "the full-frame CRC does not fit the rebuilt records", offset + 2)
        return full


def encode(records: Iterable[Record]) -> bytes:
    """Records -> compact payload (without CI).  Raises CannotEncode for records that have no chain."""
    chains = b""
    full = b""
    values = b""
    for record in records:
        if record.quantity in ("manufacturer data", "unreadable"):
            raise CannotEncode("a compact frame holds standard records only")
        chains += record.dif_vif
        full += record.wire()
        values += record.raw
    return crc16(chains).to_bytes(2, "little") + crc16(full).to_bytes(2, "little") + values
