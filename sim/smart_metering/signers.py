"""Under which certificate a gateway signed a container, and whether that certificate still holds.

While a gateway's keys are renewed two certificates are good: containers that waited were signed under the one before.
Which one it was, the container says; it is looked for on the revocation lists like any, so the one before is refused
from the moment on at which it was taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from sim.pki.party_certificates import Certificate
from sim.pki.sealed_content import ContentError, issuer_and_serial
from sim.pki.sm_chain import Trust

LATER: Final = ("list-missing", "list-expired")
"""Clauses of sm_chain that say nothing of the certificate."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
NOBODY: Final[Mapping[str, Certificate]] = {}


def gateways_name(gateway: str) -> str:
    """What the certificate of a gateway says, under which it signs."""
    return f"{gateway}.SMGW"


class Signers:
    """`now`: gateway -> its certificate; `former`: the one before, of who was renewed. `trust` None: whether they hold
    is not looked at, which is the weakness. `at`: world time as a date. `name`: what a gateway's certificate has to
    say."""

    def __init__(
        self, now: Mapping[str, Certificate], former: Mapping[str, Certificate], trust: Trust | None,
        at: Callable[[int], datetime], name: Callable[[str], str] = gateways_name,
    ) -> None:  # fmt: skip
        self._now, self._former, self._trust, self._at, self._name = now, former, trust, at, name
        self._held: dict[tuple[str, int], tuple[int, datetime]] = {}

    def of(self, gateway: str, container: bytes) -> Certificate:
        """Under which it says that it was signed; the newest one where it names none of them. Raises ContentError
        (signer)."""
        former = self._former.get(gateway)
        if former is not None and issuer_and_serial(former) in container:
            return former
        if gateway not in self._now:
            raise ContentError("signer", "no certificate of this gateway is known")
        return self._now[gateway]

    def check(self, gateway: str, signer: Certificate, now_ns: int) -> None:
        """Raises ChainError. What holds is not looked at again before it may hold no more."""
        if self._trust is None:
            return
        key = gateway, signer.serial_number
        now, (version, until) = self._at(now_ns), self._held.get(key, (-1, _NEVER))
        if version != self._trust.version or now >= until:
            until = self._trust.check(signer, now, "SIG", name=self._name(gateway))
            self._held[key] = self._trust.version, until
