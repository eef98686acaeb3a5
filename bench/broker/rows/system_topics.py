"""`$SYS`: what the broker says of itself, its clients and its version. Where it keeps no retained messages it says so
once in an interval only (Mosquitto's `sys_interval`, 10 s), so silence counts after longer than that."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, identity
from sim.core.quoting import named


def _play(stand: BrokerStand) -> str:
    with stand.session(stand.first) as session:
        stand.control(session)
        granted = session.subscribe("$SYS/#", "$SYS/broker/version", "$SYS/broker/clients/connected")
        session.turn(lambda: any(one.topic.startswith("$SYS") for one in session.inbox), stand.target.system_s)
        topics = sorted({one.topic for one in session.inbox if one.topic.startswith("$SYS")})
        stand.note(granted=granted, topics=[named(one) for one in topics[:48]], ended=session.ended)
        if topics:
            raise Failed(f"{len(topics)} topics below $SYS were delivered, {named(topics[0])} among them")
        if session.ended:
            return f"it ends the session of a client that asks: {session.ended}"
        return f"nothing below $SYS was delivered within {stand.target.system_s:g} s"


ROW = BrokerRow(
    "sys-topics",
    "No device reads $SYS",
    ("W10",),
    _play,
    Remedy("acl_file without $SYS/# for devices, or sys_interval 0", ("sys_interval", "acl_file", "listener")),
    (identity,),
)
