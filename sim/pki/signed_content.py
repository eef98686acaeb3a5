"""Signed content: CMS SignedData (RFC 5652) around what is sealed, by ECDSA with SHA-256 on a Brainpool curve.

First sealed, then signed: whoever relays it can check it and cannot read it. Signed attributes are mandatory, and what
they say of the content's type must be so: else the bytes of the attributes themselves pass for content of the same
signature (draft-ietf-lamps-cms-euf-cma-signeddata). The signer's certificate is the one that the receiver expects;
certificates that come along are not looked at. Signatures are deterministic (RFC 6979).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sim.pki import der
from sim.pki.der import BadDer, Tlv
from sim.pki.sealed_content import (
    AUTH_ENVELOPED,
    CONTENT_MOST_BYTES,
    ContentError,
    Receiver,
    issuer_and_serial,
    public_key,
    unseal,
)

SIGNED: Final = "1.2.840.113549.1.7.2"
DATA: Final = "1.2.840.113549.1.7.1"
_VERSIONS: Final = {AUTH_ENVELOPED: 3, DATA: 1}
"""RFC 5652, 5.1."""
_NAMES: Final = {AUTH_ENVELOPED: "AuthEnvelopedData", DATA: "data"}
_SHA256_ALGORITHM: Final = der.write(der.SEQUENCE, der.oid("2.16.840.1.101.3.4.2.1"))
_SHA256_EITHER: Final = (_SHA256_ALGORITHM, der.write(der.SEQUENCE, der.oid("2.16.840.1.101.3.4.2.1"), b"\x05\0"))
"""Without parameters, or with NULL: RFC 5754 wants both to be taken."""
_ECDSA_SHA256: Final = der.write(der.SEQUENCE, der.oid("1.2.840.10045.4.3.2"))
_TYPE, _DIGEST, _TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
_CERTIFICATES, _CRLS, _SIGNED_ATTRIBUTES, _UNSIGNED_ATTRIBUTES = 0xA0, 0xA1, 0xA0, 0xA1


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, and when its signer says that was."""

    content: bytes
    at: datetime


def sign(content: bytes, signer: Signer, at: datetime) -> bytes:
    """SignedData in a ContentInfo around AuthEnvelopedData. Raises ContentError (curve)."""
    return sign_by(content, signer.certificate, lambda covered: signer.key.sign(covered, _ecdsa()), at)


def sign_by(
    content: bytes, certificate: x509.Certificate, signature_of: Callable[[bytes], bytes], at: datetime,
    *, type_: str = AUTH_ENVELOPED,
) -> bytes:  # fmt: skip
    """The same, by a key that lies elsewhere: `signature_of` gives ECDSA with SHA-256 over bytes, in DER. `type_`: DATA
    for what is signed in clear. Raises ContentError (curve)."""
    public_key(certificate)
    kind = der.oid(type_)
    attributes = sorted((
        _attribute(_TYPE, kind),
        _attribute(_TIME, der.utc_time(at)),
        _attribute(_DIGEST, der.write(der.OCTETS, hashlib.sha256(content).digest())),
    ))  # fmt: skip
    signature = signature_of(der.write(der.SET, *attributes))
    info = der.write(
        der.SEQUENCE, der.integer(1), issuer_and_serial(certificate), _SHA256_ALGORITHM,
        der.write(_SIGNED_ATTRIBUTES, *attributes), _ECDSA_SHA256,
        der.write(der.OCTETS, signature),
    )  # fmt: skip
    body = der.write(
        der.SEQUENCE, der.integer(_VERSIONS[type_]), der.write(der.SET, _SHA256_ALGORITHM),
        der.write(der.SEQUENCE, kind, der.write(0xA0, der.write(der.OCTETS, content))), der.write(der.SET, info),
    )  # fmt: skip
    return der.write(der.SEQUENCE, der.oid(SIGNED), der.write(0xA0, body))


def verify(data: bytes, signer: x509.Certificate, *, type_: str = AUTH_ENVELOPED) -> Signed:
    """What this signer signed, of this type and no other. Raises ContentError (not-cms, content-type, signer,
    algorithm, no-signed-attributes, message-digest, signature, curve)."""
    try:
        return _verify(data, signer, type_)
    except BadDer as error:
        raise ContentError("not-cms", str(error)) from None


def open_content(
    data: bytes, receiver: Receiver, signer: x509.Certificate, *, newer_than: datetime | None = None
) -> tuple[bytes, datetime]:
    """The content and when it was signed: what a final receiver does. `newer_than`: when the content that it took last
    from this signer was signed. Raises ContentError (old, and those of verify and unseal)."""
    signed = verify(data, signer)
    return open_signed(signed, receiver, newer_than=newer_than), signed.at


