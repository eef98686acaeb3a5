"""A telegram for programs: one JSON-ready object.

The rule kept here: a telegram that is refused still says everything that could be read up to there, and nothing but
our own mistakes raises.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

from wmbus import profiles
from wmbus.compact import Formats
from wmbus.errors import BadTelegram
from wmbus.explain import DEVICE_TYPES
from wmbus.link import HEADER_BYTES, Address, frame_format, strip_crcs
from wmbus.reading import Reading, interpret
from wmbus.received import Telegram, parse
from wmbus.receiver import unlock


def to_json(
    data: bytes,
    key: bytes | None = None,
    *,
    strict: bool = True,
    formats: Formats | None = None,
    **switches: Any,
) -> dict[str, Any]:
    """One JSON-ready object for any bytes; never raises BadTelegram, an ``error`` member says what was wrong.

    ``formats`` carries what full frames taught from one call to the next, so that compact frames open; ``switches``
    are those of ``receiver.unlock``.

    Members as far as they could be read: frame_format, manufacturer, id, version, device_type, device_type_name,
    c_field, acc, sts, layers, security, security_mode, encrypted_blocks, mac_ok, counter, clear_tail, records.
    """
    out: dict[str, Any] = {}
    try:
        out["frame_format"] = frame_format(data)
        if len(data) >= HEADER_BYTES:
            out |= _address_json(Address.from_wire(data[2:HEADER_BYTES]))
        telegram = parse(strip_crcs(data))
        out |= headers_json(telegram)
        unlocked = unlock(telegram, key, **switches)
        if unlocked.telegram is not telegram:
            outer = out["security"]
            out |= headers_json(unlocked.telegram)
            out["security"] = outer
        out["mac_ok"] = unlocked.mac_ok
        out["counter"] = unlocked.counter
        out["clear_tail"] = unlocked.clear_tail.hex()
        reading = interpret(unlocked, strict=strict, formats=formats)
        out["records"] = records_json(reading)
    except BadTelegram as error:
        out["error"] = {"reason": error.reason.value, "detail": error.detail, "offset": error.offset}
    return out


def _address_json(address: Address) -> dict[str, Any]:
    return {
        "manufacturer": address.manufacturer,
        "id": address.id,
        "version": address.version,
        "device_type": address.device_type,
        "device_type_name": DEVICE_TYPES.get(address.device_type, "reserved"),
    }


def headers_json(telegram: Telegram) -> dict[str, Any]:
    """What the headers say."""
    a = telegram.address
    layers = ["DLL"]
    if telegram.ell is not None:
        layers.append(f"ELL {telegram.ell.ci:02X}")
    if telegram.afl is not None:
        layers.append("AFL 90")
    if telegram.ci is not None:
        layers.append(f"TPL {telegram.ci:02X}")
    out: dict[str, Any] = {
        **_address_json(a),
        "c_field": telegram.c_field,
        "acc": telegram.acc,
        "sts": telegram.sts,
        "layers": layers,
        "security": telegram.security,
        "security_mode": telegram.mode,
        "encrypted_blocks": telegram.encrypted_blocks,
    }
    if a != telegram.link_address:
        out["link_address"] = _address_json(telegram.link_address)
    return out


def records_json(reading: Reading) -> list[dict[str, Any]]:
    """The records; a profile also lists its points."""
    out = []
    for record in reading.records:
        entry: dict[str, Any] = {
            "dif_vif": record.dif_vif.hex().upper(),
            "quantity": record.quantity,
            "value": _json_value(record.value),
            "unit": record.unit,
            "storage_number": record.storage,
            "tariff": record.tariff,
            "subunit": record.subunit,
            "function": record.function,
            "modifiers": list(record.modifiers),
            "offset": record.offset,
        }
        if profiles.is_profile(record):
            try:
                entry["points"] = [
                    {"when": _json_value(p.when), "value": p.value, "total": p.total}
                    for p in profiles.expand(record, reading.records)
                ]
            except BadTelegram as error:
                entry["error"] = {"reason": error.reason.value, "detail": error.detail, "offset": error.offset}
        out.append(entry)
    return out


def _json_value(value: object) -> Any:
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value
