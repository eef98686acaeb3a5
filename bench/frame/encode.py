"""`frame encode`: an object in, a telegram out; what `decode --json` printed can be fed back, changed or not.

Which members count, all others are passed over:

    manufacturer id version device_type     whose telegram; link_address the radio module's, with layer "TPL 72"
    acc sts c_field                         0, 0, 68 where not given
    security                                none, mode5 or mode7; key and counter as it needs them
    layers                                  which header (TPL 72, 7A or 78), and whether there is an ELL 8C
    cfg cc ell_acc                          flags of the configuration field; control byte and access number of the ELL
    length                                  bytes of the telegram: plain records are filled with 2F up to it
    records                                 {"dif_vif": HEX, "value": ...}, or {"hex": HEX} for a whole record

A record's value is encoded as its chain says. Where `raw` is given and still says the value, it is taken instead: some
makers write a number in more than one way. What these members cannot say (AES-CTR, mode 10, fragments) is refused.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from bench.frame.decode import parsed, stream
from bench.frame.hex_text import BadText, key_bytes, telegram_bytes, whole_stdin
from bench.frame.sample import TELEGRAMS_A_YEAR, fleet_of
from bench.run_errors import CannotRun
from sim.core.seeds import Seeds
from sim.core.vocabulary import MODE_OF, SECURITIES
from sim.meters.expected_records import Statement, statements
from sim.meters.meter_type import Kind, kind
from wmbus.as_json import json_value
from wmbus.dif import FILL, MANUFACTURER_DATA, MORE_RECORDS_FOLLOW, Chain, chain, chain_end
from wmbus.errors import BadTelegram, CannotEncode
from wmbus.link import SND_NR, Address, add_crcs_a, add_crcs_b
from wmbus.telegram import build
from wmbus.transport import CI_LONG, CI_NONE, CI_SHORT
from wmbus.values import INTEGER_BYTES, LVAR, Value

_TPL = {f"TPL {ci:02X}": ci for ci in (CI_LONG, CI_SHORT, CI_NONE)}
_ELL = "ELL 8C"
_LAYERS = {"DLL", _ELL, "AFL 90", *_TPL}
_CFG_FLAGS = {0: 0xE0FF, 5: 0xE00F, 7: 0xC00F}  # all but the mode, the number of blocks, and a counter's presence
_PREFIX = bytes((FILL, FILL))
_ELL_ACC = 12
_AFL_B = {"fcl": 0x2C00, "mcl": 0x25}  # counter and MAC of 8 bytes, as profile B has them


def encode(arguments: argparse.Namespace) -> int:
    """Raises CannotRun for what cannot be encoded, UnknownPart."""
    options = _options(arguments)
    if arguments.jsonl:
        if arguments.object is not None or arguments.type is not None:
            raise CannotRun("--jsonl reads its objects from standard input: leave out JSON and --type, or --jsonl")
        return stream(lambda line: _line(line, options, arguments.crc))
    if arguments.set and arguments.type is None:
        raise CannotRun("--set VALUE=N needs --type ID: it changes a value of that meter type")
    try:
        if arguments.type is not None:
            if arguments.object is not None:
                raise CannotRun("JSON or --type: both say what to send")
            given = of_type(kind(arguments.type), arguments.set, arguments.seed, options)
        else:
            text = arguments.object if arguments.object is not None else whole_stdin()
            given = parsed(text.encode("utf-8", "surrogateescape"))
        telegram, key = telegram_of({**given, **options}, arguments.crc)
    except (BadText, BadTelegram, CannotEncode) as error:
        raise CannotRun(f"no telegram can be made of this: {error}") from None
    shown = telegram.hex()
    print(json.dumps({"telegram": shown, "key": None if key is None else key.hex()}) if arguments.json else shown)
    return 0


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("key", "security", "acc", "counter", "sts", "id")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _line(line: bytes | None, options: dict[str, Any], crc: str) -> str:
    try:
        telegram, key = telegram_of({**parsed(line), **options}, crc)
    except BadText as error:
        return json.dumps({"error": error.as_json()})
    except (BadTelegram, CannotEncode) as error:
        return json.dumps({"error": {"reason": "cannot-encode", "detail": str(error), "offset": 0}})
    return json.dumps({"telegram": telegram.hex(), "key": None if key is None else key.hex()})


# --- from members ----------------------------------------------------------------------------------------------


def telegram_of(given: dict[str, Any], crc: str = "none") -> tuple[bytes, bytes | None]:
    """(telegram, key). Raises BadText, BadTelegram, CannotEncode."""
    wish = given.get("security", "none")
    security = next((one for one in SECURITIES if one == wish), None)
    if security is None:
        raise CannotEncode(f"security is none, mode5 or mode7, not {wish!r}")
    key = key_bytes(given.get("key"))
    if security != "none" and key is None:
        raise CannotEncode(f"{security} needs the meter's key: the member key, or --key")
    if given.get("clear_tail"):
        raise CannotEncode("records behind the encrypted blocks (clear_tail) are not made here")
    tpl, ell = _layers(given, security)
    link = given.get("link_address")
    telegram = build(
        _address(given),
        _byte(given, "acc", 0),
        _byte(given, "sts", 0),
        _records(given, tpl, ell, security),
        security=security,
        key=key,
        counter=_whole(given, "counter", None, 1 << 32),
        c_field=_byte(given, "c_field", SND_NR),
        tpl=tpl,
        ell=ell,
        cc=_byte(given, "cc", 0x20),
        link_address=None if link is None else _address(link),
        cfg_flags=_cfg_flags(given, MODE_OF[security]),
    )
    if ell:
        # No MAC covers the ELL, so its access number may be another one, as some makers' is.
        telegram = (
            telegram[:_ELL_ACC] + bytes((_byte(given, "ell_acc", telegram[_ELL_ACC]),)) + telegram[_ELL_ACC + 1 :]
        )
    if crc != "none":
        telegram = add_crcs_a(telegram) if crc == "A" else add_crcs_b(telegram)
    return telegram, key if security != "none" else None


def _cfg_flags(given: dict[str, Any], mode: int) -> int:
    """Those of the same mode only: in another one the bits mean something else."""
    cfg = _whole(given, "cfg", 0, 1 << 16) or 0
    return cfg & _CFG_FLAGS[mode] if cfg >> 8 & 31 == mode else 0


def _layers(given: dict[str, Any], security: str) -> tuple[int, bool]:
    layers = given.get("layers")
    if layers is None:
        return CI_SHORT, security == "mode7"
    if not isinstance(layers, list) or not all(isinstance(one, str) for one in layers):
        raise CannotEncode(f"layers is a list such as ['DLL', 'TPL 7A'], not {layers!r}")
    unknown = [one for one in layers if one not in _LAYERS]
    if unknown:
        raise CannotEncode(f"layer {unknown[0]} is not made here, only {', '.join(sorted(_LAYERS))}")
    if "AFL 90" in layers and security != "mode7":
        raise CannotEncode("an AFL is made for mode7 only")
    if given.get("afl", _AFL_B) != _AFL_B:
        raise CannotEncode(f"an AFL is made with counter and MAC of 8 bytes ({_AFL_B}), not {given['afl']}")
    found = [_TPL[one] for one in layers if one in _TPL]
    return found[0] if found else CI_SHORT, _ELL in layers


def _address(given: object) -> Address:
    if not isinstance(given, dict):
        raise CannotEncode(f"an address is an object with manufacturer, id, version, device_type, not {given!r}")
    parts = {name: given.get(name) for name in ("manufacturer", "id", "version", "device_type")}
    missing = [name for name, part in parts.items() if part is None]
    if missing:
        raise CannotEncode(f"the address lacks {', '.join(missing)}")
    manufacturer, number = parts["manufacturer"], parts["id"]
    if not isinstance(manufacturer, str) or not isinstance(number, str):
        raise CannotEncode('manufacturer and id are text, as in "QDS" and "10000001"')
    return Address(manufacturer, number, _byte(given, "version", 0), _byte(given, "device_type", 0))


def _byte(given: dict[str, Any], name: str, default: int) -> int:
    return _whole(given, name, default, 256) or 0


def _whole(given: dict[str, Any], name: str, default: int | None, limit: int) -> int | None:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        raise CannotEncode(f"{name} is a whole number from 0 to {limit - 1}, not {value!r}")
    return value


# --- records ---------------------------------------------------------------------------------------------------


def _records(given: dict[str, Any], tpl: int, ell: bool, security: str) -> bytes:
    records = given.get("records")
    if not isinstance(records, list):
        error = given.get("error")
        why = f"; its error says {error.get('reason')}" if isinstance(error, dict) else ""
        raise CannotEncode(f"records is a list of objects with dif_vif and value{why}")
    out = b"".join(_record(one, place) for place, one in enumerate(records))
    if security == "none":
        # Some makers put 2F2F in front of plain records too, and fill behind them; offset and length show it.
        begin = 10 + {CI_SHORT: 5, CI_LONG: 13, CI_NONE: 1}[tpl] + 3 * ell
        if records and records[0].get("offset") == begin + len(_PREFIX):
            out = _PREFIX + out
        out += bytes((FILL,)) * ((_whole(given, "length", 0, 257) or 0) - begin - len(out))
    return out


def _record(given: object, place: int) -> bytes:
    where = f"record {place}"
    if not isinstance(given, dict):
        raise CannotEncode(f"{where} is an object with dif_vif and value, not {given!r}")
    try:
        if "hex" in given:
            return telegram_bytes(str(given["hex"]))
        if not isinstance(given.get("dif_vif"), str):
            raise CannotEncode("it needs dif_vif, as in 036E (decode --json prints it), or the whole record as hex")
        head = telegram_bytes(given["dif_vif"])
        raw = telegram_bytes(given["raw"]) if isinstance(given.get("raw"), str) else None
        if not head or head in (bytes((MANUFACTURER_DATA,)), bytes((MORE_RECORDS_FOLLOW,))):
            return head + telegram_bytes(str(given.get("value") or ""))
        if chain_end(head, 0) != len(head):
            raise CannotEncode(f"dif_vif {given['dif_vif']} is not one whole chain")
        one = chain(head)
        if raw is not None and _says(one, raw, given.get("value")):
            return head + raw
        return head + one.encode(_value(one, given.get("value")))
    except (BadText, BadTelegram, CannotEncode, OverflowError) as error:
        detail = error.detail if isinstance(error, (BadText, BadTelegram)) else error
        raise CannotEncode(f"{where}: {detail}") from None


def _says(one: Chain, raw: bytes, value: object) -> bool:
    if len(raw) != one.size and (one.size >= 0 or not raw):
        return False
    return bool(json_value(one.decode(raw)) == value)


def _value(one: Chain, value: object) -> Value:
    """JSON's value -> what the chain encodes. Raises CannotEncode."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    if not isinstance(value, str):
        raise CannotEncode(f"{one.quantity} is a number, text or null, not {value!r}")
    if one.is_date:
        return _moment(one, value)
    if one.data_field == LVAR:
        return telegram_bytes(value) if one.is_profile else value
    raise CannotEncode(f"{one.quantity} is a number, not the text {value!r}")


