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
from wmbus.makers.names import maker_words
from wmbus.receiver import PROFILE_B_AT, Switches, Unlocked, unlock
from wmbus.records import UNREADABLE, Record, duplicates, parse_records
from wmbus.transport import COMPACT, MANUFACTURER, RECORDS


@dataclass(slots=True)
class Reading:
    """What one telegram says.  Records at or beyond ``clear_from`` were never encrypted (None: no clear tail).
    ``full_under_compact``: full records stood where the CI announces a compact frame."""

    telegram: Telegram
    unlocked: Unlocked
    records: list[Record]
    clear_from: int | None
    full_under_compact: bool = False

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
            maker = maker_words(telegram.address.manufacturer)
            raise BadTelegram(
                Reason.MANUFACTURER_SPECIFIC, f"CI {ci:02X}: the payload is {maker}'s own format, not data records",
                telegram.payload_offset,
            )  # fmt: skip
        if ci in COMPACT:
            return _compact(unlocked, strict=strict, formats=formats)
        raise BadTelegram(Reason.UNKNOWN_CI, f"CI {ci or 0:02X} carries no data records", telegram.payload_offset)
    payload, clear_from = unlocked.plaintext, None
    if unlocked.clear_tail:
        clear_from = unlocked.offset + len(payload)
        payload += unlocked.clear_tail
    records = parse_records(payload, strict=strict, offset=unlocked.offset)
    if formats is not None:
        formats.learn(records)
    return Reading(telegram, unlocked, records, clear_from)


def _compact(unlocked: Unlocked, *, strict: bool, formats: Formats | None) -> Reading:
    """A compact frame's records; not strict: full records that some meters send under its CI are read as what they
    are."""
    known = formats if formats is not None else Formats()
    payload = unlocked.plaintext + unlocked.clear_tail
    try:
        full = known.expand(payload, offset=unlocked.offset)
    except BadTelegram:
        if strict:
            raise
        try:
            records = parse_records(payload, offset=unlocked.offset)
        except BadTelegram:
            records = []
        if not records:
            raise
        return Reading(unlocked.telegram, unlocked, records, None, full_under_compact=True)
    return Reading(
        unlocked.telegram, unlocked, parse_records(full, strict=strict, offset=unlocked.offset), None
    )


def oddities(reading: Reading) -> list[BadTelegram]:
    """What a strict receiver would have refused in a telegram that was read all the same: the refusals, in order of
    place.  None of them was raised."""
    odd: list[BadTelegram] = []
    telegram, unlocked, records = reading.telegram, reading.unlocked, reading.records
    if unlocked.mode:
        odd += _odd_security(telegram, unlocked)
    if reading.full_under_compact:
        odd.append(
            BadTelegram(
                Reason.FORMAT_MISMATCH, f"CI {telegram.ci:02X} announces a compact frame, these are full records",
                unlocked.offset,
            )
        )  # fmt: skip
    if len(records) > 1 and len({one.chain.dif_vif for one in records}) != len(records):
        odd += [
            BadTelegram(Reason.DUPLICATE_RECORD, f"a second record {one.dif_vif.hex().upper()}", one.offset)
            for one in duplicates(records)
            if one.dif_vif
        ]
    if records and records[-1].quantity == UNREADABLE:
        last = records[-1]
        try:
            parse_records(last.raw, offset=last.offset)
        except BadTelegram as error:
            odd.append(error)
    return sorted(odd, key=lambda one: one.offset) if len(odd) > 1 else odd


def _odd_security(telegram: Telegram, unlocked: Unlocked) -> list[BadTelegram]:
    odd = []
    transport, afl = unlocked.telegram.transport, unlocked.telegram.afl
    at = 0 if transport is None else transport.offset
    if not unlocked.decrypted:
        empty = unlocked.telegram.names_mode_but_encrypts_nothing
        words = "encrypts nothing (N = 0)" if empty else "the payload is in the clear: somebody decrypted it already"
        return [BadTelegram(Reason.NOT_ENCRYPTED, f"the header says mode {unlocked.mode}, but {words}", at)]
    if unlocked.clear_tail:
        tail = len(unlocked.clear_tail)
        odd.append(
            BadTelegram(
                Reason.CLEAR_TAIL, f"{tail} bytes after the encrypted blocks, which anybody may have put there",
                len(telegram.raw) - tail,
            )
        )  # fmt: skip
    if unlocked.mode == 7 and not unlocked.mac_ok:
        odd.append(BadTelegram(Reason.MAC_MISSING, "mode 7 without a MAC: nothing shows who wrote it", at))
    elif unlocked.mode == 7 and afl is not None and afl.at is not None and afl.at < PROFILE_B_AT:
        size = len(afl.mac or b"")
        odd.append(BadTelegram(Reason.MAC_TOO_SHORT, f"a MAC of {size} bytes; profile B has 8", afl.offset))
    return odd
