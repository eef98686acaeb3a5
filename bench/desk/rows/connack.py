"""Nothing is published before the broker accepted the session: CONNACK withheld, then refused."""

from __future__ import annotations

from bench.desk.rows._on_path import player
from bench.desk.rows.port import Failed, Row, Undecided, tls
from bench.desk.stand import Stand
from sim.endpoint.mqtt_wire import CONNACK, CONNECT, Packet
from sim.network.tls_proxy import Reply

_NOT_AUTHORIZED = b"\x00\x05"


def _play(stand: Stand) -> str:
    stand.hello()
    asked = 0
    for what, code in (("withheld", None), ("refused", _NOT_AUTHORIZED)):
        with player(stand, _saying(Packet(CONNACK, 0, code) if code is not None else None)) as proxy:
            for _ in range(10):
                stand.feed(stand.traffic.next())
                stand.turn(0.5)
            packets = [name for one in proxy.connections for way, name in one.packets if way == "up"]
        asked += packets.count("CONNECT")
        if early := packets.count("PUBLISH"):
            raise Failed(f"it published {early} times on a session whose CONNACK was {what}")
    if not asked:
        raise Undecided("it never asked for a session; see whether it dials again within seconds")
    stand.back("a broker that refuses sessions")
    return f"no PUBLISH on {asked} sessions without an accepting CONNACK"


def _saying(said: Packet | None) -> Reply:
    return lambda packet: said if packet.kind == CONNECT else None


ROW = Row("connack", "Nothing is published before CONNACK", _play, tls, faults=(18,))
