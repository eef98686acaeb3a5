"""Authorities of the SM-PKI: a root, its sub-CAs, what they take back, and the certificates that link one root to the
next.

Keys and serial numbers come from `draw`, dates from who calls, and signatures are deterministic: equal draws make equal
certificates and lists. Revocation lists have a number that grows and an end: a sub-CA's is good for three days, a
root's for forty. That daily and monthly ones are made is recalled; how long one is good is this model's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sim.pki import sm_forms as forms
from sim.pki.authority import PkiError
from sim.pki.sm_forms import GENERATIONS, ROOT_NAME, Above, Generation
from sim.pki.sm_lint import kind_of

Draw = Callable[[int], bytes]
LIST_LIVES: Final = {"root": timedelta(days=40), "sub-ca": timedelta(days=3)}
REASONS: Final = ("key_compromise", "superseded", "cessation_of_operation", "affiliation_changed")
_SERIAL_BYTES: Final = 15
_MORE_BYTES: Final = 8


def drawn_key(draw: Draw, curve: ec.EllipticCurve) -> forms.Key:
    """A key in software; eight bytes more than the order has, so that no key is likelier than another."""
    value = int.from_bytes(draw(curve.key_size // 8 + _MORE_BYTES), "big") % (curve.group_order - 1) + 1
    return ec.derive_private_key(value, curve)


class SmAuthority:
    """A root or a sub-CA. Raises PkiError."""

    def __init__(self, kind: str, key: forms.Key, certificate: x509.Certificate, generation: Generation, draw: Draw):
        self.kind, self._key, self.certificate = kind, key, certificate
        self._generation, self._draw = generation, draw
        self._taken_back: dict[int, tuple[datetime, str]] = {}
        self._lists = 0
        self.issued = 0

    @property
    def _above(self) -> Above:
        digest = self._generation.root_digest if self.kind == "root" else self._generation.sub_digest
        return Above(self.certificate.subject, self._key, digest)

    def issue(
        self, common: str, number: int, public: ec.EllipticCurvePublicKey, purpose: forms.Purpose, since: datetime
    ) -> x509.Certificate:
        """For an end user. Its name says its kind: something.SMGW, .GWA, .GWH or .EMT."""
        subject = forms.name(common, number)
        kind = next((one for one in ("smgw", "gwa", "gwh", "emt") if f".{one.upper()}" in common), "")
        if self.kind != "sub-ca" or not kind:
            raise PkiError(f"{common}: sub-CAs certify names that end in .SMGW, .GWA, .GWH or .EMT, and nobody others")
        self._must_live(since)
        return self._made(kind, subject, public, purpose, since)

    def _made(
        self, kind: str, subject: x509.Name, public: ec.EllipticCurvePublicKey, purpose: forms.Purpose | Literal["CA"],
        since: datetime, until: datetime | None = None,
    ) -> x509.Certificate:  # fmt: skip
        self.issued += 1
        drawn = serial(self._draw)
        return forms.certificate(
            kind, subject, public, purpose, self._above, serial=drawn, since=since, until=until
        )

    def _must_live(self, at: datetime) -> None:
        if not self.certificate.not_valid_before_utc <= at < self.certificate.not_valid_after_utc:
            raise PkiError(f"{forms.common_name(self.certificate)} is not valid at {at:%Y-%m-%d}; renew it first")

    def take_back(self, certificate: x509.Certificate, at: datetime, reason: str = "key_compromise") -> None:
        """From the next list on it stands there. Taken back is taken back. Raises PkiError."""
        if certificate.issuer != self.certificate.subject:
            raise PkiError(f"{forms.common_name(self.certificate)} has not issued this certificate")
        if reason not in REASONS:
            raise PkiError(f"{reason!r} is no reason; there are {', '.join(REASONS)}")
        self._taken_back.setdefault(certificate.serial_number, (at, reason))

    def revocation_list(self, at: datetime) -> x509.CertificateRevocationList:
        """A new list, good from `at` on for its life."""
        self._lists += 1
        subject, public = self.certificate.subject, self._key.public_key()
        builder = x509.CertificateRevocationListBuilder(subject, at, at + LIST_LIVES[self.kind])
        for number, (since, reason) in sorted(self._taken_back.items()):
            if since <= at:
                one = x509.RevokedCertificateBuilder(number, since)
                one = one.add_extension(x509.CRLReason(x509.ReasonFlags[reason]), critical=False)
                builder = builder.add_revoked_certificate(one.build())
        builder = builder.add_extension(x509.CRLNumber(self._lists), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        return builder.sign(self._key, self._above.digest, ecdsa_deterministic=True)


class SmRoot(SmAuthority):
    """The one root of its time. `number` grows with each."""

    def __init__(
        self, draw: Draw, since: datetime, generation: str = "2025", number: int = 1, common: str = ROOT_NAME
    ) -> None:
        made = GENERATIONS[generation]
        key = drawn_key(draw, made.root_curve)
        subject = forms.name(common, number)
        own = Above(subject, key, made.root_digest)
        certificate = forms.certificate("root", subject, key.public_key(), "CA", own, serial=serial(draw), since=since)
        super().__init__("root", key, certificate, made, draw)

    def sub_ca(self, common: str, since: datetime, number: int = 1) -> SmAuthority:
        """A sub-CA. Raises PkiError."""
        subject = forms.name(common, number)
        self._must_live(since)
        key = drawn_key(self._draw, self._generation.sub_curve)
        made = self._made("sub-ca", subject, key.public_key(), "CA", since)
        if kind_of(made) != "sub-ca":
            raise PkiError(f"{common}: a sub-CA is called something.CA, without another dot")
        return SmAuthority("sub-ca", key, made, self._generation, self._draw)

    def link(self, new: SmRoot, since: datetime) -> x509.Certificate:
        """The next root's key under this one's name, for who trusts this one only. It ends when this one does."""
        self._must_live(since)
        until = min(self.certificate.not_valid_after_utc, new.certificate.not_valid_after_utc)
        public = new.certificate.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        return self._made("root", new.certificate.subject, public, "CA", since, until)


def serial(draw: Draw) -> int:
    """A certificate's number: positive, of at most 15 bytes."""
    return int.from_bytes(draw(_SERIAL_BYTES), "big") | 1
