"""Whether a certificate of the SM-PKI holds at an instant: its chain up to a root that is trusted, and the revocation
list of each authority on the way.

One rule for worlds and for connections on sockets. What does not hold has a clause of this model, in the order of
looking; a list that is missing or over refuses, as a certificate on it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from sim.core.quoting import named
from sim.core.refused import BrokenClause
from sim.pki import sm_forms as forms
from sim.pki.sm_forms import USAGES

CLAUSES: Final = {
    "chain-name": "it is the certificate of who is called",
    "chain-purpose": "it is for what it is used for",
    "chain-seal": "what a maker's seal certifies is good for the first request alone",
    "chain-hole": "each issuer is known, up to a root that is trusted",
    "chain-authority": "each issuer may issue",
    "chain-signature": "each issuer signed it",
    "chain-time": "each certificate is valid",
    "list-missing": "there is a revocation list of each issuer",
    "list-signature": "its authority signed it",
    "list-expired": "it is not over, and not of the future",
    "list-revoked": "the certificate does not stand on it",
}
DEPTH_MOST: Final = 8
_REMEMBERED: Final = 1 << 10
"""Signatures of authorities that were looked at. What depends on the instant is looked at each time."""


class ChainError(BrokenClause):
    """`clause`: one of CLAUSES."""


@dataclass
class Trust:
    """What a party goes by: `roots` that it trusts, `authorities` between (sub-CAs, links), the newest `lists`."""

    roots: list[x509.Certificate]
    authorities: list[x509.Certificate] = field(default_factory=list)
    lists: list[x509.CertificateRevocationList] = field(default_factory=list)
    version: int = 0
    """It grows with each list that is learned."""

    def learn(self, lists: Iterable[x509.CertificateRevocationList]) -> None:
        """Newer lists take the place of those of the same authority's key."""
        self.version += 1
        for one in lists:
            self.lists = [old for old in self.lists if (old.issuer, _key_of(old)) != (one.issuer, _key_of(one))
                          or old.last_update_utc > one.last_update_utc] + [one]  # fmt: skip

    def check(
        self, certificate: x509.Certificate, at: datetime, purpose: forms.Purpose, *, name: str = "",
        seal: bool = False, lists: bool = True,
    ) -> datetime:  # fmt: skip
        """Until when that holds, if nobody learns of other lists. Raises ChainError. `name`: the common name that it
        must have; `seal`: a maker's seal will do; `lists` False is the weakness that looks at none."""
        shown = forms.common_name(certificate)
        if name and shown != name:
            raise ChainError("chain-name", f"{name} is called, and {named(shown or 'nobody')} answers")
        if forms.usage(certificate) != USAGES[purpose]:
            raise ChainError("chain-purpose", f"the certificate of {named(shown)} is not one for {purpose}")
        if not seal and not forms.number_of(certificate):
            raise ChainError("chain-seal", f"{named(shown)} shows its maker's seal, and no operational certificate")
        until = certificate.not_valid_after_utc
        for _ in range(DEPTH_MOST):
            if certificate in self.roots:
                return min(until, _valid(certificate, at))
            above = self._above(certificate)
            until = min(until, _valid(certificate, at))
            if lists:
                until = min(until, self._not_taken_back(certificate, above, at))
            certificate = above
        raise ChainError("chain-hole", f"more than {DEPTH_MOST} authorities stand above {named(shown)}")

    def _above(self, certificate: x509.Certificate) -> x509.Certificate:
        shown, issuer = forms.common_name(certificate), certificate.issuer.rfc4514_string()
        wanted = _key_of(certificate)
        able = [one for one in (*self.roots, *self.authorities)
                if one.subject == certificate.issuer and wanted in (None, subject_key(one)) and one != certificate]
        if not able:
            raise ChainError("chain-hole", f"{named(shown)} was issued by {named(issuer)}, of whom no certificate is "
                                           "known")  # fmt: skip
        for one in able:
            if forms.usage(one) != USAGES["CA"] or not _is_authority(one):
                raise ChainError("chain-authority", f"{named(issuer)} may issue nothing, and did so to {named(shown)}")
            if _issued(certificate, one):
                return one
        raise ChainError("chain-signature", f"{named(issuer)} has not signed the certificate of {named(shown)}")

    def _not_taken_back(self, certificate: x509.Certificate, above: x509.Certificate, at: datetime) -> datetime:
        issuer, key = forms.common_name(above), subject_key(above)
        own = [one for one in self.lists if one.issuer == above.subject and _key_of(one) in (None, key)]
        if not own:
            raise ChainError("list-missing", f"there is no revocation list of {named(issuer)}; fetch one from "
                                             f"{forms.list_place(issuer)}")  # fmt: skip
        newest = max(own, key=lambda one: one.last_update_utc)
        if not _signed_list(newest.public_bytes(serialization.Encoding.DER), above):
            raise ChainError("list-signature", f"{named(issuer)} has not signed the revocation list in its name")
        end = newest.next_update_utc
        if end is None or at >= end or at < newest.last_update_utc:
            raise ChainError(
                "list-expired",
                f"the revocation list of {named(issuer)} is good from {newest.last_update_utc} to {end}; "
                "fetch a newer one",
            )
        found = newest.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if found is not None and found.revocation_date_utc <= at:
            shown, since = named(forms.common_name(certificate)), found.revocation_date_utc
            raise ChainError("list-revoked", f"the certificate of {shown} was taken back at {since}")
        return end


def read_list(data: bytes) -> x509.CertificateRevocationList:
    """PEM or DER. Raises ChainError (list-missing)."""
    try:
        pem = data.lstrip()[:5] == b"-----"
        return x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
    except (ValueError, TypeError) as error:
        raise ChainError("list-missing", f"this is no revocation list in PEM or DER ({named(str(error))})") from None


def list_bytes(one: x509.CertificateRevocationList) -> bytes:
    """PEM."""
    return one.public_bytes(serialization.Encoding.PEM)


def _valid(certificate: x509.Certificate, at: datetime) -> datetime:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= at < end:
        raise ChainError("chain-time", f"the certificate of {named(forms.common_name(certificate))} is valid from "
                                       f"{begin} to {end}")  # fmt: skip
    return end


@lru_cache(maxsize=_REMEMBERED)
def _issued(certificate: x509.Certificate, above: x509.Certificate) -> bool:
    """Whether it was signed under the other's name and key; of when and for what, nothing."""
    try:
        certificate.verify_directly_issued_by(above)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


@lru_cache(maxsize=_REMEMBERED)
def _signed_list(data: bytes, above: x509.Certificate) -> bool:
    """Whether the authority's key signed this list, in DER."""
    try:
        public = above.public_key()
        return x509.load_der_x509_crl(data).is_signature_valid(public)  # type: ignore[arg-type]  # of an authority's key
    except (TypeError, ValueError):
        return False


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def subject_key(certificate: x509.Certificate) -> bytes | None:
    """The identifier of its own key, where it says one."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None


def _key_of(one: x509.Certificate | x509.CertificateRevocationList) -> bytes | None:
    """The key that is said to have signed it."""
    try:
        return one.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (x509.ExtensionNotFound, ValueError):
        return None
