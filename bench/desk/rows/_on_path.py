"""Somebody on the gateway's path to its broker, for the rows that need one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bench.desk.rows.port import Undecided
from bench.desk.stand import Behind, Stand
from sim.network.tls_proxy import Reply, TlsProxy
from sim.pki.authority import Pair


@contextlib.contextmanager
def relay(stand: Stand, *, late_puback_s: float) -> Iterator[TlsProxy]:
    """Passes everything on as the gateway, with the server's genuine certificate, and holds PUBACKs back."""
    broker, identity = _broker(stand), stand.own_identity()
    if identity.certificate is None or identity.key is None:
        raise Undecided("it has no certificate of ours, so nobody can stand on its path")
    stolen = Pair(identity.certificate, identity.key)
    with _led(stand, TlsProxy(_shown(broker), broker.own_address, stolen=stolen, late_puback_s=late_puback_s)) as it:
        stand.recovers("a path that was led elsewhere")  # what is fed meanwhile, not every gateway keeps
        yield it
    stand.back("a path that was led elsewhere")


@contextlib.contextmanager
def player(stand: Stand, reply: Reply) -> Iterator[TlsProxy]:
    """Plays the broker, with its genuine certificate."""
    with _led(stand, TlsProxy(_shown(_broker(stand)), None, reply=reply)) as it:
        yield it


@contextlib.contextmanager
def _led(stand: Stand, proxy: TlsProxy) -> Iterator[TlsProxy]:
    proxy.start()
    try:
        stand.path.lead(proxy.address)
        yield proxy
    finally:
        proxy.stop()


def _broker(stand: Stand) -> Behind:
    if stand.broker is None:
        raise Undecided("it has no broker")
    return stand.broker


def _shown(broker: Behind) -> Pair:
    assert broker.address is not None
    return broker.authority.server(tuple(dict.fromkeys((broker.address.host, "localhost", "127.0.0.1"))),
                                   file_name="on-the-path")  # fmt: skip
