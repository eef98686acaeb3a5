"""Bytes that are no MQTT, before a session and in one: the broker must go on for others."""

from __future__ import annotations

from typing import Final

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Remedy, second
from sim.endpoint.one_session import Refused, Silent

IN_A_SESSION: Final = {
    "a reserved packet type": b"\x00\x00",
    "a remaining length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "a second CONNECT": b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
    "PUBLISH with QoS 3": b"\x36\x05\x00\x01a\x00\x01",
    "PUBLISH to a wildcard": b"\x30\x03\x00\x01#",
    "a topic longer than its packet": b"\x30\x04\xff\xffab",
    "a topic that is not UTF-8": b"\x30\x04\x00\x02\xc3\x28",
    "a topic with a zero byte": b"\x30\x04\x00\x02a\x00",
    "SUBSCRIBE with wrong flags": b"\x80\x06\x00\x01\x00\x01a\x00",
    "SUBSCRIBE to nothing": b"\x82\x02\x00\x01",
    "an acknowledgement that nobody waits for": b"\x40\x02\xff\xff",
}
"""Clauses 2.2, 3.1, 3.3, 3.8 of mqtt-v3.1.1."""


def _play(stand: BrokerStand) -> str:
    closed = []
    with stand.session(stand.second) as other:
        stand.control(other)
        for what, data in IN_A_SESSION.items():
            try:
                session = stand.open(stand.first)
            except (Refused, Silent):
                continue
            session.send(data)
            if session.turn(lambda session=session: bool(session.ended), 0.2) or session.ended:  # type: ignore[misc]
                closed.append(what)
            session.close()
        stand.note(tried=list(IN_A_SESSION), ended_by_the_broker=closed)
        stand.still_serves(other, f"{len(IN_A_SESSION)} packets that are not MQTT were sent")
    ended = f"{len(IN_A_SESSION)} packets that are not MQTT it ended {len(closed)} sessions"
    return f"of {ended}, and no other session was harmed"


ROW = BrokerRow(
    "not-mqtt",
    "What is not MQTT harms nobody else",
    ("W11",),
    _play,
    Remedy("nothing to set: a newer release", ("listener",)),
    (second,),
)
