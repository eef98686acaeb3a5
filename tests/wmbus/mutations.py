"""Mutated published telegrams, thrown at every door of the protocol.

    PYTHONPATH=. python tests/wmbus/mutations.py --count 10000000 --seed 1

Each mutant is a published telegram with a few bytes changed, cut, doubled or moved, its L byte put right three times
out of four so that the inner layers are reached.  A mutant must come out as a reading or as BadTelegram, in a number of
calls that its length bounds; and where a MAC was verified, the records must be the published ones.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

from published import Published, telegrams

from tests.steps import calls
from wmbus.as_json import to_json
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.explain import annotate
from wmbus.link import strip_crcs
from wmbus.records import parse_records
from wmbus.telegram import read, unlock

CALLS_A_BYTE = 10  # at most 3.4 were seen, and 200 for a telegram of a few bytes
LENIENT = {
    "honour_sender_mac": True, "require_mac": False, "accept_clear_tail": True, "accept_n_zero": True,
    "accept_already_decrypted": True,
}  # fmt: skip


def mutate(frame: bytes, dice: random.Random) -> bytes:
    out = bytearray(frame)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(out)) if out else 0
        what = dice.randrange(6)
        if what <= 1 and out:
            out[at] ^= 1 << dice.randrange(8)
        elif what == 2 and out:
            out[at] = dice.choice((0, 0x0F, 0x2F, 0x7C, 0x7F, 0x80, 0xFC, 0xFD, 0xFF, dice.randrange(256)))
        elif what == 3:
            del out[at : at + dice.randrange(1, 17)]
        elif what == 4:
            out[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 9)))
        else:
            out[at:at] = out[at : at + dice.randrange(1, 33)]
    if dice.randrange(4) and out:
        del out[256:]
        out[0] = len(out) - 1
    return bytes(out)


def same_or_refused(t: Published, mutant: bytes) -> str:
    """Reason of refusal or "read".  Raises AssertionError when a verified MAC covers other records."""
    result = ""

    def take() -> None:
        nonlocal result
        try:
            reading = read(mutant, t.key, accept_already_decrypted=t.key is None)
        except BadTelegram as error:
            result = error.reason.value
        else:
            result = "read"
            if reading.unlocked.mac_ok:
                original = read(t.frame, t.key)
                assert reading.unlocked.plaintext == original.unlocked.plaintext, mutant.hex()
                assert reading.unlocked.clear_tail == original.unlocked.clear_tail, mutant.hex()

    assert calls(take) < 1_000 + CALLS_A_BYTE * len(mutant), ("too many calls", mutant.hex())
    return result


def every_door(t: Published, mutant: bytes) -> None:
    """Every other way in; only BadTelegram may come out."""
    to_json(mutant, t.key, strict=False, **LENIENT)
    for call in (
        lambda: annotate(mutant, t.key, **LENIENT),
        lambda: strip_crcs(mutant),
        lambda: parse_records(mutant),
        lambda: unlock(parse(mutant), t.key, **LENIENT),
    ):
        try:
            call()
        except BadTelegram as error:
            offset = error.offset
        else:
            offset = 0
        assert 0 <= offset <= len(mutant) + 16, ("offset", offset, mutant.hex())
    parse_records(mutant, strict=False)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--doors", type=int, default=8, help="every n-th mutant goes through every door")
    options = arguments.parse_args()
    dice = random.Random(options.seed)
    published = telegrams()
    frames = [(t, t.frame) for t in published]
    results: Counter[str] = Counter()
    for n in range(options.count):
        t, frame = dice.choice(frames)
        mutant = mutate(frame, dice)
        results[same_or_refused(t, mutant)] += 1
        if n % options.doors == 0:
            every_door(t, mutant)
    print(f"{options.count} mutants, seed {options.seed}")
    for reason, count in results.most_common():
        print(f"{count:10d} {reason}")


if __name__ == "__main__":
    main()
