"""MD2 (RFC 1319), which AWS IoT SQL offers and OpenSSL no longer has. For rules that call md2(), and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_BLOCK: Final = 16


def _substitution() -> bytes:
    """The RFC's table of 256 bytes: a shuffle (Durstenfeld's) driven by the digits of pi."""
    digits = _pi_digits(800)

    def draw(below: int) -> int:
        number, span = next(digits), 10
        if below > 10:
            number, span = number * 10 + next(digits), 100
        if below > 100:
            number, span = number * 10 + next(digits), 1000
        return number % below if number < below * (span // below) else draw(below)

    table = list(range(256))
    for count in range(2, 257):
        other = draw(count)
        table[count - 1], table[other] = table[other], table[count - 1]
    return bytes(table)


def _pi_digits(count: int) -> Iterator[int]:
    """3, 1, 4, 1, 5 ... by Machin's formula."""
    unit: int = 10 ** (count + 10)

    def arctan(inverse: int) -> int:
        term = total = unit // inverse
        step, sign = 1, -1
        while term:
            term //= inverse * inverse
            step += 2
            total += sign * (term // step)
            sign = -sign
        return total

    return iter([int(digit) for digit in str(4 * (4 * arctan(5) - arctan(239)))[:count]])


_S: Final = _substitution()


def md2(data: bytes) -> bytes:
    """Sixteen bytes."""
    padding = _BLOCK - len(data) % _BLOCK
    data += bytes([padding]) * padding
    checksum, last = bytearray(_BLOCK), 0
    for start in range(0, len(data), _BLOCK):
        for index in range(_BLOCK):
            checksum[index] ^= _S[data[start + index] ^ last]
            last = checksum[index]
    data += bytes(checksum)
    state = bytearray(48)
    for start in range(0, len(data), _BLOCK):
        for index in range(_BLOCK):
            state[16 + index] = data[start + index]
            state[32 + index] = state[16 + index] ^ state[index]
        carry = 0
        for turn in range(18):
            for index in range(48):
                state[index] ^= _S[carry]
                carry = state[index]
            carry = (carry + turn) % 256
    return bytes(state[:_BLOCK])
