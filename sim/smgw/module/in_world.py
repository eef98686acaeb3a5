"""A security module inside a world's process: each key and each random byte is drawn from the world's seed.

What is drawn depends on the module's name, on the slot and on how many keys were made in it before, and on nothing
else; so equal worlds have equal keys, and no other process is needed. It keeps no file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.core.seeds import Seeds
from sim.pki.slot_keys import PrivateKey
from sim.smgw.module.port import SLOTS, ModuleError
from sim.smgw.module.slots import SlotModule

_BLOCK_BYTES: Final = 16


def draws(seeds: Seeds, name: str, purpose: str) -> Callable[[int], bytes]:
    """A source of bytes for one purpose of one party: the n-th block is the same in equal worlds. A party's name is
    part of the purpose, so that no two share a stream."""
    own, blocks = seeds.child(f"smgw {name}"), 0

    def draw(count: int) -> bytes:
        nonlocal blocks
        needed = -(-count // _BLOCK_BYTES)
        out = b"".join(own.one_bytes16(f"smgw {purpose}", blocks + at) for at in range(needed))
        blocks += needed
        return out[:count]

    return draw


class InWorldModule(SlotModule):
    """See port.SecurityModule. `name`: whose it is."""

    def __init__(self, seeds: Seeds, name: str) -> None:
        super().__init__(
            name, {slot: draws(seeds, name, f"key {slot}") for slot in SLOTS},
            draws(seeds, name, "module's random bytes"),
        )  # fmt: skip
        self.answers = True
        """False: it was pulled out, or has died; it answers nothing."""

    def key_for_tls(self, slot: str) -> PrivateKey:
        """For a world's line alone, whose both ends are OpenSSL's: Python's ssl takes no module's key. No part of the
        port."""
        self._there()
        return self._key(slot).for_ssl()

    def make_key(self, slot: str) -> bytes:
        self._there()
        return super().make_key(slot)

    def sign_digest(self, slot: str, digest: bytes) -> bytes:
        self._there()
        return super().sign_digest(slot, digest)

    def agree(self, slot: str, peer: bytes) -> bytes:
        self._there()
        return super().agree(slot, peer)

    def random(self, count: int) -> bytes:
        self._there()
        return super().random(count)

    def _there(self) -> None:
        if not self.answers:
            raise ModuleError("silent", f"the security module of {self.name} does not answer")
