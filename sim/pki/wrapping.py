"""Keys under other keys: AES-256-SIV (RFC 5297), which says whether a wrapped key is whole and where it belongs.

A wrapped key is bound to its context (whose key, which partition): moved elsewhere it does not open. Key wrap by RFC
3394 has no place for a context, so keys could be exchanged for one another in a file. SIV is deterministic: the same
key wrapped again gives the same bytes, which tells nothing of keys that are random.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEK_BYTES: Final = 64
WRAPPED_MORE_BYTES: Final = 16
"""A wrapped key is so much longer than the key."""


class CannotUnwrap(ValueError):
    """Another key-encryption key, another context, or bytes that were changed."""


def new_kek() -> bytes:
    """A key-encryption key."""
    return AESSIV.generate_key(8 * KEK_BYTES)


def name_of(kek: bytes) -> str:
    """Eight hex digits that name a key-encryption key and tell nothing of it."""
    return hashlib.blake2b(kek, digest_size=4, person=b"wmbench kek").hexdigest()


def wrap(kek: bytes, key: bytes, *context: bytes) -> bytes:
    """Raises ValueError for a key-encryption key of the wrong length."""
    return AESSIV(kek).encrypt(key, list(context))


def unwrap(kek: bytes, wrapped: bytes, *context: bytes) -> bytes:
    """Raises CannotUnwrap."""
    try:
        return AESSIV(kek).decrypt(wrapped, list(context))
    except (InvalidTag, ValueError):
        raise CannotUnwrap("not wrapped under this key-encryption key, for this place") from None
