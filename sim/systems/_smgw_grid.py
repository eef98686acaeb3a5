"""The grid operator of a world with smart meter gateways: a second market participant, which bills nothing.

It gets what is fed in (TAF 9) and what the grid is like (TAF 10) of wired meters, where [system] says so, each for the
quarter hours of `grid_every_s` or as a voltage leaves its bounds; and under pseudonyms, through the administrator, who
takes the gateway's signature off. Without `pseudonymise` it has the same values under the names that stand on meters
and gateways, by the gateway's own signature.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.pki.party_certificates import ADMINISTRATOR, Certificate, private_value
from sim.pki.sealed_content import Receiver
from sim.pki.signed_content import Signer
from sim.smart_metering.administrator import Relayed
from sim.smart_metering.gateway_setup import Contract
from sim.smart_metering.grid_values import GridTerms
from sim.smart_metering.lmn.wired_plan import meter_name, numbers_of
from sim.smart_metering.participant import Participant
from sim.smart_metering.periods import period_ends
from sim.smart_metering.pseudonyms import Resigning, pseudonym
from sim.smart_metering.signers import NOBODY, Signers, gateways_name
from sim.smgw.module.in_world import draws
from sim.systems.port import Delivered

if TYPE_CHECKING:
    from sim.systems._smgw_running import Smgw
    from sim.systems.port import Ground

GRID_OPERATOR: Final = "grid-operator"


class GridOperator:
    """`tafs`: its contracts; none, and there is no such participant. `arrived`: every container as it came to it, with
    the name under which it knows the gateway."""

    def __init__(self, system: Smgw, ground: Ground) -> None:
        settings = system.settings
        self.tafs = tuple(taf for taf, agreed in ((9, settings.feed_in), (10, settings.grid_state)) if agreed)
        self._system, self._ground = system, ground
        self.arrived: list[Relayed] = []
        self.names: dict[str, str] = {}
        """Meter, or gateway -> its pseudonym; empty where names are used."""
        self.participant: Participant | None = None
        self._receiver: Receiver | None = None

    @property
    def receiver(self) -> Receiver:
        """Its certificate and key ENC. It is there after `start`, where there is a grid operator."""
        assert self._receiver is not None, "no contract of this world has a grid operator"
        return self._receiver

    def start(self) -> None:
        """Its keys, and a pseudonym for each gateway and wired meter, which the administrator draws."""
        if not self.tafs:
            return
        system, seeds = self._system, self._ground.seeds
        triple = system.root.party(f"{GRID_OPERATOR}.EMT", draws(seeds, GRID_OPERATOR, "keys"))
        self._receiver = system.root.receiver_of(triple)

    def contracts(self, number: int, gateway: str) -> tuple[Contract, ...]:
        """A gateway's with it."""
        settings, seeds = self._system.settings, self._ground.seeds
        if not self.tafs:
            return ()
        if settings.pseudonymise:
            own = (gateway, *(meter_name(one) for one in numbers_of(number, settings.wired)))
            self.names |= {name: pseudonym(draws(seeds, ADMINISTRATOR, f"pseudonym of {name}")) for name in own}
        terms = GridTerms(round(settings.grid_every_s), settings.grid_beside_v, self.names)
        return tuple(
            Contract(
                GRID_OPERATOR, taf, partial(period_ends, taf, round(settings.delivery_s)), self.receiver.certificate,
                terms, self.named(gateway),
            )
            for taf in self.tafs
        )  # fmt: skip

    def open(self) -> None:
        """It takes containers from now on. Gateways have certificates."""
        if not self.tafs:
            return
        system, ground = self._system, self._ground
        triple = system.root.registration.triples[ADMINISTRATOR]
        own = Signer(triple.certificates["SIG"], system.root.key_of(triple, "SIG"))
        hidden = system.settings.pseudonymise
        signers: dict[str, Certificate] = {self.named(one.id): own.certificate for one in system.gateways}
        trust = system.root.trust if system.settings.check_lists else None
        self.participant = Participant(
            GRID_OPERATOR, system.disk.parent / GRID_OPERATOR, self.receiver, signers if hidden else system.signers,
            ground.record, verify=system.settings.verify_content, attributes=system.settings.check_attributes,
            trust=trust, at=ground.calendar.at, signer_name=(lambda _: ADMINISTRATOR) if hidden else gateways_name,
            former=NOBODY if hidden else system.renewals.former,
        )  # fmt: skip
        # Content in clear is no signed content, and nobody takes a signature off it.
        resigns = hidden and system.settings.seal_content
        known = Signers(system.signers, system.renewals.former, trust, ground.calendar.at)
        resigning = Resigning(own, known, self.names, self._take, ground.record)
        system.administrator.reach(GRID_OPERATOR, resigning if resigns else self._by_name)

    def _by_name(self, gateway: str, container: bytes, now_ns: int) -> bool:
        return self._take(self.named(gateway), container, now_ns)

    def _take(self, sender: str, container: bytes, now_ns: int) -> bool:
        assert self.participant is not None, "it takes nothing before it is opened"
        self.arrived.append(Relayed(now_ns, sender, GRID_OPERATOR, container))
        return self.participant.take(sender, container, now_ns)

    def close(self) -> None:
        """Idempotent."""
        if self.participant is not None:
            self.participant.close()
            self.participant = None

    # --- asked ------------------------------------------------------------------------------------------------------

    def named(self, name: str) -> str:
        """Under which name it knows a meter or a gateway."""
        return self.names.get(name, name)

    @property
    def private_values(self) -> dict[str, bytes]:
        """See Smgw.private_values."""
        return {f"the key ENC of {GRID_OPERATOR}": private_value(self.receiver.key)} if self.tafs else {}

    @property
    def opened(self) -> int:
        """Containers."""
        return 0 if self.participant is None else self.participant.counts["opened"]

    def delivered(self) -> list[Delivered]:
        """All that it has."""
        return [] if self.participant is None else rows_of(GRID_OPERATOR, self.participant)


def rows_of(receiver: str, participant: Participant) -> list[Delivered]:
    """What a final receiver has, in the order of storing."""
    return [
        Delivered(
            receiver, one.gateway, one.value.meter, one.value.taf, one.value.obis, one.value.tariff, one.value.from_s,
            one.value.until_s, one.value.amount,
        )
        for one in participant.stored()
    ]  # fmt: skip
