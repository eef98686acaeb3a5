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

from bench.fuzz.mutations import mutate
from bench.fuzz.targets.protocol_doors import every_door
from tests.steps import calls
from wmbus.errors import BadTelegram
from wmbus.telegram import read

CALLS_A_BYTE = 10  # at most 3.4 were seen, and 200 for a telegram of a few bytes

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
            every_door(mutant, t.key)
    print(f"{options.count} mutants, seed {options.seed}")
    for reason, count in results.most_common():
        print(f"{count:10d} {reason}")


if __name__ == "__main__":
    main()
