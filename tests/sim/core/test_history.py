"""The history: what it writes, and what its digest does and does not depend on."""

import json

import numpy as np
import pytest

from sim.core.events import (
    AlarmRaised,
    AttackActed,
    BundleAcknowledged,
    BundleClosed,
    Fate,
    SessionChanged,
    TelegramRefused,
    WindowEnded,
)
from sim.core.history import FrameBatch, History

ROWS = [(1_000 * i, i % 7, i // 7, i % 3, int(Fate(i % 6)), -7_000 - i, 54) for i in range(100)]


def digest_of(*batches: list[tuple[int, int, int, int, int, int, int]]) -> str:
    history = History()
    for rows in batches:
        history.frames(FrameBatch.of(rows))
    return history.digest


def test_digest_depends_neither_on_order_nor_on_batches() -> None:
    whole = digest_of(ROWS)
    assert digest_of(ROWS[::-1]) == whole
    assert digest_of(ROWS[:33], ROWS[33:34], ROWS[34:]) == whole


@pytest.mark.parametrize("column", range(7))
def test_digest_notices_a_change_in_any_column(column: int) -> None:
    changed = [list(row) for row in ROWS]
    changed[50][column] = (
        5 if column == 4 and changed[50][column] != 5 else changed[50][column] + 1 if column != 4 else 4
    )
    assert digest_of([tuple(row) for row in changed]) != digest_of(ROWS)  # type: ignore[misc]


def test_digest_notices_two_frames_that_swap_their_fates() -> None:
    rows = [list(row) for row in ROWS]
    rows[0][4], rows[1][4] = rows[1][4], rows[0][4]
    assert digest_of([tuple(row) for row in rows]) != digest_of(ROWS)  # type: ignore[misc]


def test_observed_events_are_written_but_not_digested(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    history = History(path)
    before = history.digest
    history.record(SessionChanged(5, "gw-1", "dropped", "reset"))
    history.record(BundleAcknowledged(5, "gw-1", 7))
    assert history.digest == before
    history.record(AlarmRaised(6, "gap", "VIP 1", "silent"))
    assert history.digest != before
    history.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["SessionChanged", "BundleAcknowledged", "AlarmRaised"]
    assert lines[2] == {"t": 6, "event": "AlarmRaised", "kind": "gap", "subject": "VIP 1", "detail": "silent"}


def test_frames_are_counted_by_fate_and_written_when_asked(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    history = History(path, frames=True)
    history.frames(FrameBatch.of(ROWS))
    history.close()
    assert sum(history.fates.values()) == len(ROWS)
    assert history.fates["received"] == 17
    first = json.loads(path.read_text().splitlines()[0])
    assert first == {"t": 0, "event": "Frame", "source": 0, "k": 0, "receiver": 0, "fate": "received",
                     "rssi_dbm": -70.0, "length": 54}  # fmt: skip


def test_an_empty_batch_changes_nothing() -> None:
    history = History()
    history.frames(FrameBatch.of([]))
    assert history.digest == "0" * 32
    assert np.array(list(history.fates.values())).sum() == 0


def test_a_frame_that_two_receivers_received_was_heard_once() -> None:
    rows = [(0, 1, 7, 0, Fate.RECEIVED), (0, 1, 7, 1, Fate.RECEIVED), (0, 1, 8, 0, Fate.RECEIVED),
            (5, 1, 7, 0, Fate.RECEIVED), (9, 2, 7, 0, Fate.COLLISION)]  # fmt: skip
    batches = [FrameBatch.of([(*row[:4], int(row[4]), -5_000, 40)]) for row in rows]
    batch = FrameBatch.joined(batches)
    assert batch.heard == 3
    assert batch.part(batch.fate != Fate.RECEIVED).heard == FrameBatch.joined([]).heard == 0
    assert batch.part([1]).receiver.tolist() == [1]


BULK = [WindowEnded(9, 3, 2, {"received": 2}, 2, {"not fresh": 1}), BundleClosed(9, "gw-1", 1, 2, 300),
        BundleAcknowledged(9, "gw-1", 1), TelegramRefused(9, "VIP 1", "gw-1", "not fresh", "0f")]  # fmt: skip
RARE = [AlarmRaised(9, "gap", 'say "event":"BundleClosed"', "silent"), SessionChanged(9, "gw-1", "dropped", "reset")]


@pytest.mark.parametrize("in_file", [True, False])
def test_records_of_a_kind_come_back_in_order_as_they_were(tmp_path, in_file: bool) -> None:
    history = History(tmp_path / "events.jsonl" if in_file else None)
    for event in [*BULK, *RARE, *BULK]:
        history.record(event)
    for event in BULK:
        assert history.of(type(event)) == [event, event]
    for event in RARE:
        assert history.of(type(event)) == [event]
    assert history.of(AttackActed) == []
    history.close()
    assert history.of(BundleClosed) == [BULK[1], BULK[1]], "also when the file is closed"


def test_memory_holds_no_record_that_grows_with_the_traffic(tmp_path) -> None:
    history = History(tmp_path / "events.jsonl")
    for event in [*BULK, *RARE]:
        history.record(event)
    assert sum(map(len, history._kept.values())) == len(RARE)
