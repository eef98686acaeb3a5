"""Somebody on the gateway's path to its broker, for the rows that need one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from bench.desk.behind import Behind
from bench.desk.rows.port import Undecided
from bench.desk.stand import Stand
from sim.core.clock import wall_s
from sim.network.mitm_path import shown
from sim.network.tls_proxy import Connection, Reply, TlsProxy
from sim.pki.authority import Pair

_DIAL_S: Final = 20.0


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


def with_certificate(stand: Stand, certificate: str, *, feed: Callable[[], object]) -> list[Connection]:
    """Who dialled somebody on the path that plays the broker with a wrong certificate (one of
    vocabulary.SERVER_CERTIFICATES), fed meanwhile. Raises Undecided when nobody did."""
    proxy = TlsProxy(shown(_broker(stand).authority, stand.directory / "rogue", certificate), None)
    with _led(stand, proxy):
        end_s = wall_s() + _DIAL_S
        while wall_s() < end_s and not any(one.handshake != "under way" for one in proxy.connections):
            feed()
            stand.turn(0.25)
        stand.turn(1.0)
        dialled = [one for one in proxy.connections if one.handshake != "under way"]
    if not dialled:
        raise Undecided(f"it did not dial within {_DIAL_S:g} s, so a broker with a {certificate} was not tried")
    return dialled


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
