"""PACE with ECDH and generic mapping on brainpoolP256r1 (BSI TR-03110, ICAO 9303-11): a short password in common makes
long keys in common, and nobody who listens or answers falsely can try passwords afterwards.

id-PACE-ECDH-GM-AES-CBC-CMAC-128. Sans I/O: each side gives the bytes that the other needs, in four steps. The library
multiplies on a curve with its own generator only, so points are reckoned here, by whole numbers and in no constant
time: it proves a process to a process, and protects no card against who measures it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple

from sim.pki import der
from wmbus.security import KEY_BYTES, cbc_decrypt, cbc_encrypt, cmac, mac_equal

OID: Final = "0.4.0.127.0.7.2.2.4.2.2"
POINT_BYTES: Final = 65
TOKEN_BYTES: Final = 8
_ENCRYPTION, _AUTHENTICATION, _PASSWORD = 1, 2, 3

# brainpoolP256r1 (RFC 5639, 3.4)
_P: Final = 0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377
_A: Final = 0x7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9
_B: Final = 0x26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6
_N: Final = 0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7
_Point = tuple[int, int]
_G: Final[_Point] = (
    0x8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262,
    0x547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997,
)


class NotPaired(ValueError):
    """The other side does not know the password, or sends what is no point."""


class Keys(NamedTuple):
    """Of a session: for its cipher, for its MAC."""

    encryption: bytes
    authentication: bytes


def password_key(password: bytes) -> bytes:
    """The key under which the nonce travels."""
    return _kdf(password, _PASSWORD)


class Side:
    """One side of one run. `draw` gives its two keys."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._map_key, self._key = (int.from_bytes(draw(40), "big") % (_N - 1) + 1 for _ in range(2))
        self.mapping = _write(_times(self._map_key, _G))
        """Its point of the first exchange."""

    def agree(self, nonce: bytes, mapping: bytes) -> bytes:
        """Its point of the second exchange, of the nonce and the other's first point. Raises NotPaired."""
        if mapping == self.mapping:
            raise NotPaired("the other side sends this side's own point back")
        shared = _times(self._map_key, _read(mapping))
        self._generator = _plus(_times(int.from_bytes(nonce, "big") % _N, _G), shared)
        self.point = _write(_times(self._key, self._generator))
        return self.point

    def finish(self, point: bytes) -> tuple[Keys, bytes, bytes]:
        """The session's keys, the token to show, and the one that the other must show. Raises NotPaired."""
        if point == self.point:
            raise NotPaired("the other side sends this side's own point back")
        shared = _times(self._key, _read(point))
        if shared is None:
            raise NotPaired("the agreed point is none")
        secret = shared[0].to_bytes(32, "big")
        keys = Keys(_kdf(secret, _ENCRYPTION), _kdf(secret, _AUTHENTICATION))
        return keys, _token(keys, point), _token(keys, self.point)


def sealed_nonce(password: bytes, nonce: bytes) -> bytes:
    """As the side that is paired sends it: 16 bytes."""
    return cbc_encrypt(password_key(password), None, nonce)


def opened_nonce(password: bytes, sealed: bytes) -> bytes:
    """Of any 16 bytes: whether it was the right password shows at the end only. Raises NotPaired."""
    if len(sealed) != KEY_BYTES:
        raise NotPaired("a nonce has 16 bytes")
    return cbc_decrypt(password_key(password), None, sealed)


def shown(token: bytes, wanted: bytes) -> bool:
    """Whether a token is the right one."""
    return len(token) == len(wanted) and mac_equal(token, wanted)


def _kdf(secret: bytes, number: int) -> bytes:
    return hashlib.sha1(secret + number.to_bytes(4, "big")).digest()[:KEY_BYTES]  # as TR-03110 has it


def _token(keys: Keys, point: bytes) -> bytes:
    """Over the other side's public key as data object 7F49."""
    inside = der.oid(OID) + b"\x86" + bytes((len(point),)) + point
    return cmac(keys.authentication, b"\x7f\x49" + bytes((len(inside),)) + inside)[:TOKEN_BYTES]


# --- points: (x, y), None for the one at infinity --------------------------------------------------------------------


def _write(point: _Point | None) -> bytes:
    if point is None:
        raise NotPaired("the point at infinity is no public key")
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _read(data: bytes) -> _Point:
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if len(data) != POINT_BYTES or data[0] != 4 or x >= _P or y >= _P or (y * y - (x * x + _A) * x - _B) % _P:
        raise NotPaired("no uncompressed point of brainpoolP256r1")
    return x, y


def _plus(one: _Point | None, other: _Point | None) -> _Point | None:
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % _P == 0:
            return None
        slope = (3 * one[0] * one[0] + _A) * pow(2 * one[1], -1, _P) % _P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P) % _P
    x = (slope * slope - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(number: int, point: _Point | None) -> _Point | None:
    out: _Point | None = None
    for bit in bin(number)[2:]:
        out = _plus(out, out)
        if bit == "1":
            out = _plus(out, point)
    return out
