"""Keys that were renewed, and parties that do not act on it."""

from __future__ import annotations

from typing import Any

from tests.referee.defect import DROPS, GATEWAYS, SILENT, STORES, Patch, defect
from tests.referee.defects import plays


@defect("gateway-keeps-its-old-key", GATEWAYS, "Values go on under the keys that were renewed.", plays.RENEWED)
def _(patch: Patch) -> None:
    """A gateway has new certificates, and goes on signing under the old ones."""

    def instead(original: Any, gateway: Any, triple: Any) -> None:
        if triple.number < 2:
            original(gateway, triple)

    patch.around("sim.smart_metering.smart_gateway:SmartGateway.certify", instead)


@defect("supplier-forgets-the-key-before", DROPS, "What waited under the old key arrives.", plays.RENEWED)
def _(patch: Patch) -> None:
    """A supplier knows the newest certificate of a gateway and no other."""

    def instead(original: Any, signers: Any, gateway: str, container: bytes) -> Any:
        return original(signers, gateway, b"")

    patch.around("sim.smart_metering.signers:Signers.of", instead)


@defect("old-key-still-taken", STORES, "A key that was renewed opens nothing any more.", plays.FORMER_KEY)
def _(patch: Patch) -> None:
    """A supplier takes what the key before signed, whatever the lists say of it."""

    def instead(original: Any, signers: Any, gateway: str, signer: Any, now_ns: int) -> None:
        if signer is not signers._former.get(gateway):
            original(signers, gateway, signer, now_ns)

    patch.around("sim.smart_metering.signers:Signers.check", instead)


@defect("old-keys-never-taken-back", GATEWAYS, "Keys of before are on the list afterwards.", plays.FORMER_KEY)
def _(patch: Patch) -> None:
    """The gateway's word that its old keys are done is heard, and the authority is told nothing."""
    patch.around("sim.pki.sm_triples:Registration.take_back", lambda original, *given: None)


@defect("keys-renewed-in-name-alone", SILENT, "A key that was renewed opens nothing any more.", plays.FORMER_KEY)
def _(patch: Patch) -> None:
    """The attack signs with the key that the gateway has now, which it should not have tried: nothing is shown of the
    one before."""

    def instead(original: Any, reach: Any, gateway: int, delivery: Any) -> Any:
        return reach.container_by_module(gateway, delivery)

    patch.around("attacks.reach_smgw:RunningBox.container_by_former_key", instead)
