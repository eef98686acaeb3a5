"""Qundis' walk-by record, VIF FF 5F with 53 bytes: what its meters send most of the day instead of records.

    at   0  7 bytes not described: what the telegram's place in a row of them is, and the like
         7  07
         8  1 byte, then the VIF of all values in it: 6E units, 05.. energy, 13 volume
        10  date of the first error (type G; FFFF none)
        12  value now          BCD of 8 digits
        16  set date           type G      18  value at the set date      BCD of 8 digits
        22  end of the month   type G      24  value at the month's end   BCD of 8 digits
        28  12 words: differences of the months before that; 8000 none
        52  2F

Described in public by the drivers qheat, qwater and qcaloric of wmbusmeters (pull request 1941, issue 2096) and held
here against the values published there. The record of 47 bytes that older devices (LSE) send
beside their standard record is described nowhere that was found, and stays bytes.
"""

from __future__ import annotations

from typing import Final

from wmbus.dates import decode_g
from wmbus.dif import chain
from wmbus.errors import BadTelegram
from wmbus.makers.value import MakerValue
from wmbus.values import decode_bcd, scaled

DIF_VIF: Final = b"\x0d\xff\x5f"
BYTES: Final = 53
_MARK_AT, _MARK, _VIF_AT, _END_AT, _END = 7, 0x07, 9, 52, 0x2F
_BCD_8: Final = 0x0C
_VALUES: Final = ((12, None, 0), (18, 16, 1), (24, 22, 17))  # (value, its date, storage)


def read(data: bytes) -> list[MakerValue] | None:
    """The values of one record's bytes; None for another layout, or one that is encrypted inside."""
    if len(data) != BYTES or data[_MARK_AT] != _MARK or data[_END_AT] != _END or data[_VIF_AT] & 0x80:
        return None
    try:
        meaning = chain(bytes((_BCD_8, data[_VIF_AT])))
    except BadTelegram:
        return None
    if not meaning.unit:
        return None
    found = []
    for at, date_at, storage in _VALUES:
        if date_at is not None:
            when = decode_g(data[date_at : date_at + 2])
            if when is None:
                continue  # FFFF: no such day yet, and its value is none
            found.append(MakerValue("date", when, "", storage))
        number = scaled(decode_bcd(data[at : at + 4]), meaning.exponent)
        found.append(MakerValue(meaning.quantity, number, meaning.unit, storage))
    error = decode_g(data[10:12])
    return [*found, MakerValue("date of the first error", error)] if error is not None else found
