"""Our frames as Scapy layers, written from the tables of EN 13757-4, -7 and -3 and from nothing of ours.

    Dll(frame)            L C M A, then ELL, AFL and TPL as their CIs say, then the payload
    Records(plaintext)    DIF/VIF chains and values, fill bytes between them

Each layer is an ordered table of fields; what Scapy takes apart it puts together again, lengths worked out anew where
they are None. Numbers are little endian; Scapy's bit fields begin with the highest bit of the lower byte.
"""

from __future__ import annotations

from typing import Any

from scapy.fields import (
    BitField,
    ByteField,
    ConditionalField,
    FieldLenField,
    LEIntField,
    LEShortField,
    PacketListField,
    StrLenField,
    XByteField,
)
from scapy.packet import Packet, Raw

ELL = {0x8C, 0x8D, 0x8E, 0x8F}
SHORT_TPL = {0x5A, 0x61, 0x65, 0x6A, 0x6D, 0x6E, 0x74, 0x7A, 0x7B, 0x7D, 0x7F, 0x85, 0x88, 0x8A}
LONG_TPL = {0x5B, 0x60, 0x64, 0x6B, 0x6C, 0x6F, 0x72, 0x73, 0x75, 0x7C, 0x7E, 0x80, 0x84, 0x8B}
MAC_BYTES = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12, 9: 16}  # EN 13757-7, authentication types AES-CMAC and AES-GMAC


class _Layer(Packet):
    """The next layer by the CI at its begin (EN 13757-7, table of CI fields)."""

    def guess_payload_class(self, payload: bytes) -> Any:
        ci = payload[0] if payload else None
        if ci in ELL and isinstance(self, Dll):
            return Ell
        if ci == 0x90 and not isinstance(self, Tpl):
            return Afl
        return Raw if isinstance(self, Tpl) or ci is None else Tpl


class Dll(_Layer):
    """Data link layer, first block without CRCs: L counts what follows."""

    name = "DLL"
    fields_desc = [
        ByteField("L", None), XByteField("C", 0x44), LEShortField("M", 0), LEIntField("ID", 0),
        XByteField("version", 0), XByteField("type", 0),
    ]  # fmt: skip

    def post_build(self, packet: bytes, payload: bytes) -> bytes:
        whole = packet + payload
        return bytes((len(whole) - 1,)) + whole[1:] if self.L is None else whole


class Ell(_Layer):
    """Extended link layer I to IV. What ELL II and IV encrypt begins with the payload CRC."""

    name = "ELL"
    fields_desc = [
        XByteField("CI", 0x8C), XByteField("CC", 0), XByteField("ACC", 0),
        ConditionalField(LEShortField("M2", 0), lambda p: p.CI in (0x8E, 0x8F)),
        ConditionalField(LEIntField("ID2", 0), lambda p: p.CI in (0x8E, 0x8F)),
        ConditionalField(XByteField("version2", 0), lambda p: p.CI in (0x8E, 0x8F)),
        ConditionalField(XByteField("type2", 0), lambda p: p.CI in (0x8E, 0x8F)),
        ConditionalField(LEIntField("SN", 0), lambda p: p.CI in (0x8D, 0x8F)),
        ConditionalField(LEShortField("CRC", 0), lambda p: p.CI in (0x8D, 0x8F) and p.SN >> 29 == 0),
    ]  # fmt: skip

    def guess_payload_class(self, payload: bytes) -> Any:
        return Raw if self.SN and self.SN >> 29 else super().guess_payload_class(payload)


class Afl(_Layer):
    """Authentication and fragmentation layer: FCL says which fields follow, MCL how long the MAC is."""

    name = "AFL"
    fields_desc = [
        XByteField("CI", 0x90), ByteField("AFLL", None), ByteField("fragment_id", 0), BitField("reserved_15", 0, 1),
        BitField("more", 0, 1), BitField("has_MCL", 0, 1), BitField("has_ML", 0, 1), BitField("has_MCR", 0, 1),
        BitField("has_MAC", 0, 1), BitField("has_KI", 0, 1), BitField("reserved_8", 0, 1),
        ConditionalField(XByteField("MCL", 0), lambda p: p.has_MCL),
        ConditionalField(LEShortField("KI", 0), lambda p: p.has_KI),
        ConditionalField(LEIntField("MCR", 0), lambda p: p.has_MCR),
        ConditionalField(StrLenField("MAC", b"", length_from=lambda p: MAC_BYTES[p.MCL & 15]), lambda p: p.has_MAC),
        ConditionalField(LEShortField("ML", 0), lambda p: p.has_ML),
    ]  # fmt: skip

    def post_build(self, packet: bytes, payload: bytes) -> bytes:
        if self.AFLL is None:
            packet = packet[:1] + bytes((len(packet) - 2,)) + packet[2:]
        return packet + payload


def _headed(packet: Any) -> bool:
    return packet.CI in SHORT_TPL or packet.CI in LONG_TPL


def _moded(packet: Any, *modes: int) -> bool:
    return _headed(packet) and packet.mode in modes


