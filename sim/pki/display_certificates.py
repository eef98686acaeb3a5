"""Certificates of a home network: self-signed, as gateways show them to displays and displays to gateways (BSI
TR-03116-3, 5: of the SM-PKI or self-signed). Who shall trust one has it as a file, or knows its fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.pki.authority import Pair, write_key

LIFE: Final = timedelta(days=7 * 365)
"""The longest that TR-03116-3 allows for self-signed ones of the meters' side; for the HAN no limit was found."""
_CURVES: Final = {"prime256v1": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "brainpoolP256r1": ec.BrainpoolP256R1()}
_SERIAL_BYTES: Final = 15


def self_signed(name: str, curve: str, folder: Path, draw: Callable[[int], bytes], since: datetime) -> Pair:
    """<name>.crt and <name>.key (0600) for 127.0.0.1 and localhost. `curve`: as OpenSSL calls it. Raises ValueError for
    a curve that no display has to speak."""
    if curve not in _CURVES:
        raise ValueError(f"curve {curve!r}: a home network speaks {', '.join(_CURVES)}")
    on = _CURVES[curve]
    value = int.from_bytes(draw(on.key_size // 8 + 8), "big") % (on.group_order - 1) + 1
    key = ec.derive_private_key(value, on)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    hosts = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    serial = int.from_bytes(draw(_SERIAL_BYTES), "big") | 1
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), serial)
        .not_valid_before(since)
        .not_valid_after(since + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(hosts, critical=False)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    write_key(pair.key, key)
    pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return pair


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a PEM file's certificate, in hex."""
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    return hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
