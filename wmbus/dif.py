"""The DIF/VIF chain of one record: how long the value is, what it measures, which storage, tariff and subunit.

A chain is parsed once and remembered (bounded), because a fleet sends the same few chains in every telegram.

    DIF  b7 more, b6 storage bit 0, b5-4 function, b3-0 data field
    DIFE b7 more, b6 subunit, b5-4 tariff, b3-0 storage     (at most ten)
    VIF  b7 more, then a table; FB and FD choose other tables, 7C carries its unit as text, 7F/FF are the maker's
    VIFE b7 more, then a table of corrections, limits, profiles   (at most ten)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from wmbus import values, vif
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.link import Address
from wmbus.vif import Meaning

MAX_EXTENSIONS: Final = 10
CACHED_CHAINS: Final = 4096
FUNCTIONS: Final = ("instantaneous", "maximum", "minimum", "error")
MANUFACTURER_DATA, MORE_RECORDS_FOLLOW, FILL = 0x0F, 0x1F, 0x2F


class Chain:
    """One parsed DIF/VIF chain; shared by all records that carry it, so treat it as constant.

    ``size`` is the number of value bytes, -1: an LVAR byte gives it.  ``value = number * 10**exponent`` in ``unit``.
    """

    __slots__ = (
        "data_field", "decode", "dif_vif", "exponent", "function", "is_date", "is_profile", "modifiers", "quantity",
        "signed", "size", "storage", "subunit", "tariff", "unit",
    )  # fmt: skip

    dif_vif: bytes
    function: str
    storage: int
    tariff: int
    subunit: int
    data_field: int
    size: int
    quantity: str
    unit: str
    exponent: int
    modifiers: tuple[str, ...]
    signed: bool
    is_date: bool
    is_profile: bool
    decode: values.Decoder

    def encode(self, value: values.Value) -> bytes:
        """Value -> its bytes, LVAR byte included.  Raises CannotEncode."""
        if self.data_field == values.LVAR and self.decode is _lvar_bytes and isinstance(value, bytes):
            return bytes((len(value),)) + value
        if self.data_field == values.LVAR:
            scaled = isinstance(value, (int, float)) and self.exponent
            return values.encode_lvar(values.unscaled(value, self.exponent) if scaled else value)  # type: ignore[arg-type]
        if self.decode is _address and isinstance(value, str):
            return _address_bytes(value)
        if self.decode is values.decode_bcd_id and isinstance(value, str):
            return values.encode_bcd_id(value, self.size)
        if self.is_date:
            return values.encode_date(value, self.size)
        if self.size == 0:
            return b""
        if value is not None and not isinstance(value, (int, float)):
            raise CannotEncode(f"{self.quantity} is a number, not {type(value).__name__}")
        if self.data_field == values.REAL:
            number = value if value is None else values.scaled(value, -self.exponent)
            return values.encode_real(number)
        digits = values.unscaled(value, self.exponent)
        if self.data_field in values.BCD_BYTES:
            return values.encode_bcd(digits, self.size)
        return values.encode_integer(digits, self.size, signed=self.signed)


def chain_end(data: bytes, at: int) -> int:
    """Where the chain that begins at ``at`` ends.  Raises BadTelegram (bad-record) when the data ends first."""
    start = at
    try:
        while data[at] & 0x80:
            at += 1
        if at - start > MAX_EXTENSIONS:
            raise BadTelegram(Reason.BAD_RECORD, f"more than {MAX_EXTENSIONS} DIFEs", start)
        at += 1
        first_vif = at
        if data[at] & 0x7F == vif.PLAIN_TEXT:
            more = data[at] & 0x80
            at += 2 + data[at + 1]
            if not more:
                if at > len(data):
                    raise IndexError
                return at
        while data[at] & 0x80:
            at += 1
        if at - first_vif > MAX_EXTENSIONS and data[first_vif] & 0x7F != vif.PLAIN_TEXT:
            raise BadTelegram(Reason.BAD_RECORD, f"more than {MAX_EXTENSIONS} VIFEs", start)
    except IndexError:
        raise BadTelegram(Reason.BAD_RECORD, "the record's DIF/VIF chain is cut off", start) from None
    return at + 1


@lru_cache(maxsize=CACHED_CHAINS)
def chain(dif_vif: bytes) -> Chain:
    """Parse one whole chain.  Raises BadTelegram (bad-record) with an offset counted from the chain's first byte."""
    chain_end(dif_vif, 0)  # a record ends where this says; a maker's layout that names a VIF may promise more than that
    out = Chain()
    out.dif_vif = dif_vif
    dif = dif_vif[0]
    out.function = FUNCTIONS[dif >> 4 & 3]
    out.data_field = dif & 15
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    at = 0
    while dif_vif[at] & 0x80:
        dife = dif_vif[at + 1]
        storage |= (dife & 15) << 1 + 4 * at
        tariff |= (dife >> 4 & 3) << 2 * at
        subunit |= (dife >> 6 & 1) << at
        at += 1
    out.storage, out.tariff, out.subunit = storage, tariff, subunit
    _value_bytes(out, makers=_value_meaning(out, dif_vif, at + 1))
    return out


