"""A telegram for programs: one JSON-ready object.  ``wmbus.as_lines`` writes the same as text.

The rule kept here: a telegram that is refused still says everything that could be read up to there, and nothing but
our own mistakes raises.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any, Unpack

from wmbus import mode13, profiles
from wmbus.compact import Formats
from wmbus.dif import Chain
from wmbus.dissect import Telegram, parse
from wmbus.errors import BadTelegram, Reason
from wmbus.explain import DEVICE_TYPES
from wmbus.link import HEADER_BYTES, Address, check_length, frame_format, strip_crcs
from wmbus.makers.payloads import of_payload, of_records
from wmbus.makers.value import MakerValue
from wmbus.mode13 import Seen13
from wmbus.reading import Reading, interpret, oddities
from wmbus.receiver import Switches, Unlocked, unlock
from wmbus.records import Record
from wmbus.recover import Recovered, recover
from wmbus.tls_records import KINDS, MESSAGES, VERSIONS
from wmbus.values import Value


def to_json(
    data: bytes,
    key: bytes | None = None,
    *,
    strict: bool = True,
    formats: Formats | None = None,
    **switches: Unpack[Switches],
) -> dict[str, Any]:
    """One JSON-ready object for any bytes; never raises BadTelegram, an ``error`` member says what was wrong.

    ``formats`` carries what full frames taught from one call to the next, so that compact frames open; ``switches``
    are those of ``receiver.unlock``.

    Members as far as they could be read: frame_format, manufacturer, id, version, device_type, device_type_name,
    length, c_field, acc, sts, cfg, layers, security, security_mode, encrypted_blocks, mac_ok, counter, clear_tail,
    records; with an ELL cc and ell_acc, with an AFL afl, with two addresses link_address; ``odd``, if not ``strict``,
    lists what a strict receiver would have refused; in mode 13 ``tls``, what its records are; ``maker_values``, if a
    maker's own format is known.
    """
    out, reading = read_as_json(data, key, strict, formats, switches)
    if reading is not None:
        out["records"] = records_json(reading)
    return out


def read_as_json(
    data: bytes,
    key: bytes | None,
    strict: bool,
    formats: Formats | None,
    switches: Switches,
    found: Recovered | None = None,
) -> tuple[dict[str, Any], Reading | None]:
    """All but the records, and the reading they are to come from: None where ``error`` says why there is none."""
    if strict:
        found, (telegram, out) = None, _strictly(data)
    else:
        found, telegram, out = _as_found(data, found)
    if telegram is None:
        return out, None
    return out, _opened(out, telegram, key, strict, formats, switches, found)


def message_json(
    telegram: Telegram, key: bytes | None = None, *, strict: bool = True, **switches: Unpack[Switches]
) -> dict[str, Any]:
    """As ``to_json``, of a message that was joined from fragments."""
    out: dict[str, Any] = {}
    reading = _opened(out, telegram, key, strict, None, switches)
    if reading is not None:
        out["records"] = records_json(reading)
    return out


def _opened(
    out: dict[str, Any],
    telegram: Telegram,
    key: bytes | None,
    strict: bool,
    formats: Formats | None,
    switches: Switches,
    found: Recovered | None = None,
) -> Reading | None:
    """Put into ``out`` what the telegram says; None where ``error`` says why there is no reading."""
    try:
        out |= headers_json(telegram)
        if not strict and not telegram.has_data:
            odd = BadTelegram(Reason.BAD_HEADER, "link layers alone: no application data", telegram.payload_offset)
            out["mac_ok"] = out["counter"] = None
            out["clear_tail"] = ""
            _list_odd(out, found, [odd])
            return _nothing(telegram)
        own = None if strict else of_payload(telegram)
        if own is not None:
            out |= {"mac_ok": None, "counter": None, "clear_tail": "", "maker_values": maker_json(own)}
            _list_odd(out, found, [])
            return _nothing(telegram)
        tls = mode13.seen(telegram)
        if tls is not None:
            out |= {"mac_ok": None, "counter": None, "clear_tail": "", **tls_json(tls)}
            _list_odd(out, found, [])
            return _nothing(telegram)
        unlocked = unlock(telegram, key, **switches)
        if unlocked.telegram is not telegram:
            outer = out["security"]
            out |= headers_json(unlocked.telegram)
            out["security"] = outer
        out["mac_ok"] = unlocked.mac_ok
        out["counter"] = unlocked.counter
        out["clear_tail"] = unlocked.clear_tail.hex()
        reading = interpret(unlocked, strict=strict, formats=formats)
        if not strict:
            _list_odd(out, found, oddities(reading))
        makers = of_records(reading.telegram, reading.records)
        if makers:
            out["maker_values"] = maker_json(makers)
        return reading
    except BadTelegram as error:
        _list_odd(out, found, [])
        out["error"] = _error_json(error)
        return None


def tls_json(tls: Seen13) -> dict[str, Any]:
    """What security mode 13 shows without its session; ``whole`` False: of a message's first fragment alone."""
    records = [
        {
            "kind": KINDS[one.kind], "version": VERSIONS[one.version], "length": len(one.body) + one.missing,
            "offset": one.offset, "messages": [MESSAGES[message.kind] for message in one.messages],
        }
        for one in tls.records
    ]  # fmt: skip
    kind = "channel" if tls.kind == mode13.CHANNEL else "records"
    return {"security": "mode13", "security_mode": mode13.MODE, "tls": {"kind": kind, "whole": tls.whole,
            "records": records}}  # fmt: skip


