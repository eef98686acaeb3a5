"""`$aws`: the shadow of another device. A broker that does not know such topics takes them for common ones."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, identity


def _play(stand: BrokerStand) -> str:
    victim = stand.second.client_id if stand.second is not None else "wmbench-other"
    topic = f"$aws/things/{victim}/shadow/update"
    with stand.session(stand.first) as session:
        stand.control(session)
        session.subscribe("$aws/#", topic, f"{topic}/accepted")
        mark = b'{"state":{"reported":{"wmbench":"' + stand.canary("shadow") + b'"}}}'
        session.publish(topic, mark)
        came = stand.came(session, [mark])
        answers = [one.topic for one in session.inbox if one.topic.startswith("$aws/")]
        stand.note(topic=topic, delivered=len(came), answers=len(answers), ended=session.ended)
        if came or answers:
            raise Failed(f"{stand.first.client_id} writes {topic}, another device's shadow")
        if session.ended:
            return f"it ends the session of a client that does: {session.ended}"
        return "acknowledged, and nothing was delivered"


ROW = BrokerRow(
    "aws-topics",
    "No device writes another's shadow",
    ("W10",),
    _play,
    Remedy(
        "acl_file without `$aws/#` for devices: what it does not name is denied",
        ("acl_file", "listener"),
        "a policy whose topics below $aws/things name ${iot:Connection.Thing.ThingName}",
    ),
    (identity,),
)
