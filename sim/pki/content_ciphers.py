"""Ciphers of content security: the key under which content keys travel, and the two ways to seal content.

ECKA-EG on Brainpool curves with X9.63 and SHA-256 gives a key-encryption key (TR-03111, RFC 5753); RFC 3394 wraps the
content key under it; the content itself is under AES-128-GCM, or under AES-128-CBC with IV 0 and CMAC.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from wmbus.security import BLOCK, KEY_BYTES, cbc_decrypt, cbc_encrypt, cmac, mac_equal

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_POINT: Final = 0x04


class NotSealed(ValueError):
    """Another key, or bytes that were changed. It says no more."""


def library_bytes(count: int) -> bytes:
    """Random bytes of the library's own, for what is no part of a world."""
    return b"".join(AESGCM.generate_key(128) for _ in range(0, count, KEY_BYTES))[:count]


def agreed_secret(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> bytes:
    """The x coordinate of the point that both sides come to."""
    return private.exchange(ec.ECDH(), public)


def derived_key(secret: bytes, shared_info: bytes) -> bytes:
    """X9.63 with SHA-256: 16 bytes."""
    return X963KDF(algorithm=hashes.SHA256(), length=KEY_BYTES, sharedinfo=shared_info).derive(secret)


def point(curve: ec.EllipticCurve, data: bytes) -> ec.EllipticCurvePublicKey:
    """Of an uncompressed point. Raises NotSealed for one in another form or that is not on the curve."""
    try:
        if data[:1] != bytes((_POINT,)):
            raise NotSealed("a point is written uncompressed")
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, data)
    except ValueError:
        raise NotSealed("no point of the receiver's curve") from None


def wrap(kek: bytes, key: bytes) -> bytes:
    """RFC 3394."""
    return keywrap.aes_key_wrap(kek, key)


def unwrap(kek: bytes, wrapped: bytes) -> bytes:
    """Raises NotSealed."""
    try:
        return keywrap.aes_key_unwrap(kek, wrapped)
    except (keywrap.InvalidUnwrap, ValueError):
        raise NotSealed("the content key does not unwrap") from None


def gcm_seal(key: bytes, nonce: bytes, content: bytes, associated: bytes | None) -> tuple[bytes, bytes]:
    """Ciphertext, tag."""
    sealed = AESGCM(key).encrypt(nonce, content, associated)
    return sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]


def gcm_open(key: bytes, nonce: bytes, sealed: bytes, tag: bytes, associated: bytes | None) -> bytes:
    """Raises NotSealed."""
    try:
        return AESGCM(key).decrypt(nonce, sealed + tag, associated)
    except (InvalidTag, ValueError):
        raise NotSealed("the tag is not of this content under this key") from None


def gcm_stream(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    """What is under the stream, its tag not looked at: for controls alone."""
    # Sealing is adding the stream, so sealing it again takes the stream away.
    return AESGCM(key).encrypt(nonce, sealed, None)[:-TAG_BYTES]


def cbc_seal(keys: bytes, content: bytes, associated: bytes | None) -> tuple[bytes, bytes]:
    """Ciphertext, CMAC. `keys`: that of the cipher, then that of the CMAC, 16 bytes each. The content is filled with 1
    to 16 bytes that say how many they are."""
    fill = BLOCK - len(content) % BLOCK
    sealed = cbc_encrypt(keys[:KEY_BYTES], None, content + bytes((fill,)) * fill)
    return sealed, cmac(keys[KEY_BYTES:], (associated or b"") + sealed)


def cbc_open(keys: bytes, sealed: bytes, mac: bytes, associated: bytes | None) -> bytes:
    """Raises NotSealed. The fill is looked at only after the MAC."""
    right = len(sealed) % BLOCK == 0 and len(sealed) > 0
    if not right or not mac_equal(cmac(keys[KEY_BYTES:], (associated or b"") + sealed), mac):
        raise NotSealed("the CMAC is not of this content under this key")
    content = cbc_decrypt(keys[:KEY_BYTES], None, sealed)
    fill = content[-1]
    if not 1 <= fill <= BLOCK or content[-fill:] != bytes((fill,)) * fill:
        raise NotSealed("the fill is none")
    return content[:-fill]
