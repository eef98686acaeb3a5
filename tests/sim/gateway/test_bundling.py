"""The rule by which bundles close, at each of its bounds; as plain Python, compiled, and with its source damaged."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrays.jit import njit
from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, Bundle, Heard, envelope_bytes_max
from sim.core.clock import NS_PER_S
from sim.gateway import bundling
from sim.gateway.bundling import NOT_YET, Limits, OpenBundle
from sim.gateway.gateway_spec import GatewaySpec
from tests.night import examples

LIMITS = Limits(age_ns=60 * NS_PER_S, telegrams=10, size_bytes=4_000)
OPENED_NS = 7
SOURCE = Path(bundling.__file__)
Rule = types.ModuleType


def entry(length: int) -> int:
    return 2 * length + TELEGRAM_OVERHEAD_BYTES


# --- at each bound ----------------------------------------------------------------------------------------------


def age_closes_at_its_instant(rule: Rule) -> None:
    due_ns = OPENED_NS + LIMITS.age_ns
    bundle = OpenBundle(OPENED_NS, 1, 100)
    assert rule.closed_by_age_ns(bundle, LIMITS, due_ns - 1) == NOT_YET
    assert rule.closed_by_age_ns(bundle, LIMITS, due_ns) == due_ns
    assert rule.closed_by_age_ns(bundle, LIMITS, due_ns + 1) == due_ns, "however late anybody looks"
    assert rule.closed_by_age_ns(OpenBundle(OPENED_NS, 0, 0), LIMITS, due_ns) == NOT_YET, "nothing is open"


def count_closes_with_the_telegram_that_fills_it(rule: Rule) -> None:
    for telegrams in (LIMITS.telegrams - 2, LIMITS.telegrams - 1, LIMITS.telegrams):
        _, bundle, closes_after = rule.admit(OpenBundle(OPENED_NS, telegrams, 0), LIMITS, OPENED_NS + 1, 1)
        assert closes_after == (telegrams + 1 >= LIMITS.telegrams)
        assert tuple(bundle) == (OPENED_NS, telegrams + 1, entry(1))


def size_closes_before_a_telegram_without_room(rule: Rule) -> None:
    length = 40
    for spare in (-1, 0, 1):
        held = LIMITS.size_bytes - entry(length) - spare
        closes_before, bundle, _ = rule.admit(OpenBundle(OPENED_NS, 3, held), LIMITS, OPENED_NS + 1, length)
        assert closes_before == (spare < 0)
        fresh = (OPENED_NS + 1, 1, entry(length))
        assert tuple(bundle) == (fresh if spare < 0 else (OPENED_NS, 4, held + entry(length)))


def a_first_telegram_opens_a_bundle(rule: Rule) -> None:
    admission = rule.admit(OpenBundle(99, 0, LIMITS.size_bytes), LIMITS, OPENED_NS, 300)
    assert admission == (False, OpenBundle(OPENED_NS, 1, entry(300)), False)


def one_telegram_may_be_the_limit(rule: Rule) -> None:
    one = LIMITS._replace(telegrams=1)
    assert rule.admit(OpenBundle(0, 0, 0), one, OPENED_NS, 1)[2]


BOUNDS: tuple[Callable[[Rule], None], ...] = (
    age_closes_at_its_instant,
    count_closes_with_the_telegram_that_fills_it,
    size_closes_before_a_telegram_without_room,
    a_first_telegram_opens_a_bundle,
    one_telegram_may_be_the_limit,
)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.__name__)
def test_at_its_bound(bound: Callable[[Rule], None]) -> None:
    bound(bundling)


# --- the same source, compiled ----------------------------------------------------------------------------------


def test_compiled_it_says_the_same_at_every_bound() -> None:
    by_age, admit = njit()(bundling.closed_by_age_ns), njit()(bundling.admit)
    around = (-1, 0, 1)
    for d_age, d_count, d_size, held in itertools.product(around, around, around, (0, 1, LIMITS.telegrams - 1)):
        now_ns = OPENED_NS + LIMITS.age_ns + d_age
        bundle = OpenBundle(OPENED_NS, max(0, held + d_count), LIMITS.size_bytes - entry(40) + d_size)
        assert by_age(bundle, LIMITS, now_ns) == bundling.closed_by_age_ns(bundle, LIMITS, now_ns)
        compiled, plain = admit(bundle, LIMITS, now_ns, 40), bundling.admit(bundle, LIMITS, now_ns, 40)
        assert (bool(compiled[0]), tuple(compiled[1]), bool(compiled[2])) == plain


# --- its bound of bytes is one ----------------------------------------------------------------------------------

TELEGRAMS = st.builds(
    Heard,
    st.binary(min_size=1, max_size=256),
    st.sampled_from([-(2**63), 2**63 - 1, 0]) | st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([-2.2250738585072014e-308, -70.0]),
)
NAMES = st.text(min_size=1, max_size=40)


@settings(max_examples=examples(100), deadline=None, derandomize=True)
@given(NAMES, st.integers(1, 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.lists(TELEGRAMS, max_size=8))
def test_no_encoding_is_larger_than_its_bound(name: str, sequence: int, closed_ns: int, heard: list[Heard]) -> None:
    encoded = Bundle(name, sequence, closed_ns, tuple(heard)).encode()
    assert len(encoded) <= envelope_bytes_max(name) + sum(entry(len(one.telegram)) for one in heard)


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(NAMES, st.integers(1_200, 3_000), st.lists(TELEGRAMS, min_size=1, max_size=60))
def test_no_bundle_of_a_gateway_is_larger_than_bundle_bytes(name: str, most: int, heard: list[Heard]) -> None:
    limits = bundling.limits_of(GatewaySpec(bundle_bytes=most), name)
    state, inside = bundling.NOTHING_OPEN, list[Heard]()
    for one in heard:
        closes_before, state, _ = bundling.admit(state, limits, 0, len(one.telegram))
        if closes_before:
            assert inside
            inside = []
        inside.append(one)
        assert len(Bundle(name, 2**63 - 1, -(2**63), tuple(inside)).encode()) <= most
        assert state.telegrams == len(inside)


# --- no bound can be moved unseen -------------------------------------------------------------------------------

EDITS = [
    ("now_ns >= due_ns", "now_ns > due_ns"),
    ("bundle.opened_ns + limits.age_ns", "bundle.opened_ns + limits.age_ns + 1"),
    ("due_ns if bundle.telegrams > 0 and", "due_ns if"),
    ("2 * length_bytes + TELEGRAM_OVERHEAD_BYTES", "2 * length_bytes + TELEGRAM_OVERHEAD_BYTES + 2"),
    ("2 * length_bytes + TELEGRAM_OVERHEAD_BYTES", "2 * length_bytes + 7"),
    ("+ size_bytes > limits.size_bytes", "+ size_bytes >= limits.size_bytes"),
    ("bundle.telegrams > 0 and bundle.size_bytes", "bundle.size_bytes"),
    ("grown.telegrams >= limits.telegrams", "grown.telegrams > limits.telegrams"),
    ("bundle.telegrams + 1, bundle.size_bytes + size_bytes", "bundle.telegrams + 1, size_bytes"),
    ("OpenBundle(received_ns, 1, size_bytes)", "OpenBundle(bundle.opened_ns, 1, size_bytes)"),
]


@pytest.mark.parametrize(("right", "wrong"), EDITS, ids=[wrong for _, wrong in EDITS])
def test_an_edit_of_the_rule_is_noticed(right: str, wrong: str) -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert source.count(right) == 1, "the edit no longer fits the source: write it anew"
    edited = types.ModuleType("edited_bundling")
    exec(compile(source.replace(right, wrong), str(SOURCE), "exec"), edited.__dict__)
    noticed = []
    for bound in BOUNDS:
        try:
            bound(edited)
        except AssertionError:
            noticed.append(bound.__name__)
    assert noticed
