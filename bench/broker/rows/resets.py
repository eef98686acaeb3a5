"""Connections reset with RST at every stage: behind TCP, in TLS, behind CONNECT, within a PUBLISH. The broker must go
on for others, and must deliver no half of a message."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, second
from sim.endpoint import mqtt_wire
from sim.endpoint.one_session import RESET, Login, Refused, Silent, connect_packet

TIMES: Final = 10
TLS_GREETING: Final = b"\x16\x03\x01\x02\x00\x01"
"""The beginning of one."""


def _play(stand: BrokerStand) -> str:
    done = dict.fromkeys(("TCP", "first bytes", "PUBLISH"), 0)
    with stand.session(stand.second) as other:
        stand.control(other)
        mark = stand.canary("half")
        begin = TLS_GREETING if stand.tls else connect_packet(Login(stand.first.client_id)).encode()
        for _ in range(TIMES):
            for stage in ("TCP", "first bytes"):
                with contextlib.suppress(OSError, Refused, Silent):
                    plain = stand.silent_connection()
                    if stage == "first bytes":
                        plain.sendall(begin[:6])
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    plain.close()
                    done[stage] += 1
            with contextlib.suppress(Refused, Silent):
                session = stand.open(stand.first)
                whole = mqtt_wire.publish(
                    mqtt_wire.Publish(stand.own_topic(stand.first), mark, 2, b"\x00\x07")
                ).encode()
                session.send(whole[: len(whole) // 2])
                session.reset()
                done["PUBLISH"] += 1
        stand.note(resets=done)
        stand.still_serves(other, f"{sum(done.values())} connections were reset")
    with stand.session(stand.first) as owner:
        stand.control(owner)
        if any(one.payload and mark.startswith(one.payload) for one in owner.inbox):
            raise Failed("the half of a message that was cut by a reset was delivered")
    return f"{sum(done.values())} resets, {done['PUBLISH']} of them within a message, harmed no other session"


ROW = BrokerRow(
    "resets",
    "Resets harm nobody else",
    ("W11", "W12"),
    _play,
    Remedy(
        "nothing to set: a newer release; persistence true keeps what was acknowledged", ("persistence", "listener")
    ),
    (second,),
)
