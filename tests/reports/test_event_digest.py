"""A history condensed: counts are exact, listings are capped, damage is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reports.event_digest import KEPT_A_LANE, LANES_A_GROUP, read_story
from reports.wording import duration_text, number_text, value_text
from sim.core.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S, world_time
from sim.core.events import Event, TelegramRefused, WindowEnded
from sim.core.history import History

Make = Callable[..., Path]


def test_counts_are_those_of_the_history(make_history: Make) -> None:
    story = read_story(make_history(attack="radio.jam", refusals=200))
    assert len(story.windows) == 96
    assert story.sent == sum(1000 + (w * 37) % 5 for w in range(96))
    assert story.heard < story.sent
    assert sum(story.refused.values()) == 200
    assert story.losses["jammed"] == 12 * 800
    assert list(story.losses) == ["gateway down", "out of range", "receiver busy", "jammed", "collision"]
    assert story.bundles == 768
    assert (story.ended, story.last_ns, story.notes) == ("complete", NS_PER_DAY, [])
    assert story.sessions["dropped", "connection reset"] == 8
    assert story.troubled_clients()[0] == ("gw-00", {"connected": 2, "dropped": 1})


def test_listings_keep_the_first_of_each_lane_and_count_the_rest(make_history: Make) -> None:
    story = read_story(make_history(refusals=500))
    refusals = story.entries("refused")
    assert refusals == sorted(refusals, key=lambda entry: entry.time_ns)
    assert KEPT_A_LANE * len(story.refused) <= len(refusals) <= (KEPT_A_LANE + 8) * len(story.refused)
    assert story.more("refused") == 500 - len(refusals)
    assert refusals[0].subject == "QDS 10000001"
    assert len(refusals[0].telegram) == 16


def test_the_first_refusal_of_each_further_meter_is_kept(tmp_path: Path) -> None:
    meters = ["flood"] * 500 + ["QDS 1", "QDS 2", "QDS 1"]
    write(tmp_path, [TelegramRefused(k, meter, "g", "MAC wrong", "ff") for k, meter in enumerate(meters)])
    kept = read_story(tmp_path / "events.jsonl").entries("refused")
    assert [entry.subject for entry in kept] == ["flood"] * KEPT_A_LANE + ["QDS 1", "QDS 2"]


def test_too_many_labels_share_a_lane(tmp_path: Path) -> None:
    write(tmp_path, [TelegramRefused(k, "m", "g", f"reason {k}", "ff") for k in range(100)])
    story = read_story(tmp_path / "events.jsonl")
    assert len(story.lanes_of("refused")) == LANES_A_GROUP + 1
    assert sum(len(lane.times_ns) for lane in story.lanes_of("refused")) == 100


def test_refusals_that_were_only_counted_are_told(tmp_path: Path) -> None:
    write(tmp_path, [WindowEnded(5, 10, 9, {"received": 9, "collision": 1}, 7, {"MAC wrong": 2})])
    assert read_story(tmp_path / "events.jsonl").refused == {"MAC wrong": 2}


def test_a_cut_last_line_is_said_and_costs_one_event(make_history: Make) -> None:
    path = make_history()
    whole = read_story(path).events
    path.write_bytes(path.read_bytes()[:-12])
    story = read_story(path)
    assert story.events == whole - 1
    assert any("its last, is cut" in note for note in story.notes)
    assert any("no RunEnded" in note for note in story.notes)


def test_damage_in_the_middle_is_counted(make_history: Make) -> None:
    path = make_history()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[5] = b'{"t": 3, "event": "WindowEnded", "frames_sent": 3}\n'
    lines[7] = b"\xff\xfe\n"
    lines[9] = b"[]\n"
    path.write_bytes(b"".join(lines))
    story = read_story(path)
    assert story.notes == ["3 damaged lines in events.jsonl were left out"]
    assert len({len(column) for column in story.windows.columns}) == 1


def test_frames_are_counted_and_not_read(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    with path.open("a") as file:
        file.write('{"t":1,"event":"Frame","source":1,"k":0,"receiver":0,"fate":"jammed","rssi_dbm":-7.1,"length":9}\n')
    assert read_story(path).frames == 1


def test_a_missing_history_is_noted(tmp_path: Path) -> None:
    assert "no history could be read" in read_story(tmp_path / "events.jsonl").notes[0]


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [(0, "00:00:00.000"), (NS_PER_HOUR + 61_250_000_000, "01:01:01.250"), (3 * NS_PER_DAY, "3 d 00:00:00.000"),
     (-NS_PER_S, "-00:00:01.000")],
)  # fmt: skip
def test_world_time_is_told_in_days_and_clock(time_ns: int, text: str) -> None:
    assert world_time(time_ns) == text


def test_values_are_told_for_people() -> None:
    assert value_text(True) == "yes"
    assert value_text(1234567) == "1\u202f234\u202f567"
    assert value_text(0.123456) == "0.1235"
    assert value_text([1, "a", None]) == "1, a, –"
    assert value_text({"a": 1}) == "a: 1"
    assert len(value_text("x" * 5000)) == 300
    assert value_text(float("nan")) == "nan"
    assert number_text(2.0) == "2"
    assert duration_text(NS_PER_DAY + 90 * NS_PER_S) == "1 d 00:01:30"


def write(directory: Path, events: list[Event]) -> Path:
    history = History(directory / "events.jsonl")
    for event in events:
        history.record(event)
    history.close()
    return directory / "events.jsonl"
