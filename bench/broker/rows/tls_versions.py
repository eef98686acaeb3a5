"""TLS 1.0 and 1.1: each is offered alone, with suites of any strength, and must be refused; 1.2 or 1.3 must be
agreed."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, tls
from sim.endpoint.tls_hello import VERSIONS, CannotOffer, offer

OLD = ("TLS 1.0", "TLS 1.1")


def _play(stand: BrokerStand) -> str:
    agreed, cannot = [], []
    for version in VERSIONS:
        try:
            answer = offer(stand.target.address, stand.target.name, version=version, deadline_s=stand.target.deadline_s)
        except CannotOffer as error:
            cannot.append(str(error))
            continue
        if answer.version == version:
            agreed.append(version)
    stand.note(agreed=agreed, cannot_be_offered_here=cannot)
    if old := [version for version in agreed if version in OLD]:
        raise Failed(f"it agrees on {' and '.join(old)}")
    if not agreed:
        raise Undecided("it agreed on no version that this machine can offer")
    if cannot:
        raise Undecided(f"not tried, since the OpenSSL of this machine cannot: {'; '.join(cannot)}")
    return f"it agrees on {' and '.join(agreed)} only"


ROW = BrokerRow(
    "tls-versions",
    "No TLS version before 1.2",
    ("W04",),
    _play,
    Remedy(
        "tls_version tlsv1.2 (a minimum), and no @SECLEVEL=0 in ciphers",
        ("tls_version", "ciphers", "listener"),
        "a security policy of the domain configuration that begins at TLS 1.2",
    ),
    (tls,),
)
