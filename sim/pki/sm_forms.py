"""Certificates of the SM-PKI in the form that its lint wants (sm_lint): who is named how, with which key, for how long.

Facts as sm_lint has them. A party's number in its subject is that of its triple: 0 for the maker's seal, 1 for the
first operational one, one more with each renewal; that is a constant of this model, as are addresses and mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.core.digits import whole_of
from sim.pki.sm_lint import POLICY

Purpose = Literal["TLS", "ENC", "SIG"]
Key = ec.EllipticCurvePrivateKey
Digest = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
ORGANISATION: Final = "SM-Test-PKI-DE"
ROOT_NAME: Final = "SM-Test-Root.CA"
USAGES: Final[dict[str, frozenset[str]]] = {
    "CA": frozenset(("key_cert_sign", "crl_sign")),
    "TLS": frozenset(("digital_signature", "key_agreement")),
    "ENC": frozenset(("key_encipherment", "key_agreement")),
    "SIG": frozenset(("digital_signature",)),
}
"""That a TLS certificate agrees keys is this model's: it tells it from one that signs content."""
_BITS: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
_YEAR: Final = timedelta(days=365)
LIVES: Final = {"root": 7 * _YEAR, "sub-ca": 5 * _YEAR, "": 2 * _YEAR}
"""A root's is recalled; a sub-CA's and end users' were read from published certificates."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Keys and digests of authorities, before and after the root's change of 2025 (TR-03116-3)."""

    root_curve: ec.EllipticCurve
    root_digest: Digest
    sub_curve: ec.EllipticCurve
    sub_digest: Digest


GENERATIONS: Final = {
    "2017": Generation(ec.BrainpoolP384R1(), hashes.SHA384(), ec.BrainpoolP256R1(), hashes.SHA256()),
    "2025": Generation(ec.BrainpoolP512R1(), hashes.SHA512(), ec.BrainpoolP384R1(), hashes.SHA384()),
}


def name(common: str, number: int) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.SERIAL_NUMBER, str(number)),
    ])  # fmt: skip


def common_name(certificate: x509.Certificate) -> str:
    """"" where there is none, or more than one."""
    return _one(certificate.subject, NameOID.COMMON_NAME)


def number_of(certificate: x509.Certificate) -> int | None:
    """The number in the subject."""
    return whole_of(_one(certificate.subject, NameOID.SERIAL_NUMBER))


def _one(of: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = of.get_attributes_for_oid(oid)
    return str(found[0].value) if len(found) == 1 else ""


def usage(certificate: x509.Certificate) -> frozenset[str]:
    """Names of the bits of keyUsage that are set."""
    try:
        value = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()
    return frozenset(one for one in _BITS[:7] if getattr(value, one))


@dataclass(frozen=True, slots=True)
class Above:
    """Who signs: its name as issuer, its key, its digest."""

    subject: x509.Name
    key: Key
    digest: Digest


def certificate(
    kind: str, subject: x509.Name, public: ec.EllipticCurvePublicKey, purpose: Purpose | Literal["CA"], above: Above,
    *, serial: int, since: datetime, until: datetime | None = None,
) -> x509.Certificate:  # fmt: skip
    """`kind`: one of sm_lint's, "" for what it calls an end user of no other kind."""
    common, issuer = _one(subject, NameOID.COMMON_NAME), _one(above.subject, NameOID.COMMON_NAME)
    bits = USAGES[purpose]
    authority = purpose == "CA"
    parts: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.KeyUsage(**{bit: bit in bits for bit in _BITS}), True),
        (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(POLICY), None)]), False),
        (x509.IssuerAlternativeName([mail(issuer)]), False),
        (x509.BasicConstraints(authority, 0 if kind == "sub-ca" else None), True),
    ]
    if kind != "root" or subject != above.subject:
        own = above.key.public_key()
        parts.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(own), False))
        places = [x509.UniformResourceIdentifier(list_place(issuer))]
        parts.append((x509.CRLDistributionPoints([x509.DistributionPoint(places, None, None, None)]), False))
    if kind in ("gwa", "gwh", "emt"):
        parts.append((x509.SubjectAlternativeName([mail(common)]), False))
    builder = x509.CertificateBuilder(
        above.subject, subject, public, serial, since, until or since + LIVES.get(kind, LIVES[""])
    )
    for part, critical in parts:
        builder = builder.add_extension(part, critical)
    return builder.sign(above.key, above.digest, ecdsa_deterministic=True)


def mail(common: str) -> x509.RFC822Name:
    return x509.RFC822Name(f"{common.lower()}@sm-pki.example")


def list_place(authority: str) -> str:
    """Where an authority's revocation list is to be had."""
    return f"http://sm-pki.example/{authority}.crl"
