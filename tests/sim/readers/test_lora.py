"""Telegrams cut for LoRaWAN: whole again in whatever order, and never two made into one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.readers.lora import imst_segments, lobaro_parts
from sim.readers.undo import CannotUndo, Piece
from tests.sim.desk.boxes import frame

SETTLED = Piece(b"", "dev", 11, 0)


def parts(telegram: bytes, first: int, total: int) -> list[Piece]:
    size = -(-len(telegram) // total)
    return [
        Piece(telegram[at * size : (at + 1) * size], "dev", (at + 1) * 10 + total, first + at) for at in range(total)
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 9), st.integers(0, 9))
def test_parts_in_any_order_and_twice_are_the_telegram_once(seed: int, total: int, twice: int) -> None:
    rng, undo = random.Random(seed), lobaro_parts()
    pieces = parts(frame(1), 5, total) + parts(frame(2), 5 + total, total)
    pieces += pieces[: twice * total // 9]
    rng.shuffle(pieces)
    found = [one for piece in pieces for one in undo(piece)]
    assert sorted(one.data for one in found) == [frame(1), frame(2)]
    assert not any(one.unreadable for one in found)


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_part_costs_its_telegram_and_no_other(lost: int) -> None:
    undo = lobaro_parts()
    stream = [piece for mark in range(20) for piece in parts(frame(mark), mark * 3, 3)]
    del stream[3 + lost]
    found = [one for piece in stream for one in undo(piece)]
    assert [one.data for one in found if not one.unreadable] == [frame(mark) for mark in range(20) if mark != 1]
    (said,) = [one.unreadable for one in found if one.unreadable]
    assert f"part {lost + 1} of 3 never came" in said


def test_a_counter_that_begins_anew_joins_nothing() -> None:
    undo = lobaro_parts()
    old, new = parts(frame(1), 0, 2), parts(frame(2), 0, 2)
    assert undo(old[0]) == []
    (again,) = undo(replace(new[0], data=new[0].data))  # the same header: the first bytes are alike
    assert again.unreadable or again.data == frame(2)


def test_after_a_restart_the_same_counters_carry_new_telegrams() -> None:
    undo = lobaro_parts()
    found = [one.data for mark in (1, 2) for piece in parts(frame(mark), 0, 2) for one in undo(piece)]
    assert found == [frame(1), frame(2)]


def test_devices_are_kept_apart() -> None:
    undo = lobaro_parts()
    first, second = parts(frame(1), 0, 2), parts(frame(2), 0, 2)
    other = [replace(piece, source="other") for piece in second]
    assert undo(first[0]) == undo(other[1]) == []
    assert [one.data for one in (*undo(first[1]), *undo(other[0]))] == [frame(1), frame(2)]


@pytest.mark.parametrize(("port", "counter"), [(None, 0), (10, 0), (21, 0), (0, 0), (1, 0), (100, 0), (12, None)])
def test_what_is_no_part_says_so(port: int | None, counter: int | None) -> None:
    with pytest.raises(CannotUndo):
        lobaro_parts()(Piece(frame(1), "dev", port, counter))


# --- IMST -----------------------------------------------------------------------------------------------------------

AT_S = 1_767_323_045


def segments(telegrams: list[bytes], size: int, first: int = 0) -> list[Piece]:
    """One upload, its last segment marked."""
    stream = b"".join((AT_S + at).to_bytes(4, "little") + one for at, one in enumerate(telegrams))
    cut = [stream[at : at + size] for at in range(0, len(stream), size)]
    return [
        Piece(bytes(((first + at) & 0x7F | (0x80 if at == len(cut) - 1 else 0),)) + data, "dev", 68, at)
        for at, data in enumerate(cut)
    ]


@pytest.mark.parametrize("size", [1, 4, 5, 10, 44, 45, 46, 49, 51, 90, 222])
def test_a_stream_is_whole_wherever_it_is_cut(size: int) -> None:
    undo = imst_segments()
    telegrams = [frame(mark) for mark in range(5)]
    pieces = segments(telegrams, size, 120)  # the counter goes round
    found = [one for piece in pieces for one in (*undo(piece), *undo(piece))]
    assert [one.data for one in found] == telegrams
    assert [one.stamp for one in found] == [datetime.fromtimestamp(AT_S + at, UTC) for at in range(5)]


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_lost_segment_is_said_and_nothing_is_made_up(lost: int) -> None:
    undo = imst_segments()
    telegrams = [frame(mark) for mark in range(5)]
    pieces = segments(telegrams, 47)
    after = segments([frame(9)], 200, len(pieces))
    found = [one for at, piece in enumerate([*pieces, *after]) if at != lost for one in undo(piece)]
    whole = [one.data for one in found if not one.unreadable]
    assert set(whole) <= {*telegrams, frame(9)} and whole[-1] == frame(9)
    assert any(f"segment {lost} of dev is lost" in one.unreadable for one in found)


def test_the_makers_own_example_of_two_telegrams_in_one_frame() -> None:
    """TheThingsNetwork/lorawan-devices@3b9522bc, range-extender-codec.yaml: its control byte has no bit set."""
    data = bytes.fromhex("00 80436d38 0c 43112233445566 77887a0102 ff 5686f413 43112233445566 77887a010203040506070809")
    first, second = imst_segments()(Piece(data, "dev", 68))
    assert first.data == bytes.fromhex("0c4311223344556677887a0102")
    assert second.data == bytes.fromhex("134311223344556677887a010203040506070809")
    assert first.stamp == datetime(2000, 1, 1, tzinfo=UTC)
    assert second.stamp == datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(("port", "said"), [(75, "port 75"), (4, "none of its telegrams"), (None, "no LoRaWAN port")])
def test_other_ports_say_so(port: int | None, said: str) -> None:
    with pytest.raises(CannotUndo, match=said):
        imst_segments()(Piece(b"\x00" + frame(1), "dev", port))
    assert imst_segments()(Piece(b"\x00", "dev", 3)) == []
