"""Connections that say nothing: do they shut out an honest client? They are closed at the end.

Played first: Mosquitto 2.0.11 that has refused some TLS clients takes more connections than `max_connections` says."""

from __future__ import annotations

from contextlib import ExitStack

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, identity
from sim.endpoint.one_session import Refused, Silent


def _play(stand: BrokerStand) -> str:
    count = stand.target.connections
    with stand.session(stand.first) as session:  # it would get one without them
        stand.control(session)
    with ExitStack() as stack:
        opened = 0
        for _ in range(count):
            try:
                stack.enter_context(stand.silent_connection())
            except (Refused, Silent) as error:
                stand.note(refusal=str(error))
                break
            opened += 1
        stand.note(connections=opened, of=count)
        if not opened:
            raise Undecided("not one connection was taken")
        try:
            stand.open(stand.first).close()
        except (Refused, Silent) as error:
            raise Failed(
                f"beside {opened} connections that say nothing an honest client gets no session: {error}"
            ) from None
    return f"beside {opened} connections that say nothing an honest client gets its session"


ROW = BrokerRow(
    "idle-connections",
    "Connections that say nothing shut nobody out",
    ("W11",),
    _play,
    Remedy("max_connections well above the fleet, and a limit a source address on the path (iptables connlimit)",
           ("max_connections", "listener")),
    (identity,),
    order=-1,
)  # fmt: skip
