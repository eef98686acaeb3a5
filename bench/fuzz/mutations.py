"""How cases are changed: bytes, telegrams and text. The one set of mutators, for ./wmbench fuzz and for the tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from sim.core.seeds import Dice

_LOUD: Final = (0, 0x0F, 0x2F, 0x7C, 0x7F, 0x80, 0xFC, 0xFD, 0xFF)  # bytes that mean something in a telegram
HUGE: Final = struct.pack("<f", 3e38)
_SIZES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}  # of a DIF's coding
_VIFS: Final = (0x6E, 0x6E, 0x13, 0x17, 0x00, 0x07, 0x08, 0x0F, 0x6C, 0x6D, 0x75, 0xFD, 0xFB, 0xFF, 0x7C)
TOKENS: Final = (
    *(b"9" * 400, b"[" * 3_000, b"{" * 50, b"null", b"true", b"1e999", b"-1", b"0", b"NaN", b"1e-400", b'""'),
    *(b'"\\ud800"', b"\\u0000", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\t", b"\x1b[31m", "€".encode()),
    *(b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"2147483648", b"0x1F", b"1_000"),
    *(b",", b";", b":", b"=", b"[[", b"]]", b"{", b"}", b"'", b'"', b"#", b"..", b"/dev/null", b"-", b"--"),
    *(b"9999-12-31T23:59:59", b"0001-01-01", b"2026-02-30", b"12.5", b"-200", b"T1", b"without:bind", b"inf"),
)


def mutate(frame: bytes, dice: Dice) -> bytes:
    """A telegram with a few bytes changed, cut, doubled or moved, its L byte put right three times out of four so that
    the inner layers are reached."""
    out = bytearray(changed(frame, dice))
    if dice.randrange(4) and out:
        del out[256:]
        out[0] = len(out) - 1
    return bytes(out)


def changed(data: bytes, dice: Dice) -> bytes:
    """Any bytes, a few of them changed, cut, doubled or moved."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(out)) if out else 0
        what = dice.randrange(6)
        if what <= 1 and out:
            out[at] ^= 1 << dice.randrange(8)
        elif what == 2 and out:
            out[at] = dice.choice((*_LOUD, dice.randrange(256)))
        elif what == 3:
            del out[at : at + dice.randrange(1, 17)]
        elif what == 4:
            out[at:at] = dice.randbytes(dice.randrange(1, 9))
        else:
            out[at:at] = out[at : at + dice.randrange(1, 33)]
    return bytes(out)


def changed_text(text: bytes, dice: Dice, tokens: Sequence[bytes] = TOKENS) -> bytes:
    """Text (JSON, TOML, a log) with tokens put in, put in place of others, taken out, doubled; now and then bytes."""
    if not dice.randrange(6):
        return changed(text, dice)
    out = bytearray(text)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(out)) if out else 0
        end = min(len(out), at + dice.choice((0, 1, 1, 2, 5, 20)))
        what = dice.randrange(5)
        if what <= 1:
            out[at:end] = dice.choice(tokens)
        elif what == 2:
            del out[at:end]
        elif what == 3:
            out[at:at] = out[at:end]
        else:
            begin = out.rfind(b"\n", 0, at) + 1
            line = out[begin : out.find(b"\n", at) + 1 or len(out)]
            out[begin:begin] = line
    return bytes(out[:100_000])


def spliced(one: bytes, other: bytes, dice: Dice) -> bytes:
    """The beginning of one and the end of the other."""
    return one[: dice.randrange(len(one) + 1)] + other[dice.randrange(len(other) + 1) :]


def record(dice: Dice) -> bytes:
    """A data record: one that a meter might send, or one of odd coding, storage, unit or length."""
    coding = dice.choice(list(_SIZES))
    dif = coding | dice.choice((0, 0, 0x40, 0x30, 0x10))
    vif = dice.choice((*_VIFS, dice.randrange(0x7C)))
    head = bytes((dif, vif))
    if not dice.randrange(6):  # chains of DIFE and VIFE, as long as they like
        difes = bytes(0x80 | dice.randrange(128) for _ in range(dice.randrange(12)))
        vifes = bytes(0x80 | dice.randrange(128) for _ in range(dice.randrange(12)))
        head = bytes((dif | 0x80,)) + difes + bytes((dice.randrange(128), vif | 0x80)) + vifes
        head += bytes((dice.randrange(128),))
    if not dice.randrange(10):  # of variable length: text, numbers, a compact profile
        return (
            bytes((0x0D | dif & 0xF0,)) + head[1:] + bytes((dice.randrange(256),)) + dice.randbytes(dice.randrange(20))
        )
    value = dice.choice((dice.randbytes(8), b"\xff" * 8, bytes(8), bytes(7) + b"\x80", HUGE + HUGE))
    return head + value[: _SIZES[coding]]
