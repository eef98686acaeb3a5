"""What the certificate of a server says that is tested and not ours: names, dates, key, signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from sim.pki.authority import PkiError

RSA_LEAST_BITS: Final = 2_048
EC_LEAST_BITS: Final = 224
NO_CHECK_TIME: Final = 0x20_0000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for SSLContext.verify_flags: dates are looked at elsewhere."""
_WEAK_HASHES: Final = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """`names`: of its subject alternative names, DNS names and addresses; its common name where it has none of them.
    `key`: in words; `weak`: what is wrong with key or signature, "" for nothing."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    signature: str
    weak: str
    fingerprint: str


def read(der: bytes) -> ServerCertificate:
    """Raises PkiError."""
    try:
        made = x509.load_der_x509_certificate(der)
        names = _names(made)
        hash_ = made.signature_hash_algorithm
        public = made.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise PkiError(f"the server's certificate cannot be read: {error}") from None
    signed = hash_.name if hash_ is not None else "a signature without a hash of its own"
    key, weak = _key(public)
    if signed in _WEAK_HASHES:
        weak = weak or f"it is signed with {signed}"
    return ServerCertificate(
        names, made.not_valid_before_utc, made.not_valid_after_utc, key, signed, weak,
        made.fingerprint(hashes.SHA256()).hex(":").upper(),
    )  # fmt: skip


def _names(made: x509.Certificate) -> tuple[str, ...]:
    try:
        alternative = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = made.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(str(one.value) for one in common)
    dns = alternative.get_values_for_type(x509.DNSName)
    return (*dns, *(str(one) for one in alternative.get_values_for_type(x509.IPAddress)))


def _key(public: object) -> tuple[str, str]:
    """In words, and what is wrong with it."""
    if isinstance(public, rsa.RSAPublicKey):
        bits = public.key_size
        return f"RSA, {bits} bits", "" if bits >= RSA_LEAST_BITS else f"an RSA key of {bits} bits"
    if isinstance(public, ec.EllipticCurvePublicKey):
        bits = public.key_size
        return f"{public.curve.name}, {bits} bits", "" if bits >= EC_LEAST_BITS else f"a curve of {bits} bits"
    if isinstance(public, dsa.DSAPublicKey):
        return f"DSA, {public.key_size} bits", "a DSA key"
    return type(public).__name__.removesuffix("PublicKey").strip("_"), ""


def common_name(certificate: Path) -> str:
    """Of a PEM file's first certificate; "" where it has none. Raises PkiError."""
    try:
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise PkiError(f"{certificate}: no certificate in PEM can be read from it: {error}") from None
    common = made.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else ""
