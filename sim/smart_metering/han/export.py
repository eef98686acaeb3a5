"""Readings that a consumer takes away: XML, signed as a whole and value by value by the gateway's module, in clear.

The outer form is what a client of PPC's gateways reads: CMS SignedData around an `object` of
urn:k461-dke-de:profile_generic-1 (names of elements by that client; the schema itself could not be opened). What the
signature of a single value covers was not found; here it is `value_statement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as Xml

from sim.core.quoting import named
from sim.pki.party_certificates import Certificate, certified_point
from sim.pki.sealed_content import ContentError
from sim.pki.signed_content import DATA, sign_by, verify
from sim.pki.slot_keys import verifies
from sim.smart_metering.han.holding import Captured, HeldMeter
from sim.smgw.german_time import text
from sim.smgw.obis_codes import Obis, of_text
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import seconds

BYTES_MOST: Final = 1 << 24
_P: Final = "{urn:k461-dke-de:profile_generic-1}"
_E: Final = "{urn:k461-dke-de:extension-1}"
_K, _A, _S = (
    f"{{urn:k461-dke-de:{name}-1}}" for name in ("kaf_lmn_container", "abstract_device_setup", "e_meter_sensor_setup")
)

Sign = Callable[[bytes], bytes]


def device_id(meter: str) -> str:
    """A meter's name as a logical device has it."""
    return "".join(meter.split()).lower()


def obis_hex(obis: str) -> str:
    code: Obis = of_text(obis)
    return bytes((code.a, code.b, code.c, code.d, code.e, code.f)).hex()


def logical_name(meter: str, obis: str) -> str:
    """Of a meter's register."""
    return f"{obis_hex(obis)}.{device_id(meter)}.sm"


def value_statement(gateway: str, name: str, period: str, scaler: int, unit: int, one: Captured) -> bytes:
    """What the gateway signs of a single value."""
    return "|".join(
        (gateway, name, period, text(one.at_s), f"{one.status:08x}", str(one.value), str(scaler), str(unit))
    ).encode()


def readings(gateway: str, meters: Iterable[HeldMeter], certificate: Certificate, sign: Sign, now_s: int) -> bytes:
    """The container. A meter that begins anew has a column for each of its billing periods."""
    root = Xml.Element(f"{_P}object", {"gateway": gateway})
    attributes = Xml.SubElement(root, f"{_P}attributes")
    objects = Xml.SubElement(attributes, f"{_P}capture_objects")
    data = Xml.SubElement(Xml.SubElement(attributes, f"{_P}buffer"), f"{_P}simple_data")
    number = 0
    for meter in meters:
        name = logical_name(meter.name, meter.obis)
        for period in dict.fromkeys(one.period for one in meter.captured):
            number += 1
            about = Xml.SubElement(objects, f"{_P}capture_object", {"id": str(number)})
            Xml.SubElement(about, f"{_E}logical_name").text = name
            Xml.SubElement(about, f"{_E}billing_period").text = period
            column = Xml.SubElement(data, f"{_P}column", {"id": str(number)})
            for one in meter.captured:
                if one.period == period:
                    said = value_statement(gateway, name, period, meter.scaler, meter.unit, one)
                    _entry(column, one, meter, sign(said))
    return _signed(root, certificate, sign, now_s)


def _entry(column: Xml.Element, one: Captured, meter: HeldMeter, signature: bytes) -> None:
    entry = Xml.SubElement(column, f"{_P}entry_gateway_signed")
    Xml.SubElement(Xml.SubElement(entry, f"{_E}value"), f"{_E}long64").text = str(one.value)
    Xml.SubElement(entry, f"{_E}scaler").text = str(meter.scaler)
    Xml.SubElement(entry, f"{_E}unit").text = str(meter.unit)
    Xml.SubElement(Xml.SubElement(entry, f"{_E}status"), f"{_E}unsigned").text = str(one.status)
    Xml.SubElement(entry, f"{_E}capture_time").text = text(one.at_s)
    Xml.SubElement(entry, f"{_E}smgw_signature").text = signature.hex()


