"""One private key of a security module: made of drawn bytes, it signs and agrees, and is not handed out."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from sim.pki.content_ciphers import agreed_secret, point

CURVE: Final = ec.BrainpoolP256R1()
DRAWN_BYTES: Final = CURVE.key_size // 8 + 8
"""Eight more than the order has, so that no key is likelier than another."""
DIGEST_BYTES: Final = 32
PrivateKey = ec.EllipticCurvePrivateKey
_DIGEST: Final = ec.ECDSA(Prehashed(hashes.SHA256()))
_ECDSA: Final = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
_REMEMBERED: Final = 1 << 15
"""Answers of `verifies`: worlds of one scenario sign much the same, under the same keys."""


class SlotKey:
    """On brainpoolP256r1, of DRAWN_BYTES drawn bytes. Raises ValueError for another number of them."""

    __slots__ = ("_key", "public")

    def __init__(self, drawn: bytes) -> None:
        if len(drawn) != DRAWN_BYTES:
            raise ValueError(f"a key is made of {DRAWN_BYTES} drawn bytes, not {len(drawn)}")
        value = int.from_bytes(drawn, "big") % (CURVE.group_order - 1) + 1
        self._hold(ec.derive_private_key(value, CURVE))

    @classmethod
    def of(cls, key: ec.EllipticCurvePrivateKey) -> SlotKey:
        """The same for a key that lies in software."""
        made = cls.__new__(cls)
        made._hold(key)
        return made

    def _hold(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        self.public: bytes = self._key.public_key().public_bytes(encoding, form)

    def __repr__(self) -> str:
        return f"<SlotKey {self.public.hex()[:16]}>"

    def __reduce__(self) -> str:
        raise TypeError("a module's key is not pickled")

    def sign(self, message: bytes) -> bytes:
        """The same over a message."""
        return self.sign_digest(hashlib.sha256(message).digest())

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over a SHA-256, DER, deterministic (RFC 6979)."""
        return self._key.sign(digest, _ECDSA)

    def for_ssl(self) -> PrivateKey:
        """The key itself; see InWorldModule.key_for_tls, which alone asks for it."""
        return self._key

    def agree(self, peer: bytes) -> bytes:
        """The shared x coordinate. Raises NotSealed for what is no uncompressed point of the curve."""
        return agreed_secret(self._key, point(CURVE, peer))


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """ECDSA with SHA-256 under an uncompressed point; False for whatever is no signature."""
    return _verifies(public, hashlib.sha256(message).digest(), signature)


@lru_cache(maxsize=_REMEMBERED)
def _verifies(public: bytes, digest: bytes, signature: bytes) -> bool:
    try:
        _point(public).verify(signature, digest, _DIGEST)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=1_024)  # a gateway's thousand values are under one key
def _point(public: bytes) -> ec.EllipticCurvePublicKey:
    return point(CURVE, public)
