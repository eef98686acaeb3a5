"""A security module inside a world's process: each key and each random byte is drawn from the world's seed.

What is drawn depends on the module's name, on the slot and on how many keys were made in it before, and on nothing
else; so equal worlds have equal keys, and no other process is needed. It keeps no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from sim.core.seeds import Seeds
from sim.pki.content_ciphers import NotSealed
from sim.pki.slot_keys import DRAWN_BYTES, SlotKey
from sim.smgw.module.port import RANDOM_MOST_BYTES, SLOTS, ModuleError

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


class InWorldModule:
    """See port.SecurityModule. `name`: whose it is."""

    def __init__(self, seeds: Seeds, name: str) -> None:
        self._keys: dict[str, SlotKey] = {}
        self._seeds, self._name = seeds, name
        self._made = {slot: draws(seeds, name, f"key {slot}") for slot in SLOTS}
        self._random = draws(seeds, name, "module's random bytes")
        self.operations: Counter[str] = Counter()
        """How often each verb was asked for: what it costs."""

    def __repr__(self) -> str:
        return f"<InWorldModule {self._name}, keys in {', '.join(self._keys) or 'no slot'}>"

    def make_key(self, slot: str) -> bytes:
        if slot not in SLOTS:
            raise ModuleError("slot", f"there is no slot {slot!r:.20}; there are {', '.join(SLOTS)}")
        self.operations["make_key"] += 1
        made = self._keys[slot] = SlotKey(self._made[slot](DRAWN_BYTES))
        return made.public

    def sign(self, slot: str, message: bytes) -> bytes:
        self.operations["sign"] += 1
        return self._key(slot).sign(message)

    def agree(self, slot: str, peer: bytes) -> bytes:
        self.operations["agree"] += 1
        try:
            return self._key(slot).agree(peer)
        except NotSealed as error:
            raise ModuleError("point", str(error)) from None

    def random(self, count: int) -> bytes:
        if not 0 <= count <= RANDOM_MOST_BYTES:
            raise ModuleError("count", f"{count} random bytes; from 0 to {RANDOM_MOST_BYTES} are given at once")
        self.operations["random"] += 1
        return self._random(count)

    def _key(self, slot: str) -> SlotKey:
        if slot not in SLOTS:
            raise ModuleError("slot", f"there is no slot {slot!r:.20}; there are {', '.join(SLOTS)}")
        if slot not in self._keys:
            raise ModuleError("empty", f"no key was made in slot {slot}")
        return self._keys[slot]
