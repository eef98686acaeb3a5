"""Does the listener speak MQTT in clear?"""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy


def _play(stand: BrokerStand) -> str:
    stand.note(tls=stand.tls)
    if not stand.tls:
        raise Failed("it speaks MQTT in clear: topics, messages and passwords can be read and changed on the way")
    return "it speaks TLS, and no MQTT in clear on this port"


ROW = BrokerRow(
    "encrypted",
    "Sessions are encrypted",
    ("W01",),
    _play,
    Remedy(
        "on this listener: cafile, certfile and keyfile; bind the clear one to 127.0.0.1 or remove it",
        ("certfile", "listener", "port"),
    ),
)
