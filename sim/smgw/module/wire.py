"""The port's verbs as bytes, for a module in another process: one frame a question, one an answer.

    frame     length (4 bytes) | body
    question  verb (1 byte) | slot (1 byte, its number; 0 where none is meant) | the rest
    answer    00 | bytes      or      01 | reason, text of UTF-8, with a line break between them

Every verb there is stands in VERBS; none of them gives a private key. Messages are signed by their SHA-256.
"""

from __future__ import annotations

from typing import Final

from sim.smgw.module.port import SLOTS, ModuleError
from sim.smgw.module.slots import SlotModule

FRAME_MOST_BYTES: Final = 1 << 14
VERBS: Final = ("make_key", "sign", "agree", "random")
_NO_SLOT: Final = 255
_REASONS: Final = ("slot", "empty", "point", "count", "pin", "locked", "busy", "verb")


class BadFrame(ValueError):
    """Bytes that are no frame, question or answer."""


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def length_of(head: bytes) -> int:
    """Of the body behind four bytes. Raises BadFrame."""
    length = int.from_bytes(head, "big")
    if not 0 < length <= FRAME_MOST_BYTES:
        raise BadFrame(f"a frame of {length} bytes; there are 1 to {FRAME_MOST_BYTES}")
    return length


def question(verb: str, slot: str, rest: bytes) -> bytes:
    number = SLOTS.index(slot) + 1 if slot in SLOTS else _NO_SLOT if slot else 0
    return bytes((VERBS.index(verb) + 1, number)) + rest


def answered(module: SlotModule, asked: bytes) -> bytes:
    """What the module says to a question; whatever the bytes are, an answer."""
    try:
        return b"\x00" + _done(module, asked)
    except ModuleError as error:
        return refusal(error)


def refusal(error: ModuleError) -> bytes:
    return b"\x01" + f"{error.reason}\n{error.detail}".encode()


def result(answer: bytes) -> bytes:
    """Raises ModuleError as the module did, BadFrame for what is no answer."""
    if answer[:1] == b"\x00":
        return answer[1:]
    reason, _, detail = answer[1:].decode("utf-8", "replace").partition("\n")
    if answer[:1] != b"\x01" or reason not in _REASONS:
        raise BadFrame("no answer of a module")
    raise ModuleError(reason, detail)


def _done(module: SlotModule, asked: bytes) -> bytes:
    if len(asked) < 2 or not 1 <= asked[0] <= len(VERBS):
        raise ModuleError("verb", f"there is no such verb; there are {', '.join(VERBS)}")
    verb, rest = VERBS[asked[0] - 1], asked[2:]
    slot = SLOTS[asked[1] - 1] if 1 <= asked[1] <= len(SLOTS) else f"number {asked[1]}"
    if verb == "make_key":
        return module.make_key(slot)
    if verb == "sign":
        return module.sign_digest(slot, rest)
    if verb == "agree":
        return module.agree(slot, rest)
    return module.random(int.from_bytes(rest[:8], "big", signed=True))