class Tpl(_Layer):
    """Transport layer: no header, the short or the long one; CFG with its extension bytes by security mode."""

    name = "TPL"
    fields_desc = [
        XByteField("CI", 0x7A),
        ConditionalField(LEIntField("ID", 0), lambda p: p.CI in LONG_TPL),
        ConditionalField(LEShortField("M", 0), lambda p: p.CI in LONG_TPL),
        ConditionalField(XByteField("version", 0), lambda p: p.CI in LONG_TPL),
        ConditionalField(XByteField("type", 0), lambda p: p.CI in LONG_TPL),
        ConditionalField(ByteField("ACC", 0), _headed), ConditionalField(XByteField("STS", 0), _headed),
        ConditionalField(BitField("blocks", 0, 4), _headed), ConditionalField(BitField("content", 0, 4), _headed),
        ConditionalField(BitField("b15", 0, 1), _headed), ConditionalField(BitField("b14", 0, 1), _headed),
        ConditionalField(BitField("b13", 0, 1), _headed), ConditionalField(BitField("mode", 0, 5), _headed),
        ConditionalField(BitField("ext_reserved", 0, 2), lambda p: _moded(p, 7, 10, 13)),
        ConditionalField(BitField("KDF", 0, 2), lambda p: _moded(p, 7, 10, 13)),
        ConditionalField(BitField("key_id", 0, 4), lambda p: _moded(p, 7, 10, 13)),
        ConditionalField(XByteField("ext_2", 0), lambda p: _moded(p, 10)),
        ConditionalField(LEIntField("counter", 0), lambda p: _moded(p, 7, 10) and p.b13),
    ]  # fmt: skip


# --- records ----------------------------------------------------------------------------------------------------

VALUE_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
BCD, INTEGER = {9, 10, 11, 12, 14}, {1, 2, 3, 4, 6, 7}


class _Part(Packet):
    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        return b"", rest


class Dife(_Part):
    fields_desc = [
        BitField("more", 0, 1), BitField("subunit", 0, 1), BitField("tariff", 0, 2), BitField("storage", 0, 4),
    ]  # fmt: skip


class Vife(_Part):
    fields_desc = [BitField("more", 0, 1), BitField("code", 0, 7)]


class Fill(_Part):
    """2F between and after records."""

    fields_desc = [XByteField("fill", 0x2F)]


class Maker(_Part):
    """0F or 1F: the rest is the manufacturer's."""

    fields_desc = [XByteField("DIF", 0x0F), StrLenField("rest", b"", length_from=lambda p: 1 << 16)]


def _goes_on(cls: type[Packet], first: str) -> Any:
    """One more while the one before says so."""

    def next_class(packet: Any, _done: Any, current: Any, _rest: bytes) -> Any:
        return cls if (current.more if current is not None else getattr(packet, first)) else None

    return next_class


def _lvar_bytes(code: int) -> int:
    """EN 13757-3, table of LVAR: text, BCD, binary numbers."""
    if code < 0xC0:
        return code
    return code & 15 if code < 0xF0 else 4 * (code - 0xEC) if code < 0xF5 else {0xF5: 48, 0xF6: 64}[code]


def _size(packet: Any) -> int:
    return _lvar_bytes(packet.LVAR) if packet.data_field == 13 else VALUE_BYTES[packet.data_field]


class Record(_Part):
    """DIF, DIFEs, VIF, its text where it is 7C or FC, VIFEs, LVAR, value."""

    fields_desc = [
        BitField("dif_more", 0, 1), BitField("storage_0", 0, 1), BitField("function", 0, 2),
        BitField("data_field", 0, 4),
        PacketListField("difes", [], next_cls_cb=_goes_on(Dife, "dif_more")),
        BitField("vif_more", 0, 1), BitField("vif", 0, 7),
        ConditionalField(FieldLenField("text_bytes", None, fmt="B", length_of="text"), lambda p: p.vif == 0x7C),
        ConditionalField(StrLenField("text", b"", length_from=lambda p: p.text_bytes), lambda p: p.vif == 0x7C),
        PacketListField("vifes", [], next_cls_cb=_goes_on(Vife, "vif_more")),
        ConditionalField(XByteField("LVAR", 0), lambda p: p.data_field == 13),
        StrLenField("value", b"", length_from=_size),
    ]  # fmt: skip

    @property
    def storage(self) -> int:
        return int(self.storage_0) | sum(dife.storage << (1 + 4 * n) for n, dife in enumerate(self.difes))

    @property
    def tariff(self) -> int:
        return sum(dife.tariff << (2 * n) for n, dife in enumerate(self.difes))

    @property
    def subunit(self) -> int:
        return sum(dife.subunit << n for n, dife in enumerate(self.difes))

    @property
    def number(self) -> int | None:
        """The value as a whole number before its VIF scales it; None where it is none."""
        if self.data_field in INTEGER:
            return int.from_bytes(self.value, "little", signed=True)
        if self.data_field not in BCD:
            return None
        digits = self.value[::-1].hex()
        if digits[0] == "f":
            return -int(digits[1:]) if digits[1:].isdecimal() else None
        return int(digits) if digits.isdecimal() else None


def _next_record(_packet: Any, _done: Any, _current: Any, rest: bytes) -> Any:
    if not rest:
        return None
    return {0x2F: Fill, 0x0F: Maker, 0x1F: Maker}.get(rest[0], Record)


class Records(Packet):
    """A payload in the clear."""

    name = "records"
    fields_desc = [PacketListField("parts", [], next_cls_cb=_next_record)]

    @property
    def records(self) -> list[Record]:
        return [part for part in self.parts if isinstance(part, Record)]


def again(packet: Packet) -> bytes:
    """A packet's bytes from its fields alone, lengths worked out anew."""
    for layer in [packet, *packet.iterpayloads()]:
        layer.clear_cache()
        for name in ("L", "AFLL"):
            if name in layer.fields:
                setattr(layer, name, None)
    return bytes(packet)


__all__ = ["Afl", "Dll", "Ell", "Maker", "Record", "Records", "Tpl", "again"]
