"""A lint of SM-PKI certificates: what is beside the rules of a profile, rule by rule.

Rules from public lints (MTG-AG/jzlint, Apache-2.0), TR-03116-3 of 2025, and two published certificates of the
SM-Test-PKI of 2017. The certificate policy itself could not be opened: a clean certificate is one without a finding
here, and conforms to nothing by that. Constants that no source gives are marked as ours.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.core.quoting import named, quoted

POLICY: Final = "0.4.0.127.0.7.3.4.1.1.1"
_T = TypeVar("_T", bound=x509.ExtensionType)
_DAY: Final = timedelta(days=1)
_KINDS: Final = (  # of the common name, the first that fits
    ("root", re.compile(r"SM-(Test-)?Root\.CA")),
    ("signer", re.compile(r"SM-(Test-)?Root\.CA\.(CRL-S|TLS-S|TLS)")),
    ("sub-ca", re.compile(r"[^.]+\.CA")),
    ("smgw", re.compile(r"[^.]+\.SMGW")),
    ("gwa", re.compile(r"[^.]+\.GWA(\.[^.]+)?")),
    ("gwh", re.compile(r"[^.]+\.GWH(\.[^.]+)?")),
    ("emt", re.compile(r"[^.]+\.EMT(\.[^.]+)?")),
)
_AUTHORITIES: Final = ("root", "sub-ca")
_WITH_NAMES: Final = ("gwa", "gwh", "emt")
_YEARS: Final = {"root": 7, "sub-ca": 5}  # a root's is ours; all others have 2
_AUTHORITY_USAGE: Final = frozenset(("key_cert_sign", "crl_sign"))
_USAGES: Final = (  # of end users: encryption; signature; TLS (whether it agrees keys is ours)
    frozenset(("key_encipherment", "key_agreement")),
    frozenset(("digital_signature",)),
    frozenset(("digital_signature", "key_agreement")),
)
_USAGE_NAMES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign",
)  # fmt: skip
_P256, _P384, _P512 = "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"


@dataclass(frozen=True, slots=True)
class Profile:
    """`curves`: kind -> curves of its key, "" for end users. `hashes`: kind of who signs -> digests."""

    organisations: tuple[str, ...]
    curves: dict[str, tuple[str, ...]]
    hashes: dict[str, tuple[str, ...]]


PROFILES: Final = {
    "2017": Profile(
        ("SM-PKI", "SM-Test-PKI", "SM-PKI-DE", "SM-Test-PKI-DE"),
        {"root": (_P384,), "sub-ca": (_P256,), "": (_P256,)},
        {"root": ("sha384",), "sub-ca": ("sha256",)},
    ),
    "today": Profile(  # roots and sub-CAs from before the change of 2025 are still there
        ("SM-PKI-DE", "SM-Test-PKI-DE"),
        {"root": (_P384, _P512), "sub-ca": (_P256, _P384), "": (_P256,)},
        {"root": ("sha384", "sha512"), "sub-ca": ("sha256", "sha384")},
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is beside a rule."""

    rule: str
    detail: str