def _moment(one: Chain, text: str) -> Value:
    try:
        if one.size == INTEGER_BYTES[2]:
            return date.fromisoformat(text)
        return time.fromisoformat(text) if one.size == INTEGER_BYTES[3] else datetime.fromisoformat(text)
    except ValueError:
        raise CannotEncode(f"{text!r} is no {one.quantity} such as 2026-02-01 or 2026-02-01T12:30:00") from None


# --- from a meter type -----------------------------------------------------------------------------------------


def of_type(one: Kind, settings: Iterable[str], seed: int, options: dict[str, Any]) -> dict[str, Any]:
    """Members for a type: a sampled meter's values, those of `settings` instead ("units=5"). Raises CannotEncode."""
    security = options.get("security", "none")
    fleet = fleet_of(one, security, 1, Seeds(seed).child(f"sample {one.id}"))
    truth = fleet.truth(0, Seeds(seed).one_below("encode", TELEGRAMS_A_YEAR, 0))
    by_name = {statement.slot.label: statement for statement in statements(one)}
    values = dict(truth.values)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in by_name:
            raise CannotEncode(f"--set {setting}: {one.id} has VALUE=N for {', '.join(by_name)}")
        values[name] = _number(by_name[name], text)
    try:
        records = one.records([values[label] for label in by_name])
    except ValueError as error:
        raise CannotEncode(str(error)) from None
    tpl = one.tpl_for(security)
    address, key = fleet.address(0), fleet.key(0)
    prefix = one.unencrypted_prefix if security == "none" else b""
    return {
        "manufacturer": address.manufacturer, "id": address.id, "version": address.version,
        "device_type": address.device_type, "c_field": one.c_field, "acc": truth.acc, "sts": truth.sts,
        "security": security, "key": None if key is None else key.hex(), "counter": truth.counter,
        "cfg": one.cfg_flags_unencrypted if security == "none" else 0,
        "layers": ["DLL", *([_ELL] if security == "mode7" else []), f"TPL {tpl:02X}"],
        "records": [{"hex": (prefix + records).hex()}],
    }  # fmt: skip


def _number(statement: Statement, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        pass
    value = _moment(statement.chain, text) if statement.chain.is_date else None
    if value is None:
        raise CannotEncode(f"{statement.slot.label} is a whole number as in the record, not {text!r}")
    return int.from_bytes(statement.chain.encode(value), "little")
