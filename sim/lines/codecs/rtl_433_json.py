"""rtl_433 -F json: an object a line; `data` is the telegram in hex, `mode` the letter, `mic` CRC where they fitted.

    {"time": "2025-11-13 08:48:30", "model": "Wireless-MBus", "mode": "C", "data": "3144...", "mic": "CRC"}

Up to release 23.11 `data` has an L two too small and the last CRC (T1, S1, C1 format A); wmbus.recover mends it. `rssi`
is in dB below the receiver's full scale and no dBm; times are local unless asked for otherwise.
"""

from __future__ import annotations

import json

from sim.lines.codecs._json import object_of
from sim.lines.codecs._text import always
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import BadLine, Reception, hex_bytes, mode_named, stamp, written_stamp

MODEL = "Wireless-MBus"


def _claims(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and b'"data"' in line and b'"telegram"' not in line


def _parse(line: str) -> Reception | Bad:
    return reception(object_of(line))


def reception(body: dict[str, object]) -> Reception | Bad:
    """What the named fields of one event say; all may be text, as in CSV. Raises BadLine."""
    data = body.get("data")
    if not isinstance(data, str) or not data:
        raise BadLine("no field 'data' with the telegram in hex: rtl_433 prints it for Wireless-MBus (-R 104 -R 105)")
    time, mode, rssi = body.get("time"), body.get("mode"), body.get("rssi")
    return Reception(
        hex_bytes(data),
        None,
        stamp(str(time)) if time not in (None, "") else None,
        True if body.get("mic") == "CRC" else None,
        mode_named(str(mode)) if mode not in (None, "") else None,
        () if rssi in (None, "") else (f"level {str(rssi)[:12]!a} dB below the receiver's full scale, no dBm",),
    )


def fields(one: Reception) -> dict[str, object]:
    """An event with the fields that say something of a telegram."""
    mode = one.mode or "T1"
    return {
        "time": written_stamp(one.stamp, digits=0), "model": MODEL, "mode": mode[0], "id": one.id,
        "data": one.frame.hex(), "mic": "CRC",
    }  # fmt: skip


def _write(one: Reception) -> bytes:
    return (json.dumps(fields(one)) + "\n").encode()


CODEC = Codec("rtl_433-json", "events of rtl_433 -F json", _claims, always(_parse), _write)
