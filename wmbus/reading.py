"""From frame to records in one go: parse, unlock, and read the payload, whole or compact.

What a payload is depends on its CI: data records, a compact frame that needs its format first, or the maker's own
bytes, which are refused by name and never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from wmbus.compact import Formats
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, Reason
from wmbus.link import Address
from wmbus.receiver import Switches, Unlocked, unlock
from wmbus.records import Record, parse_records
from wmbus.transport import COMPACT, MANUFACTURER, RECORDS


@dataclass(slots=True)
class Reading:
    """What one telegram says.  Records at or beyond ``clear_from`` were never encrypted (None: no clear tail)."""

    telegram: Telegram
    unlocked: Unlocked
    records: list[Record]
    clear_from: int | None

    @property
    def address(self) -> Address:
        return self.telegram.address

    def record(self, dif_vif: bytes) -> Record | None:
        """The first record with this chain, None if there is none."""
        for record in self.records:
            if record.chain.dif_vif == dif_vif:
                return record
        return None


def read(
    frame: bytes,
    key: bytes | None = None,
    *,
    strict: bool = True,
    formats: Formats | None = None,
    **switches: Unpack[Switches],
) -> Reading:
    """Frame -> records, in one go: ``parse``, ``unlock``, ``parse_records``.

    ``formats``, if given, learns from every full frame and opens compact frames.  Raises BadTelegram as those do, and
    manufacturer-specific where the payload has no records.
    """
    return interpret(unlock(parse(frame), key, **switches), strict=strict, formats=formats)


def interpret(unlocked: Unlocked, *, strict: bool = True, formats: Formats | None = None) -> Reading:
    """Records of an unlocked payload.

    Raises BadTelegram: manufacturer-specific, format-unknown, format-mismatch, unknown-ci, bad-record,
    duplicate-record.  Records of a compact frame count their offsets in the rebuilt payload.
    """
    telegram = unlocked.telegram
    ci = telegram.ci
    if ci not in RECORDS:
        if ci in MANUFACTURER:
            raise BadTelegram(Reason.MANUFACTURER_SPECIFIC, f"CI {ci:02X} is the maker's own", telegram.payload_offset)
        if ci in COMPACT:
            known = formats if formats is not None else Formats()
            full = known.expand(unlocked.plaintext + unlocked.clear_tail, offset=unlocked.offset)
            return Reading(telegram, unlocked, parse_records(full, strict=strict, offset=unlocked.offset), None)
        raise BadTelegram(Reason.UNKNOWN_CI, f"CI {ci or 0:02X} carries no data records", telegram.payload_offset)
    payload, clear_from = unlocked.plaintext, None
    if unlocked.clear_tail:
        clear_from = unlocked.offset + len(payload)
        payload += unlocked.clear_tail
    records = parse_records(payload, strict=strict, offset=unlocked.offset)
    if formats is not None:
        formats.learn(records)
    return Reading(telegram, unlocked, records, clear_from)