def profile(meters: Sequence[HeldMeter], raster_s: int, certificate: Certificate, sign: Sign, now_s: int) -> bytes:
    """How a meter is read: its number, the raster, its registers."""
    root = Xml.Element(f"{_K}container")
    device = Xml.SubElement(root, f"{_K}e_meter_device_object")
    Xml.SubElement(device, f"{_A}device_identifier").text = device_id(meters[0].name)
    Xml.SubElement(device, f"{_A}samplerate").text = str(raster_s)
    Xml.SubElement(device, f"{_A}active").text = "1"
    values = Xml.SubElement(device, f"{_S}values")
    for meter in meters:
        Xml.SubElement(values, f"{_S}value").text = obis_hex(meter.obis)
    return _signed(root, certificate, sign, now_s)


def _signed(root: Xml.Element, certificate: Certificate, sign: Sign, now_s: int) -> bytes:
    body = Xml.tostring(root, encoding="UTF-8", xml_declaration=True)
    return sign_by(body, certificate, sign, datetime.fromtimestamp(now_s, UTC), type_=DATA)


# --- at the consumer's ----------------------------------------------------------------------------------------------


def checked(data: bytes, gateway: str, certificate: Certificate) -> list[HeldMeter]:
    """The registers in an export of this gateway, each value under its own signature; `name` is the device's, `owner`
    and `interval_s` are not said. Raises ContentError for what this gateway did not sign, RuleError (export) for what
    is no export."""
    body = verify(data, certificate, type_=DATA).content
    if len(body) > BYTES_MOST or b"<!" in body:
        raise RuleError("export", "too long, or with a declaration in it")
    try:
        root = Xml.fromstring(body)
    except (Xml.ParseError, ValueError, LookupError) as error:
        raise RuleError("export", f"it is no XML: {error}") from None
    if root.tag != f"{_P}object" or root.get("gateway") != gateway:
        raise RuleError("export", f"it is no export of {named(gateway)}")
    public = certified_point(certificate)
    found: dict[tuple[str, int, int], list[Captured]] = {}
    about = {one.get("id"): one for one in root.iter(f"{_P}capture_object")}
    for column in root.iter(f"{_P}column"):
        told = about.get(column.get("id"))
        if told is None:
            raise RuleError("export", "a column that no capture object names")
        name = told.findtext(f"{_E}logical_name", "")
        period = told.findtext(f"{_E}billing_period", "")
        for entry in column:
            one, scaler, unit = _read(entry, period)
            statement = value_statement(gateway, name, period, scaler, unit, one)
            if not verifies(public, statement, _hex(entry.findtext(f"{_E}smgw_signature", ""))):
                raise ContentError("signature", f"the value of {text(one.at_s)} is not signed by this gateway")
            found.setdefault((name, scaler, unit), []).append(one)
    return [_meter(name, scaler, unit, rows) for (name, scaler, unit), rows in found.items()]


def _read(entry: Xml.Element, period: str) -> tuple[Captured, int, int]:
    try:
        value, status, scaler, unit = (
            int(entry.findtext(path, ""))
            for path in (f"{_E}value/{_E}long64", f"{_E}status/{_E}unsigned", f"{_E}scaler", f"{_E}unit")
        )
    except ValueError:
        raise RuleError("export", "an entry without a whole number where one belongs") from None
    at_s = seconds(entry.findtext(f"{_E}capture_time", ""), "export")
    return Captured(at_s, value, status, period), scaler, unit


def _hex(given: str) -> bytes:
    try:
        return bytes.fromhex(given)
    except ValueError:
        return b""


def _meter(name: str, scaler: int, unit: int, rows: list[Captured]) -> HeldMeter:
    code, _, device = name.removesuffix(".sm").partition(".")
    if not -18 <= scaler <= 18:
        raise RuleError("export", f"scaler {scaler} is beyond all measure")
    return HeldMeter(device, "", str(of_text(code)), scaler, unit, 0.0, tuple(sorted(rows)))
