"""Mutated published telegrams: no crash, no hang, no quadratic blow-up, no other value under a verified MAC."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import every_door, mutate, same_or_refused
from published import telegrams

from wmbus.errors import BadTelegram
from wmbus.records import parse_records
from wmbus.telegram import parse


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(telegrams()), st.randoms(use_true_random=False))
def test_a_mutant_is_read_or_refused(t, dice):
    mutant = mutate(t.frame, dice)
    same_or_refused(t, mutant)
    every_door(t, mutant)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all(data):
    every_door(telegrams()[320], data)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=245))
def test_any_bytes_behind_a_link_header(data):
    every_door(telegrams()[320], bytes([9 + len(data)]) + telegrams()[320].frame[1:10] + data)


def test_a_short_run_of_mutants():
    dice = random.Random(20)
    results = [same_or_refused(t, mutate(t.frame, dice)) for t in telegrams() for _ in range(20)]
    assert len(set(results)) >= 12


@pytest.mark.parametrize(
    "unit", ["2f", "016e01", "0000", "8e80808080808080808010", "0d7801ff", "017c026161ff", "ff", "fc"]
)
def test_time_grows_with_length_and_no_faster(unit):
    def took(size: int) -> float:
        data = bytes.fromhex(unit) * (size // (len(unit) // 2))
        began = time.process_time()
        parse_records(data, strict=False)
        return time.process_time() - began

    took(20_000)
    small = min(took(20_000) for _ in range(3))
    large = min(took(200_000) for _ in range(3))
    assert large < 40 * small + 0.05


def test_offsets_point_into_the_telegram():
    dice = random.Random(4)
    for t in telegrams():
        mutant = mutate(t.frame, dice)
        offset = 0
        try:
            parse(mutant)
        except BadTelegram as error:
            offset = error.offset
        assert 0 <= offset <= max(len(mutant), 1)
