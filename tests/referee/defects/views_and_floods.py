"""Views that tell too much, a portal that counts what came before, and a clock that is believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.core.bundle import Taken, digest
from sim.endpoint.port import Message
from tests.referee.defect import ALARMS, DROPS, OTHER, SILENT, STORES, SUMS, Patch, defect
from tests.referee.defects import plays


@defect("any-flat-for-any-tenant", SUMS, "A tenant sees the own flat.", plays.TENANTS)
def _(patch: Patch) -> None:
    """Whoever lives anywhere is given the flat that he asks for."""

    def instead(original: Any, self: Any, tenant: str, now_ns: int, flat: str | None = None) -> Any:
        lives = self._store.tenancies(tenant, now_ns)
        return self._unbound(flat) if lives and flat is not None else original(self, tenant, now_ns, flat)

    patch.around("sim.portal.roles:Views.tenant", instead)


@defect("tenancy-never-ends", SUMS, "Who moved out sees nothing.", plays.TENANTS)
def _(patch: Patch) -> None:
    """Who ever lived in a flat lives there now."""

    def instead(original: Any, self: Any, tenant: str, now_ns: int, flat: str | None = None) -> Any:
        return self._unbound(flat) if flat in self._store.flats_ever(tenant) else original(self, tenant, now_ns, flat)

    patch.around("sim.portal.roles:Views.tenant", instead)


@defect("sums-of-two-flats", SUMS, "No sum is of fewer than three flats.", plays.LANDLORDS)
def _(patch: Patch) -> None:
    """One flat is enough for a sum."""
    patch.value("sim.portal.roles:LEAST_FLATS", 1)


@defect("answers-forgotten", SUMS, "No two answered periods overlap.", plays.LANDLORDS)
def _(patch: Patch) -> None:
    """The portal remembers an answer only when the same question comes again."""

    def instead(original: Any, self: Any, house: str, from_ns: int, until_ns: int) -> Any:
        told = original(self, house, from_ns, until_ns)
        return [one for one in told if (one.from_ns, one.until_ns) == (from_ns, until_ns)]

    patch.around("sim.portal.store._sql:SqlStore.answers", instead)


@defect("landlord-does-not-ask", SILENT, "The landlord asked for all sums.", plays.LANDLORDS)
def _(patch: Patch) -> None:
    """The landlord is told that he was denied, and did not ask."""
    patch.around("attacks.reach:_View.ask_as_landlord", lambda original, *_: "house 1: overlaps, a sum needs 3")


@defect("duplicates-are-news", STORES, "A bundle that comes again is no second one.", plays.DISORDER)
def _(patch: Patch) -> None:
    """The portal takes a bundle that came before for another one."""

    def instead(original: Any, *arguments: Any, **_: Any) -> Any:
        return original(*arguments, drop_duplicates=False)

    patch.around("sim.portal.messages:opened", instead)


@defect("broker-in-order", SILENT, "The broker delivered twice and late.", plays.DISORDER)
def _(patch: Patch) -> None:
    """The broker delivers each message once."""

    def instead(original: Any, self: Any, reach: Any, messages: Sequence[Message]) -> Sequence[Message]:
        original(self, reach, messages)
        return messages

    patch.around("attacks.broker_disorder:BrokerDisorder._disorder", instead)


@defect("late-bundles-lost", DROPS, "What a broker delivers late is a reading.", plays.DISORDER)
def _(patch: Patch) -> None:
    """The portal acknowledges a bundle with a lower number than it has already, and drops it."""

    def instead(original: Any, message: Message, told: Any, store: Any, known: Any, out: Any, *rest: Any) -> None:
        if told.sequence >= store.highest_sequence(told.gateway, -1):
            original(message, told, store, known, out, *rest)
        else:
            out.acks.setdefault(told.gateway, {})[Taken(told.sequence, digest(message.payload))] = None

    patch.around("sim.portal.messages:_take", instead)


@defect("quota-not-kept", STORES, "Of a sender so much evidence is kept.", plays.FLOOD)
def _(patch: Patch) -> None:
    """The portal keeps every message that it cannot judge, though the world says that it has a quota."""
    patch.around("sim.portal.evidence_quota:EvidenceQuota.kept", lambda original, self, rows: list(rows))


@defect("flood-of-one-message", OTHER, "The flood is beyond the quota.", plays.FLOOD)
def _(patch: Patch) -> None:
    """The attacker publishes one message again and again, which is kept once."""

    def instead(original: Any, self: Any, identity: Any, topic: str, payloads: list[bytes]) -> Any:
        return original(self, identity, topic, payloads[:1] * len(payloads))

    patch.around("attacks.reach:_Network.leave", instead)


@defect("clock-alarm-silent", ALARMS, "A gateway whose clock was set is named.", plays.SET_CLOCK)
def _(patch: Patch) -> None:
    """No alarm names a gateway whose clock is wrong."""
    patch.around("sim.portal.alarms.clock:Clock.clock", lambda original, *_: None)


@defect("clock-not-righted", DROPS, "Telegrams under a wrong clock are judged by the meters' time.",
        plays.SET_CLOCK)  # fmt: skip
def _(patch: Patch) -> None:
    """The gateway's time is believed, whatever its meters say."""
    patch.around("sim.portal.intake:righted", lambda original, wrong, hashes, gateway, received_ns: received_ns)


@defect("clock-set-right", SILENT, "The gateway's clock was set wrong.", plays.SET_CLOCK)
def _(patch: Patch) -> None:
    """The attacker sets the right time."""
    patch.around(
        "sim.gateway.kinds.virtual:VirtualGateway.set_clock", lambda original, self, offset_s: original(self, 0.0)
    )


@defect("noise-is-ciphertext", OTHER, "What was sent is noise.", plays.BLIND)
def _(patch: Patch) -> None:
    """The attacker sends the meter's own telegram again."""

    def instead(original: Any, known: Any, telegram: bytes, turn: int) -> bytes:
        return telegram if known.security != "none" else bytes(original(known, telegram, turn))

    patch.around("attacks.blind_forgery:_blind", instead)
