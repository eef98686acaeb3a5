"""Certificates and keys of content security, from files and rows: PEM, DER, or the bare number of a key."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sim.pki import der, sm_lint
from sim.pki.authority import PkiError
from sim.pki.sealed_content import AUTH_ENVELOPED, ContentError, Receiver, public_key
from sim.pki.signed_content import SIGNED, Signer

__all__ = ["PkiError", "certificate", "content_type", "receiver", "signer"]


def certificate(data: bytes) -> x509.Certificate:
    """Raises PkiError."""
    try:
        return sm_lint.load(data)
    except (ValueError, TypeError):
        raise PkiError("this is no certificate in PEM or DER") from None


def receiver(of: bytes, key: bytes) -> Receiver:
    """Who content is for. Raises PkiError, also where the key is not the certificate's."""
    return Receiver(*_pair(of, key))


def signer(of: bytes, key: bytes) -> Signer:
    """Who signs. Raises PkiError."""
    return Signer(*_pair(of, key))


def _pair(of: bytes, key: bytes) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    made = certificate(of)
    try:
        public = public_key(made)
    except ContentError as error:
        raise PkiError(error.detail) from None
    private = _private(key, public.curve)
    if private.public_key().public_numbers() != public.public_numbers():
        raise PkiError("the key is not the one of the certificate")
    return made, private


def _private(data: bytes, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    try:
        if len(data) == (curve.key_size + 7) // 8:
            return ec.derive_private_key(int.from_bytes(data, "big"), curve)
        load = (
            serialization.load_pem_private_key if data.lstrip()[:5] == b"-----" else serialization.load_der_private_key
        )
        key = load(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PkiError("this is no private key in PEM or DER without a password, nor the number of one") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError("this is no private key of an elliptic curve")
    return key


def content_type(data: bytes) -> str | None:
    """AUTH_ENVELOPED, SIGNED, or None for anything else."""
    try:
        items = der.read(data, der.SEQUENCE).items()
    except der.BadDer:
        return None
    return next((kind for kind in (AUTH_ENVELOPED, SIGNED) if items and items[0].raw == der.oid(kind)), None)
