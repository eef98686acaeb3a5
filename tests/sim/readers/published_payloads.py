"""The rows of tests/vectors/gateway_payloads.jsonl: which carry a telegram, by what each is read, and which do not."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.desk import inventory
from sim.readers.kinds.file import FileSpec
from sim.readers.kinds.mqtt import MqttSpec
from sim.readers.message_content import ContentSpec
from wmbus.link import add_crcs_a
from wmbus.phy.codes import encode_3of6, from_bits

TELEGRAM: Final = bytes.fromhex("0f442104420000000108780b6e452301")
WIRED: Final = bytes.fromhex("1b082104420000000108724200000021040108010000000b6e452301")
"""What the wired answer of the same meter is: the same record behind a long header."""
_FILE: Final = Path(__file__).parents[2] / "vectors" / "gateway_payloads.jsonl"
ROWS: Final = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]
_HOLE: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Message:
    """One payload as it comes: `topic` (or a file's name), and a reader's settings. `count`: telegrams in it."""

    read: ContentSpec
    topic: str
    payload: bytes
    count: int = 1


def _entry(name: str, reader: int = 0) -> ContentSpec:
    spec = inventory.find(name, None).read[reader]
    assert isinstance(spec, ContentSpec)
    return spec


_INLINE: Final[dict[str, ContentSpec]] = {
    "iobroker": MqttSpec(topic=("iobroker/#",), telegram="$.data"),
    "piigab": MqttSpec(topic=("piigab/#",), transform=("wired", "prepended records", "in an LVAR")),
    "cul": FileSpec(path="x.log", format="cul"),
    "fhem": FileSpec(path="x.log", format="fhem"),
}
"""Of inputs of programs, of serial lines, and of boxes that are asked over TCP: they publish by nothing of ours."""
_BY: Final[dict[int, tuple[str, int]]] = {
    2: ("wmbusmeters", 0), 3: ("wmbusmeters", 0), 6: ("rtl_433-mqtt", 0), 7: ("rtl_433-mqtt-fields", 0),
    9: ("rtl_wmbus", 0), 10: ("esphome", 0), 11: ("esphome-socket", 0), 12: ("esphome-raw", 0),
    14: ("esphome-raw-radio", 0),
    24: ("iobroker", 0), 25: ("mgw-wmbus-dc", 0), 26: ("iotmaxx", 0), 27: ("iotmaxx", 0), 28: ("elvaco-cme3100", 0),
    29: ("elvaco-cme3100", 1), 30: ("elvaco-cme3100", 2), 32: ("piigab", 0), 41: ("imst-tts", 0),
    42: ("lobaro-chirpstack", 0), 45: ("cul", 0), 46: ("fhem", 0),
}  # fmt: skip
OVER_LORAWAN: Final = {34: "lobaro", 35: "lobaro", 36: "lobaro", 39: "imst"}
"""Payloads of a bridge without what a network server puts around them."""
DECODED: Final[dict[int, tuple[str, int]]] = {
    1: ("wmbusmeters", 1), 5: ("wmbusmeters-ha-addon", 0), 16: ("homeassistant-wmbus-mqtt-bridge", 0),
    **dict.fromkeys(range(17, 22), ("esp-multical21", 0)), 43: ("adfweb-hd67931", 0),
}  # fmt: skip
"""No telegram: values, which the entry reads."""
WITHOUT: Final[dict[int, str]] = {
    4: "an alarm's text", 8: "a status", 13: "a status", 15: "its key names are not known", 22: "a status",
    23: "a value of a state tree, by adapters of the program's own", 31: "values, by MQTT-SN or LwM2M",
    33: "values, in a report that names its channels", 37: "its layout is not known", 38: "a status",
    40: "its layout is not known", 44: "its layout is not known", 47: "nothing is known", 48: "its layout is not known",
}  # fmt: skip
"""No telegram, and no values that an entry reads, with the reason."""
_TOPICS: Final = {
    10: "esphome/kitchen/wmbus", 11: "hex/x", 24: "iobroker/x", 25: "event/x", 26: "p/gw/out", 27: "p/gw/out/zlib",
    16: "wmbus_bridge/00000042/state", 32: "piigab/x", 43: "adfweb/x",
}  # fmt: skip


def filled(text: str) -> str:
    """Where a row leaves a hole, something stands."""
    return _HOLE.sub("x", text)


def topic(row: int) -> str:
    """Where this row's payload comes."""
    return _TOPICS.get(row) or filled(ROWS[row - 1]["topic"] or "x")


def payload(row: int) -> bytes:
    """A row's payload with its holes filled. Bytes are written as hex: there."""
    text = ROWS[row - 1]["payload"]
    if row == 14:
        air = from_bits(encode_3of6(add_crcs_a(TELEGRAM)))
        return str(text).replace("<3-of-6 bytes>", air.hex()).encode()
    if row == 32:
        return _piigab()
    data = filled(text)
    return bytes.fromhex(data[4:]) if data.startswith("hex:") else data.encode()


def _piigab() -> bytes:
    """The row's records: serial, age 5 s, -70 dBm, 2026-01-02 03:04:05, then the telegram in an LVAR."""
    records = "0c7842000000" + "0374050000" + "01fd71ba" + "066d" + "050403423100" + "0dfd11" + "10" + TELEGRAM.hex()
    body = bytes.fromhex("0801724200000021040108010000" + "00") + bytes.fromhex(records)
    size = bytes((len(body),))
    return b"\x68" + size + size + b"\x68" + body + bytes((sum(body) & 0xFF, 0x16))


def carried(row: int) -> Message:
    """A row that carries a telegram whole."""
    name, reader = _BY[row]
    spec = _INLINE[name] if name in _INLINE else _entry(name, reader)
    return Message(spec, topic(row), payload(row), 2 if name == "iotmaxx" else 1)


def decoded(row: int) -> Message:
    """A row of values."""
    return Message(_entry(*DECODED[row]), topic(row), payload(row))


CARRIED: Final = sorted(_BY)


def uplink(row: int, server: str, counter: int) -> Message:
    """What a bridge sent, as each network server publishes it (shapes: rows 41 and 42)."""
    bridge = OVER_LORAWAN[row]
    port = int(ROWS[row - 1]["transport"].rpartition(" ")[2])
    data = base64.b64encode(payload(row)).decode()
    shape = json.loads(payload(41 if server == "tts" else 42))
    if server == "tts":
        shape["uplink_message"] |= {"f_port": port, "f_cnt": counter, "frm_payload": data}
    else:
        shape |= {"fPort": port, "fCnt": counter, "data": data}
    where = topic(41 if server == "tts" else 42)
    return Message(_entry(f"{bridge}-{server}"), where, json.dumps(shape).encode())
