"""Cells: what goes in comes out, each has the agreed size, and what is none is refused for its reason."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.smgw.cells import (
    CELL_LEAST_BYTES,
    CELL_MOST_BYTES,
    DUMMY_BYTES,
    HEAD_BYTES,
    BadCell,
    CellKind,
    Joiner,
    check_size,
    dummy,
    encode,
    kind_of,
)

ROOM = CELL_LEAST_BYTES - HEAD_BYTES


def test_a_cell_is_laid_out_as_the_page_says() -> None:
    (cell,) = encode(b"abc", CELL_LEAST_BYTES)
    assert cell == bytes.fromhex("02 0003 616263") + bytes(CELL_LEAST_BYTES - 6)
    assert encode(b"abc", 0) == [bytes.fromhex("02 0003 616263")]
    assert dummy(CELL_LEAST_BYTES) == bytes(CELL_LEAST_BYTES)
    assert len(dummy(0)) == DUMMY_BYTES


@pytest.mark.parametrize(
    ("length", "cells"), [(0, 1), (1, 1), (ROOM - 1, 1), (ROOM, 1), (ROOM + 1, 2), (2 * ROOM, 2), (2 * ROOM + 1, 3)]
)
def test_a_message_takes_as_many_cells_as_it_needs(length: int, cells: int) -> None:
    made = encode(bytes(length), CELL_LEAST_BYTES)
    assert len(made) == cells and {len(one) for one in made} == {CELL_LEAST_BYTES}
    assert [kind_of(one) for one in made] == [CellKind.MORE] * (cells - 1) + [CellKind.LAST]


@given(
    st.lists(st.binary(max_size=3_000), max_size=4), st.sampled_from([0, CELL_LEAST_BYTES, 1_000, CELL_MOST_BYTES]),
    st.randoms(),
)  # fmt: skip
def test_messages_come_out_as_they_went_in_whatever_dummies_stand_between(
    messages: list[bytes], size: int, draw: Random
) -> None:
    joiner, found = Joiner(size), []
    for message in messages:
        for cell in encode(message, size):
            for kind in (CellKind.DUMMY, CellKind.CALL):
                if draw.random() < 0.5:
                    assert joiner.take(dummy(size, kind)) is None
            found.append(joiner.take(cell))
    assert [one for one in found if one is not None] == messages


@pytest.mark.parametrize(
    ("reason", "cell"),
    [
        ("size", bytes(CELL_LEAST_BYTES - 1)),
        ("size", bytes(CELL_LEAST_BYTES + 1)),
        ("kind", b"\x04" + bytes(CELL_LEAST_BYTES - 1)),
        ("count", b"\x02\x00\xfe" + bytes(CELL_LEAST_BYTES - 3)),  # one more than there is room for
        ("count", b"\x00\x00\x01" + bytes(CELL_LEAST_BYTES - 3)),  # a dummy that holds something
        ("filling", b"\x02\x00\x01" + bytes(CELL_LEAST_BYTES - 4) + b"\x01"),
    ],
)
def test_what_is_no_cell_is_refused_and_nothing_after_it_is_read(reason: str, cell: bytes) -> None:
    joiner = Joiner(CELL_LEAST_BYTES)
    with pytest.raises(BadCell) as refused:
        joiner.take(cell)
    assert refused.value.reason == reason
    with pytest.raises(BadCell):
        joiner.take(encode(b"genuine", CELL_LEAST_BYTES)[0])


@pytest.mark.parametrize("size", [0, CELL_LEAST_BYTES, CELL_MOST_BYTES])
def test_sizes_that_can_be(size: int) -> None:
    assert check_size(size) == ""


@pytest.mark.parametrize("size", [1, CELL_LEAST_BYTES - 1, CELL_MOST_BYTES + 1])
def test_sizes_that_cannot_be(size: int) -> None:
    assert str(size) in check_size(size)
