"""Mutated published telegrams: no crash, no hang, no quadratic blow-up, no other value under a verified MAC."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import same_or_refused
from published import telegrams

from bench.fuzz.mutations import mutate
from bench.fuzz.targets.protocol_doors import every_door
from tests.night import examples
from tests.steps import Sliced, steps
from wmbus.errors import BadTelegram
from wmbus.records import parse_records
from wmbus.telegram import parse


@settings(max_examples=examples(100), deadline=None)
@given(st.sampled_from(telegrams()), st.randoms(use_true_random=False))
def test_a_mutant_is_read_or_refused(t, dice):
    mutant = mutate(t.frame, dice)
    same_or_refused(t, mutant)
    every_door(mutant, t.key)


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all(data):
    every_door(data, telegrams()[320].key)


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(min_size=1, max_size=245))
def test_any_bytes_behind_a_link_header(data):
    every_door(bytes([9 + len(data)]) + telegrams()[320].frame[1:10] + data, telegrams()[320].key)


def test_a_short_run_of_mutants():
    dice = random.Random(20)
    results = [same_or_refused(t, mutate(t.frame, dice)) for t in telegrams() for _ in range(20)]
    assert len(set(results)) >= 12


@pytest.mark.parametrize(
    "unit", ["2f", "016e01", "0000", "8e80808080808080808010", "0d7801ff", "017c026161ff", "ff", "fc"]
)
def test_work_grows_with_length_and_no_faster(unit):
    def work(size: int) -> tuple[int, int]:
        data = Sliced(bytes.fromhex(unit) * (size // (len(unit) // 2)))
        lines = steps(lambda: parse_records(data, strict=False))
        return lines, data.copied

    small, large = work(2_000), work(20_000)
    assert small[0] > 1_000, "a step a byte or so was counted"
    assert large[0] < 11 * small[0]
    assert large[1] < 11 * small[1] + 1_000


def test_work_that_grows_faster_is_noticed():
    def quadratic(data: bytes) -> None:
        while data:
            data = data[1:]

    data = [Sliced(bytes(size)) for size in (200, 2_000)]
    lines = [steps(lambda one=one: quadratic(one)) for one in data]
    assert lines[1] < 11 * lines[0]
    assert data[1].copied > 90 * data[0].copied


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
