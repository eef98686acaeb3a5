"""The only door to ciphers: modes 5, 7 and 10, the ELL's AES-CTR, AES-CMAC and the key derivation.

Everything here is keyed and silent: bytes in, bytes out.  Policy (which MAC length is enough, whether a missing MAC
matters) lives with the receiver in ``telegram``.  OpenSSL does the work through ``cryptography``; the tests hold
every function against pycryptodome and against NIST's published vectors.

Key derivation (OMS Vol. 2, KDF-A):  K = CMAC(MK, DC | C(4) | ID(4) | 07*7).  The input is exactly one block, so the
CMAC is one block encryption of (input xor K1) with K1 the first subkey (NIST SP 800-38B, 6.1); the master key's
context and its K1 are cached in a bounded cache.

Not constant time against an attacker on the same machine beyond what OpenSSL gives; this is a test bench.
"""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from wmbus.errors import BadTelegram, CannotEncode, Reason

BLOCK: Final = 16
KEY_BYTES: Final = 16
CACHED_KEYS: Final = 8192
CCM_TAG_BYTES: Final = 8

_ZERO_IV: Final = CBC(bytes(BLOCK))

KDF_A: Final = 1
"""Code of the one key derivation there is here, as the configuration extension names it."""
DC_ENC_FROM_METER: Final = 0x00
DC_MAC_FROM_METER: Final = 0x01
DC_ENC_TO_METER: Final = 0x10
DC_MAC_TO_METER: Final = 0x11

MAC_BYTES: Final = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12, 9: 16}
"""AFL authentication type (AT) -> MAC length in bytes; 3-7 are CMAC, 8 and 9 GMAC."""


def check_key(key: bytes) -> bytes:
    """The key, if it is 16 bytes.  Raises CannotEncode: a key never comes from the air."""
    if len(key) != KEY_BYTES:
        raise CannotEncode(f"an AES-128 key is {KEY_BYTES} bytes, not {len(key)}")
    return key


# --- CBC ------------------------------------------------------------------------------------------------------


def mode5_iv(address_wire: bytes, acc: int) -> bytes:
    """IV of mode 5: ``M ID Ver Type`` in wire order and eight times the access number."""
    return address_wire + bytes((acc,)) * 8


def cbc_encrypt(key: bytes, iv: bytes | None, plaintext: bytes) -> bytes:
    """AES-128-CBC of whole blocks; ``iv`` None is the zero IV of mode 7."""
    context = Cipher(AES(check_key(key)), _ZERO_IV if iv is None else CBC(iv)).encryptor()
    return context.update(plaintext)


def cbc_decrypt(key: bytes, iv: bytes | None, ciphertext: bytes) -> bytes:
    """Inverse of ``cbc_encrypt``; whole blocks only."""
    context = Cipher(AES(check_key(key)), _ZERO_IV if iv is None else CBC(iv)).decryptor()
    return context.update(ciphertext)


# --- CMAC and the key derivation ------------------------------------------------------------------------------


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC (NIST SP 800-38B), all 16 bytes."""
    context = CMAC(AES(check_key(key)))
    context.update(message)
    return context.finalize()


def mac_equal(a: bytes, b: bytes) -> bool:
    """Compare two MACs without leaking where they differ."""
    return compare_digest(a, b)


@lru_cache(maxsize=CACHED_KEYS)
def _master(key: bytes) -> tuple[CipherContext, int]:
    """ECB context of a master key and its CMAC subkey K1 as a number."""
    context = Cipher(AES(check_key(key)), ECB()).encryptor()
    zero = int.from_bytes(context.update(bytes(BLOCK)), "big")
    k1 = zero << 1 & (1 << 128) - 1
    if zero >> 127:
        k1 ^= 0x87
    return context, k1


def derive(master: bytes, constant: int, counter: int, id_wire: bytes) -> bytes:
    """One key of KDF-A.  ``constant`` is a DC_..., ``counter`` 32 bits, ``id_wire`` the ID as on the wire."""
    context, k1 = _master(master)
    block = bytes((constant,)) + counter.to_bytes(4, "little") + id_wire + b"\x07\x07\x07\x07\x07\x07\x07"
    return context.update((int.from_bytes(block, "big") ^ k1).to_bytes(BLOCK, "big"))


def derive_pair(master: bytes, counter: int, id_wire: bytes, *, to_meter: bool = False) -> tuple[bytes, bytes]:
    """(Kenc, Kmac) of one message, or (Lenc, Lmac) when it goes to the meter."""
    context, k1 = _master(master)
    tail = int.from_bytes(counter.to_bytes(4, "little") + id_wire + b"\x07\x07\x07\x07\x07\x07\x07", "big") ^ k1
    enc, mac = (DC_ENC_TO_METER, DC_MAC_TO_METER) if to_meter else (DC_ENC_FROM_METER, DC_MAC_FROM_METER)
    both = (tail ^ enc << 120) << 128 | (tail ^ mac << 120)
    keys = context.update(both.to_bytes(2 * BLOCK, "big"))
    return keys[:BLOCK], keys[BLOCK:]


# --- CTR of the extended link layer ---------------------------------------------------------------------------


def ell_ctr(key: bytes, address_wire: bytes, cc: int, sn_wire: bytes, data: bytes) -> bytes:
    """AES-CTR of ELL II and IV, both directions.

    Counter block ``M ID Ver Type (CC without its access and hop bits) SN(4) FN=0000 BC=00``, BC counting blocks.
    """
    block = address_wire + bytes((cc & ~0x12 & 0xFF,)) + sn_wire + b"\x00\x00\x00"
    context = Cipher(AES(check_key(key)), CTR(block)).encryptor()
    return context.update(data)


# --- CCM of mode 10 -------------------------------------------------------------------------------------------


def mode10_nonce(address_wire: bytes, counter: int) -> bytes:
    """Nonce of mode 10: ``M ID Ver Type 00`` and the message counter big endian, 13 bytes."""
    return address_wire + b"\x00" + counter.to_bytes(4, "big")


def ccm_encrypt(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-CCM with an 8-byte tag appended."""
    return AESCCM(check_key(key), tag_length=CCM_TAG_BYTES).encrypt(nonce, plaintext, associated)


def ccm_decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Inverse of ``ccm_encrypt``.  Raises BadTelegram (mac-wrong)."""
    try:
        return AESCCM(check_key(key), tag_length=CCM_TAG_BYTES).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise BadTelegram(Reason.MAC_WRONG, "the CCM tag does not fit key, counter and bytes", 0) from None
