"""rtl_wmbus: `MODE;CRC_OK;3OUTOF6OK;TIME;RSSI;RSSI;ID;0xHEX`, the telegram without CRCs.

    T1;1;1;2026-02-09 04:01:02.345;97;148;12345678;0x2e44...

Its levels are numbers of its own above 0 and no dBm; ESPHome writes the same line with dBm and empty fields. A 0 in the
second field is a telegram whose CRCs did not fit. Both of its demodulators print a frame, with one time stamp.
"""

from __future__ import annotations

from sim.core.quoting import quoted
from sim.lines.codecs._text import always
from sim.lines.codecs.port import Bad, Codec
from sim.lines.reception import BadLine, Reception, hex_bytes, level_dbm, mode_named, stamp, written_stamp

_FIELDS = 8
_RAW_MOST = 65_535


def _claims(line: bytes) -> bool:
    return line.count(b";") >= _FIELDS - 1 and line.lstrip()[:1].isalpha()


def _parse(line: str) -> Reception | Bad:
    fields = [field.strip() for field in line.split(";")]
    if len(fields) < _FIELDS:
        raise BadLine(f"an rtl_wmbus line has {_FIELDS} fields, here {len(fields)}: {quoted(line)}")
    mode = mode_named(fields[0])
    if fields[1] == "0":
        return Bad("the receiver marks its CRCs as wrong", marked=True)
    when = stamp(fields[3])
    data = hex_bytes(fields[7])
    rssi = fields[4]
    raw = rssi.isdecimal() and int(rssi) <= _RAW_MOST
    return Reception(
        data, None if raw else level_dbm(rssi), when, crc_ok=True, mode=mode,
        notes=(f"level {rssi} of the receiver's own, no dBm",) if raw else (),
    )  # fmt: skip


def _write(one: Reception) -> bytes:
    level = "" if one.rssi_dbm is None else f"{one.rssi_dbm:g}"
    ok = 0 if one.crc_ok is False else 1
    when = written_stamp(one.stamp)
    return f"{one.mode or 'T1'};{ok};1;{when};{level};{level};{one.id};0x{one.frame.hex()}\n".encode()


CODEC = Codec("rtl_wmbus", "lines of rtl_wmbus", _claims, always(_parse), _write, says_broken=True)
