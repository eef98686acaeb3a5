"""Candidates against bytes.find, at every place of a block."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arrays.find_many import HEAD_BYTES, candidates, filter_of, heads_of

FEW_LETTERS = st.binary(max_size=60).map(lambda some: bytes(byte & 1 for byte in some))
STRINGS = st.lists(
    st.binary(min_size=HEAD_BYTES, max_size=12).map(lambda some: bytes(byte & 1 for byte in some)), min_size=1
)


def found(block: bytes, strings: list[bytes]) -> list[int]:
    heads = heads_of(strings)
    return candidates(np.frombuffer(block, dtype=np.uint8), heads, filter_of(heads)).tolist()


@given(FEW_LETTERS, STRINGS)
def test_a_candidate_is_where_a_head_begins(block: bytes, strings: list[bytes]) -> None:
    heads = {one[:HEAD_BYTES] for one in strings}
    assert found(block, strings) == [at for at in range(len(block)) if block[at : at + HEAD_BYTES] in heads]


def test_of_many_strings_each_is_found_in_noise() -> None:
    dice = random.Random(5)
    strings = [dice.randbytes(16) for _ in range(50_000)]
    block = bytearray(dice.randbytes(400_000))
    places = range(0, 400_000 - 16, 4_000)
    for number, at in enumerate(places):
        block[at : at + 16] = strings[number * 7]
    assert found(bytes(block), strings) == list(places)


def test_more_candidates_than_there_was_room_for() -> None:
    assert found(bytes(1_000), [bytes(8)]) == list(range(1_000 - 7))