def _nothing(telegram: Telegram) -> Reading:
    return Reading(telegram, Unlocked(telegram, b"", b"", None, None, 0, len(telegram.raw), False), [], None)


def maker_json(values: list[MakerValue]) -> list[dict[str, Any]]:
    """Values out of a maker's own format."""
    return [
        {"quantity": v.quantity, "unit": v.unit, "storage_number": v.storage, "value": json_value(v.value)}
        for v in values
    ]


def _strictly(data: bytes) -> tuple[Telegram | None, dict[str, Any]]:
    crcs = frame_format(data)
    out: dict[str, Any] = {"frame_format": crcs}
    try:
        if crcs == "none":
            check_length(data)
            return parse(bytes(data)), out
        return parse(strip_crcs(data)), out
    except BadTelegram as error:
        return None, _refused(out, data, error)


def _as_found(data: bytes, found: Recovered | None) -> tuple[Recovered | None, Telegram | None, dict[str, Any]]:
    """The telegram in these bytes, whatever stands before and after it."""
    try:
        found = found or recover(data)
    except BadTelegram as error:
        return None, None, _refused({"frame_format": "none"}, data, error)
    out: dict[str, Any] = {"frame_format": found.format}
    try:
        return found, parse(found.frame, headers_only=True), out
    except BadTelegram as error:
        _refused(out, found.frame, error)
        _list_odd(out, found, [])
        return found, None, out


def _refused(out: dict[str, Any], data: bytes, error: BadTelegram) -> dict[str, Any]:
    if len(data) >= HEADER_BYTES:
        out |= _address_json(Address.from_wire(data[2:HEADER_BYTES]))
    out["error"] = _error_json(error)
    return out


def _list_odd(out: dict[str, Any], found: Recovered | None, odd: list[BadTelegram]) -> None:
    before = [] if found is None else found.odd
    if before or odd:
        link = [{"reason": Reason.LENGTH_MISMATCH.value, "detail": one.words, "offset": one.offset} for one in before]
        out["odd"] = link + [_error_json(one) for one in odd]


def _error_json(error: BadTelegram) -> dict[str, Any]:
    return {"reason": error.reason.value, "detail": error.detail, "offset": error.offset}


def _address_json(address: Address) -> dict[str, Any]:
    return {
        "manufacturer": address.manufacturer,
        "id": address.id,
        "version": address.version,
        "device_type": address.device_type,
        "device_type_name": DEVICE_TYPES.get(address.device_type, "reserved"),
    }


def headers_json(telegram: Telegram) -> dict[str, Any]:
    """What the headers say; ``cfg`` is the whole configuration field, ``cc`` and ``ell_acc`` are the ELL's."""
    a = telegram.address
    layers = ["DLL"]
    out: dict[str, Any] = {
        **_address_json(a),
        "length": len(telegram.raw),
        "c_field": telegram.c_field,
        "acc": telegram.acc,
        "sts": telegram.sts,
        "cfg": None if telegram.transport is None else telegram.transport.cfg,
        "layers": layers,
        "security": telegram.security,
        "security_mode": telegram.mode,
        "encrypted_blocks": 0 if telegram.mode == mode13.MODE else telegram.encrypted_blocks,
    }
    if telegram.ell is not None:
        layers.append(f"ELL {telegram.ell.ci:02X}")
        out["cc"] = telegram.ell.cc
        out["ell_acc"] = telegram.ell.acc
    if telegram.afl is not None:
        layers.append("AFL 90")
        out["afl"] = {"fcl": telegram.afl.fcl, "mcl": telegram.afl.mcl}
        if telegram.afl.fragmented:
            out["afl"] |= {"fragment": telegram.afl.fragment, "more": telegram.afl.more_fragments}
        if telegram.afl.ml is not None:
            out["afl"]["ml"] = telegram.afl.ml
    if telegram.ci is not None:
        layers.append(f"TPL {telegram.ci:02X}")
    if a != telegram.link_address:
        out["link_address"] = _address_json(telegram.link_address)
    return out


def records_json(reading: Reading) -> list[dict[str, Any]]:
    """The records, ``raw`` their value's bytes; a profile also lists its points."""
    return [
        {**chain_json(r.chain), "offset": r.offset, "raw": r.raw.hex(), "value": json_value(r.value)}
        | ({"summer_time": True} if r.summer_time else {})
        | points_json(r, reading)
        for r in reading.records
    ]


def chain_json(chain: Chain) -> dict[str, Any]:
    return {
        "dif_vif": chain.dif_vif.hex().upper(),
        "quantity": chain.quantity,
        "unit": chain.unit,
        "storage_number": chain.storage,
        "tariff": chain.tariff,
        "subunit": chain.subunit,
        "function": chain.function,
        "modifiers": list(chain.modifiers),
    }


def points_json(record: Record, reading: Reading) -> dict[str, Any]:
    if not profiles.is_profile(record):
        return {}
    try:
        points = profiles.expand(record, reading.records)
    except BadTelegram as error:
        return {"error": _error_json(error)}
    return {"points": [{"when": json_value(p.when), "value": p.value, "total": p.total} for p in points]}


def json_value(value: Value) -> str | float | None:
    """A record's value as JSON has it: bytes in hex, dates and times in ISO 8601."""
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value