def open_signed(signed: Signed, receiver: Receiver, *, newer_than: datetime | None = None) -> bytes:
    """The content of what was verified. Raises ContentError (old, and those of unseal)."""
    if newer_than is not None and signed.at <= newer_than:
        raise ContentError("old", f"signed at {signed.at:%Y-%m-%d %H:%M:%S} UTC, and newer content was taken before")
    return unseal(signed.content, receiver)


def _verify(data: bytes, signer: x509.Certificate, type_: str) -> Signed:
    if len(data) > 2 * CONTENT_MOST_BYTES:
        raise BadDer(f"more than {2 * CONTENT_MOST_BYTES} bytes")
    outer = der.read(data, der.SEQUENCE).items()
    if len(outer) != 2 or outer[0].raw != der.oid(SIGNED):
        raise BadDer("no SignedData")
    body = der.read(der.expect(outer[1], 0xA0).content, der.SEQUENCE).items()
    needed = [one for one in body if one.tag not in (_CERTIFICATES, _CRLS)]
    if len(needed) != 4:
        raise BadDer("SignedData has other parts")
    version, digests, encapsulated, infos = needed
    wanted = {der.write(der.SET, one) for one in _SHA256_EITHER}
    if der.number(version) != _VERSIONS[type_] or digests.raw not in wanted:
        raise ContentError("algorithm", f"no SignedData of version {_VERSIONS[type_]} with SHA-256")
    named = der.expect(encapsulated, der.SEQUENCE).items()
    if len(named) != 2 or named[0].raw != der.oid(type_):
        raise ContentError("content-type", f"what is signed is not said to be {_NAMES[type_]}")
    content = der.read(der.expect(named[1], 0xA0).content, der.OCTETS).content
    signers = der.expect(infos, der.SET).items()
    if len(signers) != 1:
        raise ContentError("signer", f"{len(signers)} signers, not one")
    return Signed(content, _signed_at(signers[0], content, signer, type_))


def _signed_at(info: Tlv, content: bytes, signer: x509.Certificate, type_: str) -> datetime:
    parts = der.expect(info, der.SEQUENCE).items()
    if len(parts) < 5 or der.number(parts[0]) != 1:
        raise BadDer("a signer's part of another form")
    if parts[1].raw != issuer_and_serial(signer):
        raise ContentError("signer", "signed under another certificate")
    if parts[2].raw not in _SHA256_EITHER:
        raise ContentError("algorithm", "the digest is not SHA-256")
    if parts[3].tag != _SIGNED_ATTRIBUTES:
        raise ContentError("no-signed-attributes", "there are none, and without them a signature proves no type")
    if len(parts) < 6:
        raise BadDer("a signer's part without a signature")
    algorithm, signature, *rest = parts[4:]
    if algorithm.raw != _ECDSA_SHA256 or any(one.tag != _UNSIGNED_ATTRIBUTES for one in rest):
        raise ContentError("algorithm", "the signature is not by ECDSA with SHA-256")
    attributes = _attributes(parts[3])
    if attributes[_TYPE].raw != der.oid(type_):
        raise ContentError("content-type", "the signed attributes name another type of content")
    if der.expect(attributes[_DIGEST], der.OCTETS).content != hashlib.sha256(content).digest():
        raise ContentError("message-digest", "the content is not the one that was signed")
    at = der.time(attributes[_TIME])
    covered = bytes((der.SET,)) + parts[3].raw[1:]
    try:
        public_key(signer).verify(der.expect(signature, der.OCTETS).content, covered, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ContentError("signature", "it is not of this signer over these attributes") from None
    return at


def _attributes(given: Tlv) -> dict[str, Tlv]:
    """Type, digest and time, each once. Raises BadDer, ContentError (no-signed-attributes)."""
    found: dict[bytes, Tlv] = {}
    for one in given.items():
        parts = one.items()
        if len(parts) != 2 or parts[0].raw in found:
            raise BadDer("a signed attribute twice, or of another form")
        found[parts[0].raw] = der.expect(parts[1], der.SET)
    out = {}
    for name in (_TYPE, _DIGEST, _TIME):
        values = found[der.oid(name)].items() if der.oid(name) in found else []
        if len(values) != 1:
            raise ContentError("no-signed-attributes", "type, digest and time are each signed once")
        out[name] = values[0]
    return out


def _attribute(name: str, value: bytes) -> bytes:
    return der.write(der.SEQUENCE, der.oid(name), der.write(der.SET, value))


def _ecdsa() -> ec.ECDSA:
    return ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
