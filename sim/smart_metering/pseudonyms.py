"""Values under pseudonyms: the administrator stands for what a gateway signed, and the receiver never hears of whom.

What the gateway sealed the administrator cannot read. He looks at the signature around it, takes it off, and puts his
own in its place, with the time that the gateway signed; he knows which pseudonym is whose, since he gave them out with
the rule sets. So who knows the values does not know whose they are, and who knows that does not know the values: until
the two put together what they have. That a gateway's values leave so under TAF 9 and 10 is recalled and not read; names
and layout are this model's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.core.events import ContainerRefused, Event
from sim.pki import signed_content
from sim.pki.party_certificates import ADMINISTRATOR
from sim.pki.sealed_content import ContentError
from sim.pki.signed_content import Signer, sign
from sim.pki.sm_chain import ChainError
from sim.smart_metering.signers import LATER, Signers

PSEUDONYM_BYTES: Final = 8
_LETTER: Final = "x"


def pseudonym(draw: Callable[[int], bytes]) -> str:
    """A new one: letters and digits that say nothing."""
    return f"{_LETTER}{draw(PSEUDONYM_BYTES).hex()}"


class Resigning:
    """The administrator's part. `signers`: who signs for a gateway; `hand`: how the receiver takes a container, by the
    name that it knows."""

    def __init__(
        self, own: Signer, signers: Signers, names: dict[str, str],
        hand: Callable[[str, bytes, int], bool], record: Callable[[Event], None],
    ) -> None:  # fmt: skip
        self._own, self._signers, self._names, self._hand, self._record = own, signers, names, hand, record

    def __call__(self, gateway: str, container: bytes, now_ns: int) -> bool:
        """See administrator.Hand. What the gateway did not sign, under a certificate that holds, goes no further, and
        is no better the next time; where no list says whether it holds, it waits."""
        try:
            signer = self._signers.of(gateway, container)
            self._signers.check(gateway, signer, now_ns)
            signed = signed_content.verify(container, signer)
        except (ContentError, ChainError) as error:
            reason = error.reason if isinstance(error, ContentError) else error.clause
            if reason not in LATER:
                self._record(ContainerRefused(now_ns, ADMINISTRATOR, gateway, reason))
            return reason not in LATER
        return self._hand(self._names[gateway], sign(signed.content, self._own, signed.at), now_ns)
