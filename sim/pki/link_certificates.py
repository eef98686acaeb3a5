"""Certificates of the meter bus: each end has one that it signed itself, and trusts the other's and no other (BSI
TR-03116-3, 6: apart from the WAN's, brainpoolP256r1, at most seven years).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.core import whole_file
from sim.pki.authority import Pair, PkiError, write_key
from sim.pki.party_certificates import drawn_key, private_value
from sim.pki.slot_keys import CURVE

LIFE_MOST: Final = timedelta(days=7 * 365)


@dataclass(frozen=True)
class LinkEnd:
    """One end's certificate (DER) and key."""

    certificate: bytes
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"<LinkEnd {self.certificate[:8].hex()}>"

    @property
    def private(self) -> bytes:
        """The number of its key, 32 bytes."""
        return private_value(self.key)

    def write(self, folder: Path, name: str) -> Pair:
        """As files: ssl takes no others. The key is 0600."""
        folder.mkdir(parents=True, exist_ok=True)
        pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        write_key(pair.key, self.key)
        whole_file.write(pair.certificate, pem(self.certificate))
        return pair


def made(name: str, draw: Callable[[int], bytes], since: datetime, life: timedelta = LIFE_MOST) -> LinkEnd:
    """A new key and its certificate. Raises ValueError for a life of more than LIFE_MOST."""
    if life > LIFE_MOST:
        raise ValueError(f"a certificate of the meter bus lives {LIFE_MOST.days} days at most, not {life.days}")
    key = drawn_key(draw)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), int.from_bytes(draw(15), "big") | 1)
        .not_valid_before(since)
        .not_valid_after(since + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return LinkEnd(certificate.public_bytes(serialization.Encoding.DER), key)


def of_parts(private: bytes, certificate: bytes) -> LinkEnd:
    """As a meter gets them. Raises PkiError where the key is not the certificate's."""
    try:
        key = ec.derive_private_key(int.from_bytes(private, "big"), CURVE)
        public = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError as error:
        raise PkiError(f"this is no key of {CURVE.name}, or no certificate: {error}") from None
    if (
        not isinstance(public, ec.EllipticCurvePublicKey)
        or public.public_numbers() != key.public_key().public_numbers()
    ):
        raise PkiError("the key is not the one of the certificate")
    return LinkEnd(certificate, key)


def pem(certificate: bytes) -> str:
    """Of DER. Raises PkiError."""
    try:
        whole = x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise PkiError(f"this is no certificate: {error}") from None
    return whole.public_bytes(serialization.Encoding.PEM).decode("ascii")


def is_valid_at(certificate: bytes, at: datetime) -> bool:
    """Of DER. Raises PkiError."""
    try:
        whole = x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise PkiError(f"this is no certificate: {error}") from None
    return whole.not_valid_before_utc <= at <= whole.not_valid_after_utc
