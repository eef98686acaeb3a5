"""The port: what a gateway asks of its security module. It is every verb there is, so a private key cannot be asked
for.

Keys lie in slots, two of each purpose of the SM-PKI's triple, on brainpoolP256r1 (BSI TR-03116-3): while one triple is
in use, the next one's keys are made beside it. A slot is empty until `make_key`; making a key again replaces it, and
the old one is gone.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol, get_args

from sim.core.refused import Refusal

Slot = Literal["TLS", "ENC", "SIG", "TLS-2", "ENC-2", "SIG-2"]
SLOTS: Final[tuple[str, ...]] = get_args(Slot)
RANDOM_MOST_BYTES: Final = 4_096
"""Ours: of one answer."""


class ModuleError(Refusal):
    """The module does not do it. `reason` is the stable code: "slot" (there is no such slot), "empty" (no key was made
    in it), "point" (the peer's is none of the curve), "count" (of bytes), "silent" (it does not answer). Of a module in
    a process of its own also "pin" (it does not know this one), "locked" (too many wrong ones), "busy" (another
    processor has its session), "foreign" (what answers does not know the PIN)."""


class SecurityModule(Protocol):
    """All of them raise ModuleError."""

    def make_key(self, slot: str) -> bytes:
        """A new key pair in the slot; its public point, uncompressed (SEC 1, 65 bytes)."""

    def sign(self, slot: str, message: bytes) -> bytes:
        """ECDSA with SHA-256 over the message, DER; deterministic (RFC 6979), so that a world replays."""

    def agree(self, slot: str, peer: bytes) -> bytes:
        """ECDH with the peer's uncompressed point: the x coordinate, 32 bytes."""

    def random(self, count: int) -> bytes:
        """So many random bytes, at most RANDOM_MOST_BYTES."""
