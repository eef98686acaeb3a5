"""The verbs of the port over keys that are held here: what a module inside a world and one in a process of its own both
do. They differ in where drawn bytes come from, and in who keeps a key that was made."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping

from sim.pki.content_ciphers import NotSealed
from sim.pki.slot_keys import DIGEST_BYTES, DRAWN_BYTES, SlotKey
from sim.smgw.module.port import RANDOM_MOST_BYTES, SLOTS, ModuleError

Draw = Callable[[int], bytes]


class SlotModule:
    """See port.SecurityModule. `made`: slot -> where the bytes of its keys come from; `random`: where random bytes
    do."""

    def __init__(self, name: str, made: Mapping[str, Draw], random: Draw) -> None:
        self.name = name
        self._keys: dict[str, SlotKey] = {}
        self._made, self._random = made, random
        self.operations: Counter[str] = Counter()
        """How often each verb was asked for: what it costs."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, keys in {', '.join(self._keys) or 'no slot'}>"

    def make_key(self, slot: str) -> bytes:
        check_slot(slot)
        self.operations["make_key"] += 1
        drawn = self._made[slot](DRAWN_BYTES)
        made = SlotKey(drawn)
        self._keep(slot, drawn)
        self._keys[slot] = made
        return made.public

    def _keep(self, slot: str, drawn: bytes) -> None:
        """A key was made of these bytes, and is not in its slot yet."""

    def sign(self, slot: str, message: bytes) -> bytes:
        return self.sign_digest(slot, hashlib.sha256(message).digest())

    def sign_digest(self, slot: str, digest: bytes) -> bytes:
        """The same for who has a message's SHA-256."""
        if len(digest) != DIGEST_BYTES:
            raise ModuleError("count", f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
        key = self._key(slot)
        self.operations["sign"] += 1
        return key.sign_digest(digest)

    def agree(self, slot: str, peer: bytes) -> bytes:
        key = self._key(slot)
        self.operations["agree"] += 1
        try:
            return key.agree(peer)
        except NotSealed as error:
            raise ModuleError("point", str(error)) from None

    def random(self, count: int) -> bytes:
        if not 0 <= count <= RANDOM_MOST_BYTES:
            raise ModuleError("count", f"{count} random bytes; from 0 to {RANDOM_MOST_BYTES} are given at once")
        self.operations["random"] += 1
        return self._random(count)

    def _key(self, slot: str) -> SlotKey:
        check_slot(slot)
        if slot not in self._keys:
            raise ModuleError("empty", f"no key was made in slot {slot}")
        return self._keys[slot]


def check_slot(slot: str) -> None:
    """Raises ModuleError (slot)."""
    if slot not in SLOTS:
        raise ModuleError("slot", f"there is no slot {slot!r:.20}; there are {', '.join(SLOTS)}")
