"""A device's own key and what it asks a foreign authority to sign: the key never leaves the file it was made in.

`Authority` issues from a root of ours. Here another one issues (AWS IoT Core), so a device needs a key, a signing
request (PKCS #10), and the means to see that the certificate that came back is for its key and nobody else's.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.pki.authority import PkiError, device_name, write_key


def new_request(key_file: Path, common_name: str) -> bytes:
    """Make a P-256 key in `key_file` (0600, replacing what was there) and return a request for it, PEM. Raises
    PkiError."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_name(common_name))])
    try:
        key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_key(key_file, key)
    except OSError as error:
        raise PkiError(f"cannot write {key_file}: {error.strerror}; name a folder that can be written") from None
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def key_of_request(request: bytes) -> str:
    """What names the public key of a signing request (PEM): SHA-256 of its SubjectPublicKeyInfo, hex. Raises
    PkiError."""
    try:
        return _name(x509.load_pem_x509_csr(request).public_key())
    except ValueError as error:
        raise PkiError(f"no signing request: {error}") from None


def key_of_certificate(certificate: bytes) -> str:
    """The same of a certificate (PEM). Raises PkiError."""
    try:
        return _name(x509.load_pem_x509_certificate(certificate).public_key())
    except ValueError as error:
        raise PkiError(f"no certificate: {error}") from None


def key_of_private(key: bytes) -> str:
    """The same of a private key (PEM). Raises PkiError."""
    try:
        return _name(serialization.load_pem_private_key(key, None).public_key())
    except (ValueError, TypeError) as error:
        raise PkiError(f"no private key: {error}") from None


def fits(certificate: bytes, key: bytes) -> bool:
    """Whether these files (PEM) are a certificate and its private key; False for anything else."""
    try:
        return key_of_certificate(certificate) == key_of_private(key)
    except PkiError:
        return False


def common_name_of_request(request: bytes) -> str:
    """The common name that a signing request (PEM) asks for, empty without one. Raises PkiError."""
    try:
        found = x509.load_pem_x509_csr(request).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as error:
        raise PkiError(f"no signing request: {error}") from None
    return str(found[0].value) if found else ""


def new_pair_request(key: bytes | None, common_name: str) -> tuple[bytes, bytes]:
    """(private key, request), both PEM and in memory: for a service that makes keys for others, and for who has one.
    Raises PkiError."""
    try:
        found = (
            ec.generate_private_key(ec.SECP256R1()) if key is None else serialization.load_pem_private_key(key, None)
        )
    except (ValueError, TypeError) as error:
        raise PkiError(f"no private key: {error}") from None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise PkiError("the private key is not of an elliptic curve")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(found, hashes.SHA256())
    pem = found.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, request.public_bytes(serialization.Encoding.PEM)


def roots(bundle: bytes, names: Iterable[str]) -> bytes:
    """Of a bundle of authorities (PEM) those with these common names that signed themselves, PEM. Raises PkiError."""
    wanted = frozenset(names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some authorities of the world have a serial number of zero
            found = [one for one in x509.load_pem_x509_certificates(bundle) if one.subject == one.issuer]
    except ValueError as error:
        raise PkiError(f"no bundle of authorities: {error}") from None
    return b"".join(
        one.public_bytes(serialization.Encoding.PEM)
        for one in found
        if any(name.value in wanted for name in one.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    )


def _name(public: object) -> str:
    der = public.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()
