"""Messages between a gateway's processor and its module once they are paired: encrypted, then authenticated, counted.

A counter of 16 bytes grows with each message of either side and is the start of both cipher and MAC (as ISO 7816-4's
secure messaging has it with AES): one that is repeated, left out or changed does not open. The layout around it is this
model's.
"""

from __future__ import annotations

from typing import Final

from sim.pki.pace import Keys
from wmbus.security import BLOCK, cbc_decrypt, cbc_encrypt, cmac, mac_equal

MAC_BYTES: Final = 8


class BadMessage(ValueError):
    """It is not the next one of the other side."""


class SecureMessages:
    """One side's view of a session. Both sides count all messages, so they speak in turn."""

    def __init__(self, keys: Keys) -> None:
        self._keys, self._count = keys, 0

    def seal(self, plain: bytes) -> bytes:
        counter = self._next()
        fill = BLOCK - len(plain) % BLOCK
        start = cbc_encrypt(self._keys.encryption, None, counter)
        sealed = cbc_encrypt(self._keys.encryption, start, plain + bytes((fill,)) * fill)
        return sealed + cmac(self._keys.authentication, counter + sealed)[:MAC_BYTES]

    def open(self, message: bytes) -> bytes:
        """Raises BadMessage."""
        counter = self._next()
        sealed, mac = message[:-MAC_BYTES], message[-MAC_BYTES:]
        whole = len(sealed) > 0 and len(sealed) % BLOCK == 0
        if not whole or not mac_equal(cmac(self._keys.authentication, counter + sealed)[:MAC_BYTES], mac):
            raise BadMessage("a message that the other side did not send next")
        plain = cbc_decrypt(self._keys.encryption, cbc_encrypt(self._keys.encryption, None, counter), sealed)
        return plain[: -plain[-1]]

    def _next(self) -> bytes:
        self._count += 1
        return self._count.to_bytes(BLOCK, "big")
