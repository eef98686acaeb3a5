"""A small SM-PKI of throw-away keys: root, sub-CA and end users, in the form that the lint wants, or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import count

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.pki.der import Tlv, read, write
from sim.pki.sm_lint import POLICY

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
P256, P384, P512 = ec.BrainpoolP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1()
ENC = ("key_encipherment", "key_agreement")
AUTHORITY = ("key_cert_sign", "crl_sign")
PLACES = ("http://crl.example/list.crl", "ldap://ldap.example/CN=list")


def name(common: str, organisation: str = "SM-Test-PKI-DE", number: str | None = "1") -> x509.Name:
    parts = [(NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, organisation), (NameOID.COUNTRY_NAME, "DE")]
    parts += [(NameOID.SERIAL_NUMBER, number)] if number is not None else []
    return x509.Name([x509.NameAttribute(*part) for part in parts])


def key_usage(*wanted: str) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{one: one in wanted for one in names})


def extensions(kind: str, public: object, above: object) -> dict[str, tuple[x509.ExtensionType, bool]]:
    """Name -> extension, critical; of a kind of certificate: root, sub-ca, smgw or emt."""
    mail = [x509.RFC822Name("pki@example.org")]
    made: dict[str, tuple[x509.ExtensionType, bool]] = {
        "ski": (x509.SubjectKeyIdentifier.from_public_key(public), False),
        "usage": (key_usage(*(AUTHORITY if kind in ("root", "sub-ca") else ENC)), True),
        "policy": (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(POLICY), None)]), False),
        "ian": (x509.IssuerAlternativeName(mail), False),
        "basic": (x509.BasicConstraints(kind in ("root", "sub-ca"), 0 if kind == "sub-ca" else None), True),
    }
    if kind != "root":
        made["aki"] = (x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False)
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(place) for place in PLACES], None, None, None)]
        made["crl"] = (x509.CRLDistributionPoints(points), False)
    if kind == "emt":
        made["san"] = (x509.SubjectAlternativeName(mail), False)
    return made


def certificate(kind, subject, key, issuer, issuer_key, digest, days=730, changes=None):
    """`changes`: name of an extension -> another one with its mark, or None for none."""
    parts = extensions(kind, key.public_key(), issuer_key.public_key()) | (changes or {})
    serial = int.from_bytes(sha256(subject.public_bytes()).digest()[:8], "big") >> 1 | 1
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), serial, BEGIN, BEGIN + timedelta(days=days))
    for part in parts.values():
        if part is not None:
            builder = builder.add_extension(*part)
    return builder.sign(issuer_key, digest)


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


def key(who: str, curve: str = "P256") -> ec.EllipticCurvePrivateKey:
    return _key(who, curve)


@cache
def _key(_who: str, curve: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({"P256": P256, "P384": P384, "P512": P512, "nist": ec.SECP256R1()}[curve])


ROOT, SUB = name("SM-Test-Root.CA"), name("example-Energy.CA", number="2")


def root(**more):
    own = key("root", "P384")
    return certificate("root", ROOT, own, ROOT, own, hashes.SHA384(), 7 * 365, **more)


def sub_ca(**more):
    return certificate("sub-ca", SUB, key("sub"), ROOT, key("root", "P384"), hashes.SHA384(), 5 * 365, **more)


def end_user(common="EXXX0012345678.SMGW", kind="smgw", curve="P256", subject=None, digest=None, days=730, **more):
    return certificate(
        kind, subject or name(common), key(common, curve), SUB, key("sub"), digest or hashes.SHA256(), days, **more
    )


CHANGES = (
    lambda one: b"",
    lambda one: one.raw * 2,
    lambda one: write(one.tag),
    lambda one: write(one.tag, b"\0"),
    lambda one: write(0x05),
    lambda one: write(0x30, one.raw),
)


def damaged(data: bytes) -> Iterator[bytes]:
    """DER with one of its values left out, doubled, emptied, exchanged or wrapped; all values, all ways."""

    def changed(one: Tlv, numbers: Iterator[int], wanted: int, change: Callable[[Tlv], bytes]) -> bytes:
        if next(numbers) == wanted:
            return change(one)
        if not one.tag & 0x20:
            return one.raw
        return write(one.tag, *(changed(part, numbers, wanted, change) for part in one.items()))

    counted = count()
    changed(read(data), counted, -1, CHANGES[0])
    for wanted in range(next(counted)):
        for change in CHANGES:
            if (made := changed(read(data), count(), wanted, change)) != data:
                yield made
