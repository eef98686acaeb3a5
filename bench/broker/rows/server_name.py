"""Does its certificate say the name by which clients dial it? Where it does not, clients get rid of the check."""

from __future__ import annotations

import ipaddress

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows._certificate import shown_by
from bench.broker.rows.port import BrokerRow, Failed, Remedy, tls
from sim.core.quoting import named


def _play(stand: BrokerStand) -> str:
    names = shown_by(stand).names
    stand.note(names=[named(one) for one in names[:24]])
    said = ", ".join(named(one) for one in names[:6]) or "no name"
    if not any(is_name(stand.target.name, one) for one in names):
        raise Failed(f"its certificate says {said}, and not {stand.target.name}")
    return f"its certificate says {said}"


def is_name(wanted: str, said: str) -> bool:
    """RFC 6125, 6.4: equal without regard to case, or a `*` for the whole first label; never for an address."""
    try:
        return ipaddress.ip_address(wanted) == ipaddress.ip_address(said)
    except ValueError:
        pass
    wanted, said = wanted.lower().rstrip("."), said.lower().rstrip(".")
    first, dot, rest = said.partition(".")
    return wanted == said or (first == "*" and bool(dot) and "." in rest and wanted.partition(".")[2] == rest)


ROW = BrokerRow(
    "server-name",
    "Its certificate says its name",
    ("W02",),
    _play,
    Remedy("certfile: a certificate whose subjectAltName has the name that clients dial", ("certfile", "listener"),
           "dial the account's own endpoint name, or configure a custom domain with its certificate"),
    (tls,),
)  # fmt: skip
