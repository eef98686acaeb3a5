"""The generator against its published vectors; the draws against themselves in every other way to ask for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrays import draws
from arrays.philox import philox
from sim.core.seeds import SeedError, Seeds, normal_of, one_normal_of
from tests.night import examples

ONE_SIGMA = 1 << 16
WORD = st.integers(0, 0xFFFFFFFF)
FULL = 0xFFFFFFFF

# Random123 1.14, examples/kat_vectors, philox4x32 10: counter, key, expected
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((FULL, FULL, FULL, FULL), (1 << 64) - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0_A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_published_known_answers(counter, key, expected):
    assert philox(key & FULL, key >> 32, *counter) == expected
    number, *words = (np.array([word], dtype=np.uint64) for word in counter)
    out = np.empty((1, 4), dtype=np.uint32)
    draws.blocks(np.uint64(key), number[0], *words, out)
    assert tuple(out[0].tolist()) == expected


@given(seed=st.integers(0, (1 << 64) - 1), a=WORD, b=WORD, c=WORD, limit=st.integers(1, 1 << 32))
@settings(max_examples=examples(60), deadline=None)
def test_one_draw_is_the_same_number_as_in_an_array(seed, a, b, c, limit):
    seeds = Seeds(seed)
    at = (np.array([a, a]), b, c)
    assert seeds.u32("test", *at).tolist() == [seeds.one_u32("test", a, b, c)] * 2
    assert seeds.u64("test", *at).tolist() == [seeds.one_u64("test", a, b, c)] * 2
    assert seeds.below("test", limit, *at).tolist() == [seeds.one_below("test", limit, a, b, c)] * 2
    assert seeds.normal_q16("test", *at).tolist() == [seeds.one_normal_q16("test", a, b, c)] * 2
    assert seeds.bytes16("test", a)[0].tobytes() == seeds.one_bytes16("test", a)


def test_draws_in_any_shape_are_the_same_numbers():
    seeds = Seeds(2**64 - 1)
    a = np.concatenate([np.arange(500), [2**32 - 1, 2**31]])
    flat = seeds.blocks("many", a, 7, 2**32 - 1)
    assert flat.dtype == np.uint32
    assert flat.tolist() == [list(seeds.one_block("many", int(one), 7, 2**32 - 1)) for one in a]
    assert np.array_equal(seeds.blocks("many", a.reshape(2, -1), 7, 2**32 - 1), flat.reshape(2, -1, 4))
    assert np.array_equal(seeds.blocks("many", a, np.full(len(a), 7), 2**32 - 1), flat)
    crossed = seeds.blocks("many", np.arange(3)[:, None], np.arange(2), np.array(5))
    assert crossed.shape == (3, 2, 4)
    assert crossed[2, 1].tolist() == list(seeds.one_block("many", 2, 1, 5))
    assert seeds.blocks("many", 1).tolist() == list(seeds.one_block("many", 1))


def test_a_draw_depends_on_neither_order_nor_company():
    seeds = Seeds(5)
    everything = seeds.u64("fading", np.arange(40_000)[:, None], np.arange(2))
    some = np.array([39_999, 7, 16_384])
    assert (seeds.u64("fading", some, 1) == everything[some, 1]).all()


def test_seed_purpose_and_each_counter_matter():
    draws = {
        Seeds(1).one_u64("a", 2, 3, 4), Seeds(2).one_u64("a", 2, 3, 4), Seeds(1).one_u64("b", 2, 3, 4),
        Seeds(1).one_u64("a", 3, 3, 4), Seeds(1).one_u64("a", 2, 4, 4), Seeds(1).one_u64("a", 2, 3, 5),
        Seeds(1).child("x").one_u64("a", 2, 3, 4), Seeds(1 << 40 | 1).one_u64("a", 2, 3, 4),
    }  # fmt: skip
    assert len(draws) == 8


def test_normal_has_the_moments_and_tails_of_a_normal():
    z = Seeds(1).normal_q16("moments", np.arange(1_000_000)) / ONE_SIGMA
    assert abs(z.mean()) < 0.003
    assert abs(z.var() - 1) < 0.005
    assert abs((z**4).mean() - 3) < 0.03
    for sigmas, tail in ((1, 0.158655), (2, 0.022750), (3, 0.001350), (4, 3.167e-5)):
        for side in (z > sigmas, z < -sigmas):
            assert abs(side.mean() - tail) < 4 * (tail / 1e6) ** 0.5


def test_normal_table_is_even_monotonic_and_bounded():
    words = np.concatenate([np.arange(0, 1 << 22, 97), np.arange(1 << 20, 1 << 31, 9_973)]).astype(np.uint64)
    words.sort()
    z = normal_of(words)
    assert (np.diff(z) <= 0).all()
    assert (normal_of(words | np.uint64(1 << 31)) == -z).all()
    assert 6.0 < z.max() / ONE_SIGMA < 6.5
    assert [one_normal_of(int(w)) for w in words[::997]] == z[::997].tolist()


def test_below_covers_its_range_evenly():
    counts = np.bincount(Seeds(3).below("die", 6, np.arange(60_000)), minlength=6)
    assert len(counts) == 6
    assert abs(counts - 10_000).max() < 400


@pytest.mark.parametrize("seed", [-1, 1 << 64, 1.5, "7", True])
def test_a_seed_that_does_not_fit_is_refused_by_name(seed):
    with pytest.raises(SeedError, match="seed"):
        Seeds(seed)


def test_counters_and_limits_that_do_not_fit_are_refused():
    seeds = Seeds(0)
    with pytest.raises(SeedError, match="counter b"):
        seeds.u32("x", 1, np.array([3, 1 << 32]))
    with pytest.raises(SeedError, match="counter a"):
        seeds.one_u32("x", -1)
    with pytest.raises(SeedError, match="limit"):
        seeds.below("x", 0, 1)
