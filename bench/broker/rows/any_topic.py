"""A topic that nobody agreed on: whoever may use it may use all that the access list forgot."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, identity


def _play(stand: BrokerStand) -> str:
    topic = f"wmbench-attack/{stand.first.client_id}"
    with stand.session(stand.first) as session:
        stand.control(session)
        granted = session.subscribe(topic)
        mark = stand.canary("any topic")
        session.publish(topic, mark)
        came = stand.came(session, [mark])
        stand.note(topic=topic, granted=granted, delivered=len(came), ended=session.ended)
        if came:
            raise Failed(f"{stand.first.client_id} writes and reads {topic}, which nobody gave it")
        if session.ended:
            return f"it ends the session of a client that does: {session.ended}"
        return "acknowledged, and nothing was delivered"


ROW = BrokerRow(
    "any-topic",
    "What no list allows is not allowed",
    ("W07",),
    _play,
    Remedy(
        "acl_file with the topics of each kind of client: what it does not name is denied",
        ("acl_file", "listener"),
        "a policy without a resource of * or topic/*",
    ),
    (identity,),
)
