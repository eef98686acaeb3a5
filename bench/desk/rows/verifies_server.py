"""A rogue broker gets no session: a certificate of a foreign authority, for another host, expired since yesterday."""

from __future__ import annotations

from bench.desk.rows.port import Failed, Row, Undecided, tls
from bench.desk.stand import Stand
from sim.core.clock import wall_s
from sim.desk.inventory import GatewayEntry
from sim.network.mitm_path import CERTIFICATES, shown
from sim.network.tls_proxy import TlsProxy

_MOST_S = 20.0


def _needs(entry: GatewayEntry) -> str:
    return tls(entry) or ("" if entry.claims.verifies_server else "it does not claim to verify its broker")


def _play(stand: Stand) -> str:
    assert stand.broker is not None
    stand.hello()
    for certificate in CERTIFICATES:
        folder = stand.directory / "rogue"
        proxy = TlsProxy(shown(stand.broker.authority, folder, certificate), None)
        proxy.start()
        try:
            stand.path.lead(proxy.address)
            end_s = wall_s() + _MOST_S
            while wall_s() < end_s and not any(one.handshake != "under way" for one in proxy.connections):
                stand.feed(stand.traffic.next())
                stand.turn(0.25)
            stand.turn(1.0)
            spoke = [one for one in proxy.connections if one.bytes_up]
            answered = [one for one in proxy.connections if one.handshake != "under way"]
        finally:
            proxy.stop()
        if spoke:
            seen = sum(len(one.intercepted) for one in spoke)
            raise Failed(f"a broker with a {certificate} got a session, and {seen} messages in it")
        if not answered:
            raise Undecided(f"it did not dial within {_MOST_S:g} s, so a broker with a {certificate} was not tried")
        stand.back(f"a broker with a {certificate}")
    return f"brokers with {', '.join(CERTIFICATES)} got nothing"


ROW = Row("verifies-server", "A rogue broker gets no session", _play, _needs, faults=(19,))
