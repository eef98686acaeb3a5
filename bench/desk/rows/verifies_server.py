"""A rogue broker gets no session: a certificate of a foreign authority, for another host, expired since yesterday."""

from __future__ import annotations

from bench.desk.rows._on_path import with_certificate
from bench.desk.rows.port import Failed, Row, tls
from bench.desk.stand import Stand
from sim.core.vocabulary import SERVER_CERTIFICATES
from sim.desk.inventory import GatewayEntry


def _needs(entry: GatewayEntry) -> str:
    return tls(entry) or ("" if entry.claims.verifies_server else "it does not claim to verify its broker")


def _play(stand: Stand) -> str:
    stand.hello()
    for certificate in SERVER_CERTIFICATES:
        dialled = with_certificate(stand, certificate, feed=lambda: stand.feed(stand.traffic.next()))
        spoke = [one for one in dialled if one.bytes_up]
        if spoke:
            seen = sum(len(one.intercepted) for one in spoke)
            raise Failed(f"a broker with a {certificate} got a session, and {seen} messages in it")
        stand.back(f"a broker with a {certificate}")
    return f"brokers with {', '.join(SERVER_CERTIFICATES)} got nothing"


ROW = Row("verifies-server", "A rogue broker gets no session", _play, _needs, faults=(19,))