def lint(data: bytes, profile: str = "today", issuer: bytes | None = None) -> list[Finding]:
    """What is wrong with a certificate, PEM or DER; with its issuer's, also whether that one signed it. Nothing raises:
    what is no certificate is a finding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's, on what is found here anyway
        return _lint(data, PROFILES[profile], issuer)


def _lint(data: bytes, profile: Profile, issuer: bytes | None) -> list[Finding]:
    try:
        certificate = load(data)
    except (ValueError, TypeError) as error:
        return [Finding("certificate", f"is none in PEM or DER: {quoted(str(error))}")]
    try:
        above = load(issuer) if issuer is not None else None
    except (ValueError, TypeError) as error:
        return [Finding("issuer", f"the issuer's is no certificate in PEM or DER: {quoted(str(error))}")]
    try:
        kind = kind_of(certificate)
        found = [
            Finding(rule.__name__.strip("_").replace("_", "-"), text)
            for rule in _RULES
            for text in rule(certificate, kind, profile)
        ]
        if above is not None:
            found += [Finding("issuer", text) for text in _issued(certificate, above)]
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        return [Finding("certificate", f"cannot be read: {quoted(str(error))}")]
    return found


def load(data: bytes) -> x509.Certificate:
    """PEM or DER. Raises ValueError."""
    return (
        x509.load_pem_x509_certificate(data) if data.lstrip()[:5] == b"-----" else x509.load_der_x509_certificate(data)
    )


def kind_of(certificate: x509.Certificate) -> str:
    """root, signer, sub-ca, smgw, gwa, gwh or emt by its common name; "" for none of them."""
    name = _one(certificate.subject, NameOID.COMMON_NAME) or ""
    return next((kind for kind, form in _KINDS if form.fullmatch(name)), "")


# --- rules -----------------------------------------------------------------------------------------------------------


def _names(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    if not kind:
        yield f"common name {named(_one(certificate.subject, NameOID.COMMON_NAME) or 'none')} has none of the forms"
    for whose, name in (("subject", certificate.subject), ("issuer", certificate.issuer)):
        if (organisation := _one(name, NameOID.ORGANIZATION_NAME)) not in profile.organisations:
            yield f"{whose}'s organisation is {quoted(organisation)}, not {' or '.join(profile.organisations)}"
        if _one(name, NameOID.COUNTRY_NAME) != "DE":
            yield f"{whose}'s country is not DE"
        number = _one(name, NameOID.SERIAL_NUMBER)
        if number is None or not re.fullmatch("[0-9]+", number):
            yield f"{whose}'s serialNumber is {quoted(number)}, not digits"


def _version(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    if certificate.version is not x509.Version.v3:
        yield "not version 3"
    if not 0 < certificate.serial_number < 1 << 159:
        yield "its serial number is not a positive one of at most 20 bytes"


def _key(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    key = certificate.public_key()
    curves = profile.curves.get("root" if kind == "signer" else kind, profile.curves[""])
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in curves:
        yield f"its key is not on {' or '.join(curves)}"
        return
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if point not in certificate.tbs_certificate_bytes:
        yield "its point is not written uncompressed"


def _signature(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    digests = profile.hashes["root" if kind in (*_AUTHORITIES, "signer") else "sub-ca"]
    digest = certificate.signature_hash_algorithm
    ecdsa = str(certificate.signature_algorithm_oid.dotted_string).startswith("1.2.840.10045.4.3.")
    if not ecdsa or digest is None or digest.name not in digests:
        yield f"it is not signed by ECDSA with {' or '.join(digests)}"


def _validity(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    years = _YEARS.get("root" if kind == "signer" else kind, 2)
    if end <= begin:
        yield "it ends before it begins"
    if end > begin + 366 * years * _DAY:
        yield f"it is valid for more than {years} years"


def _key_usage(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    extension = _extension(certificate, x509.KeyUsage)
    if extension is None:
        yield "keyUsage is missing"
        return
    if not extension.critical:
        yield "keyUsage is not critical"
    usage = frozenset(name for name in _USAGE_NAMES if getattr(extension.value, name))
    allowed = (_AUTHORITY_USAGE,) if kind in _AUTHORITIES else _USAGES
    if kind != "signer" and usage not in allowed:
        wanted = "; ".join(", ".join(sorted(one)) for one in allowed)
        yield f"keyUsage is {', '.join(sorted(usage)) or 'empty'}, not one of: {wanted}"


def _basic_constraints(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    extension = _extension(certificate, x509.BasicConstraints)
    if extension is None:
        yield "basicConstraints is missing"
        return
    if not extension.critical:
        yield "basicConstraints is not critical"
    if extension.value.ca != (kind in _AUTHORITIES):
        yield f"basicConstraints says CA {str(extension.value.ca).upper()}"
    if kind == "sub-ca" and extension.value.path_length != 0:
        yield "a sub-CA has the path length 0"


def _extensions(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    needed: dict[str, type[x509.ExtensionType]] = {
        "subjectKeyIdentifier": x509.SubjectKeyIdentifier,
        "certificatePolicies": x509.CertificatePolicies,
        "issuerAltName": x509.IssuerAlternativeName,
    }
    if kind != "root":
        needed["authorityKeyIdentifier"] = x509.AuthorityKeyIdentifier
        needed["cRLDistributionPoints"] = x509.CRLDistributionPoints
    if kind in _WITH_NAMES:
        needed["subjectAltName"] = x509.SubjectAlternativeName
    for name, oid in needed.items():
        extension = _extension(certificate, oid)
        if extension is None:
            yield f"{name} is missing"
        elif extension.critical and name != "certificatePolicies":
            yield f"{name} is critical"


def _forbidden(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    if kind == "smgw" and _extension(certificate, x509.SubjectAlternativeName) is not None:
        yield "a gateway has no subjectAltName"
    if kind not in (*_AUTHORITIES, "signer") and _extension(certificate, x509.PrivateKeyUsagePeriod) is not None:
        yield "an end user has no privateKeyUsagePeriod"
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if extended is not None and not extended.critical:
        yield "extKeyUsage is not critical"


def _policy(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    extension = _extension(certificate, x509.CertificatePolicies)
    if extension is not None and POLICY not in {one.policy_identifier.dotted_string for one in extension.value}:
        yield f"certificatePolicies has not {POLICY}"


def _revocation(certificate: x509.Certificate, kind: str, profile: Profile) -> Iterator[str]:
    extension = _extension(certificate, x509.CRLDistributionPoints)
    if extension is not None:
        places = [
            name.value
            for point in extension.value
            for name in point.full_name or ()
            if isinstance(name, x509.UniformResourceIdentifier)
        ]
        if not any(place.startswith(("http://", "https://")) for place in places):
            yield "no revocation list is at an HTTP address"


_RULES: Final[tuple[Callable[[x509.Certificate, str, Profile], Iterator[str]], ...]] = (
    _version, _names, _key, _signature, _validity, _key_usage, _basic_constraints, _extensions, _forbidden, _policy,
    _revocation,
)  # fmt: skip


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[str]:
    """What is wrong between a certificate and the one above it."""
    if certificate.issuer != issuer.subject:
        yield "its issuer's name is not the subject of the certificate above: the chain has a hole"
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        yield "its signature is not of the certificate above"
    except (ValueError, TypeError):
        yield "the certificate above cannot have issued it"
    own = _extension(certificate, x509.AuthorityKeyIdentifier)
    above = _extension(issuer, x509.SubjectKeyIdentifier)
    if own is not None and above is not None and own.value.key_identifier != above.value.digest:
        yield "its authorityKeyIdentifier is not the key of the certificate above"
    if not issuer.not_valid_before_utc <= certificate.not_valid_before_utc <= issuer.not_valid_after_utc:
        yield "it begins while the certificate above is not valid"
    if kind_of(issuer) not in _AUTHORITIES:
        yield "the certificate above is no authority's"


def _extension(certificate: x509.Certificate, kind: type[_T]) -> x509.Extension[_T] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _one(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    """The value of an attribute that is there once."""
    found = name.get_attributes_for_oid(oid)
    return found[0].value if len(found) == 1 and isinstance(found[0].value, str) else None
