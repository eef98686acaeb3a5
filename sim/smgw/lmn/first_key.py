"""A meter's first key pair, made by the gateway and sent under the key that the maker gave the meter (BSI TR-03116-3,
6 and 7): pairing where the meter makes no key of its own. That key of 128 bit serves for this and for nothing else.

    C(4, little endian) | AES-128-CBC, IV 0, of [private key(32), meter's certificate, gateway's certificate] | CMAC(16)

Both keys come from it, the counter C and four bytes of the meter's number; the MAC covers C too, and nothing is looked
at before it. The counter never goes back under one key: who takes a message with one that was there takes a replay. The
meter answers `C(4) | CMAC(16)` of what it took, under the keys of its own direction. The inner layout is this model's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sim.smgw.refusals import BadFrame
from wmbus.security import BLOCK, cbc_decrypt, cbc_encrypt, cmac, derive_pair, mac_equal

PRIVATE_BYTES: Final = 32
COUNTER_MOST: Final = 0xFFFF_FFFF
_COUNTER, _LENGTH, _MAC, _ID = 4, 2, 16, 4


class FirstKey(NamedTuple):
    """`private`: of brainpoolP256r1, big endian; certificates in DER."""

    private: bytes
    certificate: bytes
    gateway: bytes


def sent(key: bytes, counter: int, server: bytes, first: FirstKey) -> bytes:
    """For a meter. Raises ValueError for a counter that is used up, or a private key of another size."""
    if not 0 < counter <= COUNTER_MOST:
        raise ValueError(
            f"counter {counter} is none of 1 to {COUNTER_MOST}: a meter's key is used up, or was never used"
        )
    if len(first.private) != PRIVATE_BYTES:
        raise ValueError(f"a private key here has {PRIVATE_BYTES} bytes, not {len(first.private)}")
    plain = first.private + b"".join(
        len(one).to_bytes(_LENGTH, "big") + one for one in (first.certificate, first.gateway)
    )
    fill = BLOCK - len(plain) % BLOCK
    enc, mac = derive_pair(key, counter, server[-_ID:], to_meter=True)
    covered = counter.to_bytes(_COUNTER, "little") + cbc_encrypt(enc, None, plain + bytes((fill,)) * fill)
    return covered + cmac(mac, covered)


def taken(key: bytes, last: int, server: bytes, data: bytes) -> tuple[int, FirstKey]:
    """By the meter: the counter, which it keeps, and what it was sent. Raises BadFrame (key-short, key-counter,
    key-mac, key-content), in this order."""
    if len(data) < _COUNTER + BLOCK + _MAC or (len(data) - _COUNTER - _MAC) % BLOCK:
        raise BadFrame("key-short", f"{len(data)} bytes are no counter, whole blocks and a MAC", len(data))
    counter = int.from_bytes(data[:_COUNTER], "little")
    if counter <= last:
        raise BadFrame("key-counter", f"counter {counter} is not above {last}, which was taken")
    enc, mac = derive_pair(key, counter, server[-_ID:], to_meter=True)
    if not mac_equal(cmac(mac, data[:-_MAC]), data[-_MAC:]):
        raise BadFrame("key-mac", "the MAC is not of this meter's key", len(data) - _MAC)
    plain = cbc_decrypt(enc, None, data[_COUNTER:-_MAC])
    fill = plain[-1]
    if not 1 <= fill <= BLOCK or plain[-fill:] != bytes((fill,)) * fill:
        raise BadFrame("key-content", "the padding is none", _COUNTER)
    return counter, FirstKey(plain[:PRIVATE_BYTES], *_parts(plain[PRIVATE_BYTES:-fill]))


def _parts(data: bytes) -> tuple[bytes, bytes]:
    own = int.from_bytes(data[:_LENGTH], "big")
    rest = data[_LENGTH + own :]
    gateway = int.from_bytes(rest[:_LENGTH], "big")
    if not own or not gateway or len(rest) != _LENGTH + gateway:
        raise BadFrame("key-content", "it does not hold two certificates", _COUNTER)
    return data[_LENGTH : _LENGTH + own], rest[_LENGTH:]


def confirmed(key: bytes, counter: int, server: bytes, data: bytes) -> bytes:
    """What the meter answers to a message that it took."""
    _, mac = derive_pair(key, counter, server[-_ID:])
    number = counter.to_bytes(_COUNTER, "little")
    return number + cmac(mac, number + cmac(mac, data))


def is_confirmed(key: bytes, counter: int, server: bytes, data: bytes, answer: bytes) -> bool:
    """The meter has taken this message."""
    return mac_equal(confirmed(key, counter, server, data), answer)
