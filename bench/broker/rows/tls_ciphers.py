"""Weak cipher suites of TLS 1.2: one greeting a class, which offers that class alone and must be refused."""

from __future__ import annotations

from typing import Final

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, tls
from sim.endpoint.tls_hello import CannotOffer, offer

CLASSES: Final = {
    "no encryption (NULL)": "eNULL",
    "no authentication (aNULL)": "aNULL:!eNULL",
    "RC4": "RC4",
    "DES and 3DES": "DES:3DES",
    "export strength": "EXP",
    "MD5": "MD5:!eNULL",
    "no forward secrecy (RSA key exchange)": "kRSA:!eNULL",
}
"""In the words of OpenSSL's ciphers(1)."""


def _play(stand: BrokerStand) -> str:
    took, refused, cannot = {}, [], []
    for what, ciphers in CLASSES.items():
        try:
            answer = offer(stand.target.address, stand.target.name, version="TLS 1.2", ciphers=ciphers,
                           deadline_s=stand.target.deadline_s)  # fmt: skip
        except CannotOffer:
            cannot.append(what)
            continue
        if answer.agreed:
            took[what] = f"{answer.suite:#06x}"
        else:
            refused.append(what)
    stand.note(agreed=took, refused=refused, cannot_be_offered_here=cannot)
    if took:
        raise Failed(f"it agrees on suites with {', '.join(f'{what} ({suite})' for what, suite in took.items())}")
    if not refused:
        raise Undecided("the OpenSSL of this machine can offer no weak suite, so none was tried")
    tail = f"; not tried, since the OpenSSL of this machine has none: {', '.join(cannot)}" if cannot else ""
    return f"refused: {', '.join(refused)}{tail}"


ROW = BrokerRow(
    "tls-ciphers",
    "No weak cipher suite",
    ("W04",),
    _play,
    Remedy(
        "ciphers ECDHE+AESGCM:ECDHE+CHACHA20 (TLS 1.3 has ciphers_tls1.3, and no weak suite)",
        ("ciphers", "certfile", "listener"),
        "a security policy of the domain configuration that lists no TLS_RSA suite",
    ),
    (tls,),
)
