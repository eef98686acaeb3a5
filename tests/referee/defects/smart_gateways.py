"""A smart meter gateway, or its supplier, that does not do what the system `smgw` stands for."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from sim.smart_metering.tariffing import without_error_register
from tests.referee.defect import FAULTS, GATEWAYS, SILENT, STORES, SUMS, Patch, defect
from tests.referee.defects import plays

GATEWAY = "sim.smart_metering.smart_gateway:SmartGateway"
PARTICIPANT = "sim.smart_metering.participant:Participant"


@defect("smart-seals-nothing", GATEWAYS, "Who relays containers reads nothing.", plays.RELAYED)
def _(patch: Patch) -> None:
    """A smart meter gateway hands its values on in clear behind a container's bytes."""

    def instead(original: Any, gateway: Any, content: bytes, receiver: Any, now_ns: int) -> bytes:
        return bytes(original(gateway, content, receiver, now_ns)) + content

    patch.around(f"{GATEWAY}.sealed", instead)


@defect("smart-registers-doubled", SUMS, "The supplier has the registers that meters counted.", plays.ADMINISTRATOR)
def _(patch: Patch) -> None:
    """Every register leaves with twice its amount."""

    def instead(original: Any, *given: Any, **more: Any) -> Any:
        for value in original(*given, **more):
            yield value._replace(amount=value.amount and 2 * value.amount)

    patch.around("sim.smart_metering.smart_gateway:values_of", instead)


@defect("smart-water-doubled", SUMS, "The supplier has what meters of every medium counted.", plays.SMART_TYPES)
def _(patch: Patch) -> None:
    """A gateway takes twice what a meter says that counts something else than heat cost."""

    def instead(original: Any, row: Any) -> Any:
        told = original(row)
        return told if told is None or row.units is not None else told._replace(value=2 * told.value)

    patch.around("sim.smart_metering.smart_gateway:said", instead)


@defect("supplier-keeps-no-signature", STORES, "A value that is signed alone can be shown.", plays.SMART_BESIDE)
def _(patch: Patch) -> None:
    """A supplier looks at the signature of a single value, and stores the value without it."""

    def instead(original: Any, participant: Any, *given: Any) -> bool:
        took = bool(original(participant, *given))
        participant._db.execute("UPDATE delivered SET signature = NULL")
        return took

    patch.around(f"{PARTICIPANT}.take", instead)


@defect("supplier-mistakes-the-gateway", STORES, "A value is its own gateway's.", plays.SMART_BESIDE)
def _(patch: Patch) -> None:
    """A supplier stores what every gateway delivered under one name."""

    def instead(original: Any, participant: Any, *given: Any) -> bool:
        took = bool(original(participant, *given))
        participant._db.execute("UPDATE delivered SET gateway = 'gw-0000'")
        return took

    patch.around(f"{PARTICIPANT}.take", instead)


@defect("smart-set-date-a-day-late", SUMS, "A value at a set date is of the midnight that ends it.", plays.SMART_TYPES)
def _(patch: Patch) -> None:
    """The register of the last billing period counts until a midnight later."""
    patch.around("sim.smart_metering.due_values:midnight_s", lambda original, day: original(day + timedelta(days=1)))


@defect("smart-gap-in-the-dearer-zone", SUMS, "What no zone rules is billed in no tariff.", plays.JAMMED_LINK)
def _(patch: Patch) -> None:
    """A gateway bills a gap in which the zone changed in the dearer zone, whatever the world says."""

    def instead(original: Any, *given: Any, **more: Any) -> Any:
        return without_error_register(list(original(*given, **more)))

    patch.around("sim.smart_metering.smart_gateway:values_of", instead)


@defect("link-jam-jams-nothing", SILENT, "What no zone rules is billed in no tariff.", plays.JAMMED_LINK)
def _(patch: Patch) -> None:
    """The attack says that it jams, and lets every frame pass."""
    patch.around("attacks.smgw_link_jam:SmgwLinkJam._now", lambda original, attack, now_ns: False)


@defect("smart-outbox-forgets", GATEWAYS, "Hours without the administrator cost no value.", plays.ADMINISTRATOR)
def _(patch: Patch) -> None:
    """A gateway keeps only its latest container while the administrator is away."""

    def instead(original: Any, gateway: Any, *given: Any) -> None:
        gateway.outbox.clear()
        original(gateway, *given)

    patch.around(f"{GATEWAY}._seal", instead)