def _value_meaning(out: Chain, dif_vif: bytes, at: int) -> bool:
    """VIF and VIFEs -> quantity, unit, exponent, modifiers; whether only the maker knows what the value means."""
    code = dif_vif[at]
    more = bool(code & 0x80)
    at += 1
    text_unit = None
    if code in vif.EXTENSIONS:
        table = vif.EXTENSIONS[code]
        more = bool(dif_vif[at] & 0x80)
        meaning = table.get(dif_vif[at] & 0x7F, Meaning(f"reserved {code:02X}{dif_vif[at] & 0x7F:02X}"))
        at += 1
    elif code & 0x7F == vif.PLAIN_TEXT:
        length = dif_vif[at]
        text_unit = dif_vif[at + 1 : at + 1 + length][::-1].decode("latin-1")
        at += 1 + length
        meaning = Meaning("plain text unit", text_unit)
    else:
        meaning = vif.PRIMARY.get(code & 0x7F, Meaning(f"reserved {code & 0x7F:02X}"))
    quantity, unit, exponent = meaning
    out.signed = quantity not in vif.UNSIGNED
    out.is_date = quantity in ("date", "date and time", "tariff start", "battery change")
    out.is_profile = False
    modifiers: list[str] = []
    makers = code & 0x7F == 0x7F
    second_level = False
    while more:
        byte = dif_vif[at]
        more = bool(byte & 0x80)
        vife = byte & 0x7F
        at += 1
        if makers:
            modifiers.append(f"maker's {vife:02X}")
        elif second_level:
            second_level = False
            modifiers.append(vif.VIFE_FC.get(vife, f"reserved FC{vife:02X}"))
            if vife in vif.UNSIGNED_FC:
                out.signed = False
        elif vife == vif.EXTENSION_FC and more:
            second_level = True
        elif vif.MULTIPLIER_FIRST <= vife <= vif.MULTIPLIER_LAST:
            exponent += vife - vif.MULTIPLIER_FIRST - 6
        elif vife == vif.TIMES_1000:
            exponent += 3
        elif vif.ADDITIVE_FIRST <= vife <= vif.ADDITIVE_LAST:
            modifiers.append(f"plus 10^{vife - vif.ADDITIVE_FIRST - 3}")
        else:
            text = vif.VIFE.get(vife) or vif.RECORD_ERRORS.get(vife) or f"reserved VIFE {vife:02X}"
            modifiers.append(text)
            if vife in vif.DATE_OF:
                out.is_date, unit, exponent = True, "", 0
            elif vife in vif.DURATION_OF:
                out.is_date, unit, exponent = False, vif.DURATION_OF[vife], 0
            elif vife in vif.COUNT_OF:
                out.is_date, unit, exponent = False, "", 0
            elif vife in vif.PROFILES:
                out.is_profile = True
            elif vife == vif.MANUFACTURER_VIFE:
                makers = True
    out.quantity, out.unit, out.exponent, out.modifiers = quantity, unit, exponent, tuple(modifiers)
    return makers


def _value_bytes(out: Chain, *, makers: bool) -> None:
    """Data field -> size and decoder.  Raises BadTelegram for the special functions, which are no records."""
    field = out.data_field
    if field in values.INTEGER_BYTES:
        out.size = values.INTEGER_BYTES[field]
        if out.is_date and out.size in values.DATES:
            out.decode = values.DATES[out.size]
            return
        out.is_date = False
        if out.quantity == vif.WHOLE_ADDRESS and out.size == 8:
            out.decode = _address
            return
        base = values.decode_signed if out.signed else values.decode_unsigned
        out.decode = values.number_decoder(base, out.exponent)
        return
    out.is_date = False
    if field in values.BCD_BYTES:
        out.size = values.BCD_BYTES[field]
        if out.quantity in vif.IDENTIFICATIONS:
            out.decode = values.decode_bcd_id
            return
        out.decode = values.number_decoder(values.decode_bcd, out.exponent)
    elif field == values.REAL:
        out.size = 4
        out.decode = values.number_decoder(values.decode_real, out.exponent)
    elif field == values.LVAR:
        out.size = -1
        if out.is_profile or makers:
            out.decode = _lvar_bytes
        else:
            out.decode = values.lvar_decoder(out.exponent) if out.unit else values.decode_lvar
    elif field in (0, 8):
        out.size = 0
        out.decode = _no_value
    else:
        raise BadTelegram(Reason.BAD_RECORD, f"DIF {out.dif_vif[0]:02X} begins no record", 0)


def _no_value(_raw: bytes) -> values.Value:
    return None


def _lvar_bytes(raw: bytes) -> values.Value:
    """A profile, or what only its maker can read: text to nobody."""
    return bytes(raw[1:])


def _address(raw: bytes) -> values.Value:
    """VIF 79 with 64 bits: id, maker, version and type as in a long header."""
    return str(Address.from_wire(raw[4:6] + raw[:4] + raw[6:]))


def _address_bytes(text: str) -> bytes:
    try:
        maker, number, version, kind = text.split(" ")
        wire = Address(maker, number, int(version, 16), int(kind, 16)).wire()
    except ValueError as error:  # CannotEncode is one
        raise CannotEncode(f"an address is written as in QDS 10000001 36 08, not {text!r}") from error
    return wire[2:6] + wire[:2] + wire[6:]
