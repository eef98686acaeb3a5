"""What an account holds and all its connections share: policies, the registry, shadows, rules; and what they did.

The registry of the bench is small: each certificate is a thing of its own, named by its common name and attached to it,
but for those that came by claim (see claims): they have the thing and the policies that their template gave them.
Policies are real documents in files (see fleet_policies); a certificate has those of its name, or those of everyone.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from sim.endpoint.aws.aws_limits import CONNECTS_A_SECOND, CONNECTS_A_SECOND_A_CLIENT
from sim.endpoint.aws.bill import Meter
from sim.endpoint.aws.certificate_claims import ACTIVE, REVOKED, Claims, Registered
from sim.endpoint.aws.policies import Client, Policy, Thing
from sim.endpoint.aws.rule_values import UNDEFINED, Value, parse
from sim.endpoint.aws.shadows import Shadows

if TYPE_CHECKING:
    from sim.endpoint.aws.rule_actions import Actions

REGION_AND_ACCOUNT: Final = "eu-central-1:123456789012"
ARN: Final = f"arn:aws:iot:{REGION_AND_ACCOUNT}:"
DEFAULT: Final = "*"
_SUBJECT: Final = {
    "commonName": "CommonName", "countryName": "Country", "organizationName": "Organization",
    "organizationalUnitName": "OrganizationalUnit", "stateOrProvinceName": "State", "serialNumber": "SerialNumber",
    "title": "Title", "surname": "Surname", "givenName": "GivenName", "initials": "Initials",
    "pseudonym": "Pseudonym", "generationQualifier": "GenerationQualifier", "dnQualifier": "DistinguishedNameQualifier",
}  # fmt: skip


class Wire(Protocol):
    """The two sides of one connection."""

    def to_client(self, data: bytes) -> None: ...
    def to_broker(self, data: bytes) -> None: ...
    def close(self) -> None:
        """Both sides, once what was written has left."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of a client: AWS's id for it (SHA-256 of its DER), attribute -> values of subject and issuer, serial number."""

    id: str
    subject: Mapping[str, tuple[str, ...]]
    issuer: Mapping[str, tuple[str, ...]]
    serial: int = 0

    @property
    def common_name(self) -> str:
        return next(iter(self.subject.get("CommonName", ())), "")


def names_of(rdns: object) -> dict[str, tuple[str, ...]]:
    """Attribute -> values, of `subject` or `issuer` as ssl.SSLSocket.getpeercert() gives it."""
    found: dict[str, tuple[str, ...]] = {}
    if isinstance(rdns, tuple):
        for name, value in (pair for rdn in rdns for pair in rdn):
            key = _SUBJECT.get(name)
            if key:
                found[key] = (*found.get(key, ()), value)
    return found


@dataclass(slots=True)
class Account:
    """`policies`: common name -> its policies; DEFAULT for the others. `named`: the same by the names that templates
    know. `registry`: certificate id -> what is known of one that came by claim. `revoked`: serial numbers of those
    that the authority took back, which TLS lets into no new session. `said(client, limit, detail)` is told
    of each rule enforced. `now_s()` is wall time since any moment, `unix_s()` since 1970."""

    policies: Mapping[str, tuple[Policy, ...]]
    said: Callable[[str, str, str], None]
    now_s: Callable[[], float]
    unix_s: Callable[[], float]
    actions: Actions
    enforce_rates: bool = False
    max_message_bytes: int = 131_072
    shadows: Shadows = field(default_factory=Shadows)
    meter: Meter = field(default_factory=Meter)
    named: Mapping[str, tuple[Policy, ...]] = field(default_factory=dict)
    registry: dict[str, Registered] = field(default_factory=dict)
    revoked: frozenset[int] = frozenset()
    claims: Claims | None = None
    subscriptions: dict[str, dict[str, int]] = field(default_factory=dict)  # client id -> filter -> QoS, while it lasts
    _connects: dict[str, float] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)
    _assigned: int = 0

    def client(self, client_id: str, certificate: Certificate | None, source_ip: str, **connect: object) -> Client:
        """Who asks, for the policies."""
        name = certificate.common_name if certificate else client_id
        known = self.registry.get(certificate.id) if certificate else None
        thing = Thing(name) if name else None
        if known is not None:
            thing = Thing(known.thing, None, known.attributes) if known.thing else None
        return Client(
            client_id,
            thing,
            attached=thing is not None,
            certificate_id=certificate.id if certificate else None,
            subject=certificate.subject if certificate else {},
            issuer=certificate.issuer if certificate else {},
            source_ip=source_ip,
            **connect,  # type: ignore[arg-type]
        )

    def shadow(self, thing: str, name: str | None) -> Value:
        """get_thing_shadow() in a statement."""
        found = self.shadows.get(thing, name)
        return UNDEFINED if found is None else parse(json.dumps(found))

    def policies_of(self, certificate: Certificate | None) -> tuple[Policy, ...]:
        known = self.registry.get(certificate.id) if certificate else None
        if known is not None:
            return tuple(policy for name in known.policies for policy in self.named.get(name, ()))
        return self.policies.get(certificate.common_name if certificate else "", self.policies.get(DEFAULT, ()))

    def inactive(self, certificate: Certificate | None) -> str:
        """The status of a certificate that is good for no session; empty for the others."""
        if certificate is None:
            return ""
        known = self.registry.get(certificate.id)
        if known is not None and known.status != ACTIVE:
            return known.status
        return REVOKED if certificate.serial in self.revoked else ""

    def assigned_id(self) -> str:
        """A client id for who comes without one, which no other session has. How the service's look nobody says."""
        self._assigned += 1
        return f"assigned-{int(self.unix_s() * 1e6):x}-{self._assigned}"

    def connect_rate(self, client_id: str) -> str:
        """The id of the limit that this CONNECT breaks; empty when it breaks none. Counted either way."""
        now_s = self.now_s()
        while self._recent and self._recent[0] <= now_s - 1:
            self._recent.popleft()
        last_s = self._connects.get(client_id)
        if not self.enforce_rates:
            return ""
        if last_s is not None and now_s - last_s < 1 / CONNECTS_A_SECOND_A_CLIENT:
            return "connect-rate"
        if len(self._recent) >= CONNECTS_A_SECOND:
            return "account-rate"
        self._connects[client_id] = now_s
        self._recent.append(now_s)
        return ""