@defect("supplier-takes-any-signer", STORES, "A clone without the module delivers nothing.", plays.SMART_CLONE)
def _(patch: Patch) -> None:
    """The supplier opens containers whoever signed them."""

    def instead(original: Any, participant: Any, *given: Any) -> Any:
        participant._verify = False
        return original(participant, *given)

    patch.around(f"{PARTICIPANT}._open", instead)


@defect("counters-saved-at-once", GATEWAYS, "Counters of twelve hours ago let a recording in.", plays.POWER_CUT_REPLAY)
def _(patch: Patch) -> None:
    """A gateway that is said to write its counters twice a day writes each: the finding would be another."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        gateway._setup = dataclasses.replace(gateway._setup, counter_saved_s=0.0)
        original(gateway, now_ns)

    patch.around(f"{GATEWAY}._save_counters", instead)


@defect("administrator-not-lost", FAULTS, "Hours without the administrator cost no value.", plays.ADMINISTRATOR)
def _(patch: Patch) -> None:
    """The fault says that nobody reaches the administrator, and everybody does."""
    patch.around("sim.faults.administrator_lost:AdministratorLost.strike", lambda original, fault, world: None)


@defect("relay-changes-nothing", SILENT, "Who relays containers changes nothing.", plays.RELAYED)
def _(patch: Patch) -> None:
    """The attack says that it changed containers, and hands them on as they were."""

    def instead(original: Any, attack: Any, payload: bytes) -> bytes:
        original(attack, payload)
        return payload

    patch.around("attacks.smgw_relay:SmgwRelay._change", instead)


@defect("module-silence-loses", GATEWAYS, "Hours without the module cost no value.", plays.SILENT_MODULE)
def _(patch: Patch) -> None:
    """What a gateway could not have signed is forgotten."""

    def instead(original: Any, *given: Any) -> bool:
        original(*given)
        return True

    patch.around(f"{GATEWAY}._sealed_all", instead)


@defect("module-never-silent", FAULTS, "Hours without the module cost no value.", plays.SILENT_MODULE)
def _(patch: Patch) -> None:
    """The fault says that a module does not answer, and it does."""
    patch.around("sim.faults.module_silent:ModuleSilent.strike", lambda original, fault, world: None)


@defect("gateway-forgets-its-calls", GATEWAYS, "Nobody but the administrator wakes a gateway.", plays.WAKE_UP)
def _(patch: Patch) -> None:
    """A gateway has no memory of datagrams that it saw, and does not count its calls."""

    def instead(original: Any, judge: Any, *given: Any) -> Any:
        judge.remember = False
        return original(judge, *given)

    patch.around("sim.smgw.wake_up:WakeUps.heed", instead)


@defect("wake-up-not-sent", SILENT, "Nobody but the administrator wakes a gateway.", plays.WAKE_UP)
def _(patch: Patch) -> None:
    """The attack says that it sent datagrams, and sends none."""
    patch.around("attacks.reach_smgw:Wan.send_datagram", lambda original, reach, gateway, datagram: None)


@defect("session-without-end", GATEWAYS, "A session outlives its certificate until its end.", plays.SMART_REVOKED)
def _(patch: Patch) -> None:
    """A session with the administrator that was opened once never ends."""

    def instead(original: Any, administrator: Any, gateway: str, now_ns: int) -> bool:
        return gateway in administrator._opened_ns or bool(original(administrator, gateway, now_ns))

    patch.around("sim.smart_metering.administrator:Administrator._session", instead)


@defect("list-unlooked", STORES, "A session outlives its certificate until its end.", plays.SMART_REVOKED)
def _(patch: Patch) -> None:
    """Nobody looks whether a certificate stands on the list."""

    def instead(original: Any, trust: Any, certificate: Any, above: Any, at: Any) -> Any:
        return above.not_valid_after_utc

    patch.around("sim.pki.sm_chain:Trust._not_taken_back", instead)


@defect("attributes-unlooked", STORES, "A signature without its attributes proves nothing.", plays.ATTRIBUTES)
def _(patch: Patch) -> None:
    """The supplier looks at the signature, and not at what the signed attributes say."""

    def instead(original: Any, participant: Any, *given: Any) -> Any:
        participant._attributes = False
        return original(participant, *given)

    patch.around(f"{PARTICIPANT}._open", instead)


@defect("nothing-stripped", SILENT, "A signature without its attributes proves nothing.", plays.ATTRIBUTES)
def _(patch: Patch) -> None:
    """The attack hands in containers as they were, and says that it stripped them."""

    def instead(original: Any, container: bytes) -> Any:
        return container, original(container)[1]

    patch.around("attacks.parts.signed_forgeries:stripped", instead)
