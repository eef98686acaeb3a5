"""A message one byte above the largest that may pass, and one that is as large as it may be."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, identity


def _play(stand: BrokerStand) -> str:
    most, topic = stand.target.largest_bytes, stand.own_topic(stand.first)
    with stand.session(stand.first) as session:
        stand.control(session)
        mark = stand.canary("large")
        large = mark + bytes(most + 1 - len(mark))
        session.publish(topic, large)
        came = bool(stand.came(session, [large]))
        stand.note(largest_bytes=most, delivered=came, ended=session.ended)
        if came:
            raise Failed(f"a message of {most + 1} bytes was delivered; {most} was to be the most (--largest)")
        if session.ended:
            return f"it ends the session of a client that sends {most + 1} bytes: {session.ended}"
        return f"a message of {most + 1} bytes was not delivered"


ROW = BrokerRow(
    "message-size",
    "Messages have a largest size",
    ("W11",),
    _play,
    Remedy("message_size_limit 131072 (or max_packet_size)", ("message_size_limit", "max_packet_size", "listener")),
    (identity,),
)
