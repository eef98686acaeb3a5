"""Key and signature of its certificate: no RSA below 2048 bits, no curve below 224, no SHA-1 or MD5."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows._certificate import shown_by
from bench.broker.rows.port import BrokerRow, Failed, Remedy, tls


def _play(stand: BrokerStand) -> str:
    shown = shown_by(stand)
    stand.note(key=shown.key, signature=shown.signature, sha256=shown.fingerprint)
    if shown.weak:
        raise Failed(f"its certificate is weak: {shown.weak}")
    return f"{shown.key}, signed with {shown.signature}"


ROW = BrokerRow(
    "server-key",
    "Its certificate's key and signature are strong",
    ("W04",),
    _play,
    Remedy("certfile and keyfile: a new key (P-256, or RSA from 2048 bits) and a certificate signed with SHA-256",
           ("keyfile", "certfile", "listener")),
    (tls,),
)  # fmt: skip
