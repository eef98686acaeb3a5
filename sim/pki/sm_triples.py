"""A party's three certificates (TLS, ENC, SIG) from the maker's seal to renewals: requests, and who may make them.

A request names the party, the number of the triple and three new keys. Each new key signs it (possession), and then
somebody signs all of that (authorisation). Both signatures are facts of TR-03129; the layout is this model's, and so
are the rules of who authorises: a maker (GWH) gateways' seals, triple 0; their administrator (GWA) each later one of a
gateway; other parties their own renewals. Keys of odd triples have slots of their own, so that an old key is there
until its successor is certified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, get_args

from cryptography import x509

from sim.core.refused import BrokenClause
from sim.pki import der
from sim.pki import sm_forms as forms
from sim.pki.content_ciphers import NotSealed, point
from sim.pki.sealed_content import public_key
from sim.pki.slot_keys import CURVE, verifies
from sim.pki.sm_authorities import SmAuthority
from sim.pki.sm_chain import Trust

PURPOSES: Final[tuple[forms.Purpose, ...]] = get_args(forms.Purpose)
_UTF8: Final = 0x0C


class RequestError(BrokenClause):
    """A request that is not granted. `clause`: "request-name", "request-key", "request-number", "request-possession",
    "request-authorisation"."""


class Keys(Protocol):
    """Who makes keys in slots and signs with them: a security module, or software."""

    def make_key(self, slot: str) -> bytes: ...

    def sign(self, slot: str, message: bytes) -> bytes: ...


def slot_of(purpose: str, number: int) -> str:
    """Where the keys of a triple lie."""
    return f"{purpose}-2" if number % 2 else purpose


@dataclass(frozen=True, slots=True)
class Triple:
    """`number`: 0 is the maker's seal."""

    name: str
    number: int
    certificates: Mapping[forms.Purpose, x509.Certificate]


@dataclass(frozen=True, slots=True)
class Request:
    """`points`, `proofs`: purpose -> the new key, and its signature. `by`: who authorises."""

    name: str
    number: int
    points: Mapping[forms.Purpose, bytes]
    proofs: Mapping[forms.Purpose, bytes]
    by: str = ""
    authorisation: bytes = b""

    def body(self) -> bytes:
        """What the new keys sign."""
        return der.write(
            der.SEQUENCE, der.write(_UTF8, self.name.encode()), der.integer(self.number),
            *(der.write(der.OCTETS, self.points.get(purpose, b"")) for purpose in PURPOSES),
        )  # fmt: skip

    def whole(self) -> bytes:
        """What who authorises it signs."""
        proofs = (der.write(der.OCTETS, self.proofs.get(purpose, b"")) for purpose in PURPOSES)
        return der.write(der.SEQUENCE, self.body(), *proofs, der.write(_UTF8, self.by.encode()))

    def authorised(self, by: str, sign: Callable[[bytes], bytes]) -> Request:
        """The same, signed by a party's key SIG."""
        own = replace(self, by=by)
        return replace(own, authorisation=sign(own.whole()))


def request(name: str, number: int, keys: Keys) -> Request:
    """New keys of a triple, and the request that they sign."""
    points = {purpose: keys.make_key(slot_of(purpose, number)) for purpose in PURPOSES}
    body = Request(name, number, points, {}).body()
    return Request(name, number, points, {one: keys.sign(slot_of(one, number), body) for one in PURPOSES})


class Registration:
    """What a sub-CA grants, and knows of who has which triple. `trust`: for who authorises."""

    def __init__(self, authority: SmAuthority, trust: Trust) -> None:
        self.authority, self.trust = authority, trust
        self.triples: dict[str, Triple] = {}

    def first(self, name: str, points: Mapping[forms.Purpose, bytes], at: datetime) -> Triple:
        """The first triple of a party that came in person: a maker, an administrator, a market participant."""
        if name.endswith(".SMGW"):
            raise RequestError("request-authorisation", f"{name}: a gateway's first triple is its maker's to ask for")
        return self._grant(Request(name, 1, points, {}), at)

    def grant(self, asked: Request, at: datetime) -> Triple:
        """Raises RequestError, ChainError where who authorises has no good certificate, PkiError."""
        known = self.triples.get(asked.name)
        wanted = known.number + 1 if known else 0
        if asked.number != wanted:
            raise RequestError("request-number", f"{asked.name} is to have triple {wanted} next, not {asked.number}")
        body, points = asked.body(), {purpose: _point(asked, purpose) for purpose in PURPOSES}
        for purpose in PURPOSES:
            if not verifies(points[purpose], body, asked.proofs.get(purpose, b"")):
                raise RequestError("request-possession", f"the new key {purpose} of {asked.name} has not signed it")
        self._authorised(asked, at)
        return self._grant(asked, at)

    def _authorised(self, asked: Request, at: datetime) -> None:
        gateway = asked.name.endswith(".SMGW")
        role = (".GWA" if asked.number else ".GWH") if gateway else ""
        right = (role in asked.by) if gateway else asked.by == asked.name
        by = self.triples.get(asked.by)
        if not right or by is None:
            who = {"": f"{asked.name} itself", ".GWA": "its administrator (GWA)", ".GWH": "its maker (GWH)"}[role]
            raise RequestError("request-authorisation", f"{asked.by or 'nobody'} authorises triple {asked.number} of "
                                                        f"{asked.name}; {who} does")  # fmt: skip
        certificate = by.certificates["SIG"]
        self.trust.check(certificate, at, "SIG", name=asked.by)
        numbers = public_key(certificate).public_numbers()
        own = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        if not verifies(own, asked.whole(), asked.authorisation):
            raise RequestError("request-authorisation", f"the request is not signed by {asked.by}")

    def _grant(self, asked: Request, at: datetime) -> Triple:
        before = self.triples.get(asked.name)
        made = {}
        for purpose in PURPOSES:
            try:
                public = point(CURVE, _point(asked, purpose))
            except NotSealed as error:
                raise RequestError("request-key", f"{purpose} of {asked.name}: {error}") from None
            made[purpose] = self.authority.issue(asked.name, asked.number, public, purpose, at)
        # A seal has done its part when the first operational triple is there.
        if before is not None and before.number == 0:
            self.take_back(before, at, "superseded")
        triple = self.triples[asked.name] = Triple(asked.name, asked.number, made)
        return triple

    def take_back(self, triple: Triple, at: datetime, reason: str = "key_compromise") -> None:
        """All three certificates."""
        for certificate in triple.certificates.values():
            self.authority.take_back(certificate, at, reason)


def _point(asked: Request, purpose: forms.Purpose) -> bytes:
    if purpose not in asked.points:
        raise RequestError("request-key", f"a triple of {asked.name} has keys {', '.join(PURPOSES)}, and {purpose} is "
                                          "missing")  # fmt: skip
    return asked.points[purpose]


