"""JSON with the telegram in it: `telegram` in hex, and if known `time` or `timestamp`, `rssi` or `rssi_dbm`, `mode`.

    {"time": "2026-02-09T04:01:02", "rssi": -71, "telegram": "2e44...", "mode": "C1"}
    {"_": "decode", "telegram": "2e44...", "key": "", "driver": "auto"}

The second is what wmbusmeters takes on standard input. What it prints of a decoded meter carries no telegram, and is
refused as that. Other members are passed over.
"""

from __future__ import annotations

import json

from sim.lines.codecs._json import object_of
from sim.lines.codecs._text import always
from sim.lines.codecs.port import Codec
from sim.lines.reception import BadLine, Reception, hex_bytes, level_dbm, mode_named, stamp, written_stamp


def _claims(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and (b'"telegram"' in line or b'"data"' not in line)


def _first(body: dict[str, object], *names: str) -> str:
    return next((str(body[name]) for name in names if body.get(name) not in (None, "")), "")


def _parse(line: str) -> Reception:
    body = object_of(line)
    telegram = body.get("telegram")
    if not isinstance(telegram, str):
        decoded = "media" in body or "meter" in body
        said = "a decoded reading, which carries no telegram" if decoded else "JSON without 'telegram' or 'data'"
        raise BadLine(f"{said}; a member with the telegram in hex is expected, and time and rssi if known")
    time, mode = _first(body, "time", "timestamp"), _first(body, "mode")
    return Reception(
        hex_bytes(telegram.removeprefix("telegram=").strip("|")),
        level_dbm(_first(body, "rssi", "rssi_dbm")),
        stamp(time) if time else None,
        None,
        mode_named(mode) if mode else None,
    )


def _write(one: Reception) -> bytes:
    body: dict[str, object] = {} if one.stamp is None else {"time": written_stamp(one.stamp, digits=6, separator="T")}
    if one.rssi_dbm is not None:
        body["rssi"] = one.rssi_dbm
    if one.mode is not None:
        body["mode"] = one.mode
    return (json.dumps({**body, "telegram": one.frame.hex()}) + "\n").encode()


CODEC = Codec("json", "objects with a member telegram", _claims, always(_parse), _write)
