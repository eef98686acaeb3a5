"""One world's events.jsonl, condensed to what a page can show.

The file is read once, line by line, and may be large: a stormy day holds a million refusals. So everything is counted,
times are kept as packed integers per lane (a lane is one row of the timeline: all events of a kind that carry the
same label), and of the events themselves only the first few of each lane are kept, because the first ones show where
a thing began, and the first for each further subject. What was not kept is counted, so that a page can say "… and n
more (in events.jsonl)".

A run that was killed leaves a cut last line. That is said in `notes` and costs one event, not the story.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.core.events import Fate

KEPT_A_LANE = 12  # events kept word for word
KEPT_SUBJECTS = 200  # and then the first for each further meter or detail, so that a verdict finds its own
LANES_A_GROUP = 24  # labels beyond these share the lane "other": a label may come from a hostile sender
WORST_CLIENTS = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One event for a listing. `telegram` is a fingerprint, "" where there is none."""

    time_ns: int
    group: str
    label: str
    subject: str
    detail: str
    telegram: str = ""


@dataclass(slots=True)
class Lane:
    """All events of one group and label: every time, the first few in full."""

    group: str
    label: str
    times_ns: array[int] = field(default_factory=lambda: array("q"))
    kept: list[Entry] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Count an event, and keep the first few and those of new subjects in full."""
        self.times_ns.append(entry.time_ns)
        what = (entry.subject, entry.detail)
        if len(self.kept) < KEPT_A_LANE or (len(self._seen) < KEPT_SUBJECTS and what not in self._seen):
            self.kept.append(entry)
            self._seen.add(what)

    @property
    def more(self) -> int:
        """Events that are counted only."""
        return len(self.times_ns) - len(self.kept)


@dataclass(slots=True)
class Windows:
    """Columns, one entry a window. `end_ns` is when the window ended."""

    end_ns: array[int] = field(default_factory=lambda: array("q"))
    sent: array[int] = field(default_factory=lambda: array("q"))
    heard: array[int] = field(default_factory=lambda: array("q"))
    stored: array[int] = field(default_factory=lambda: array("q"))

    @property
    def columns(self) -> tuple[array[int], ...]:
        """end_ns, sent, heard, stored."""
        return self.end_ns, self.sent, self.heard, self.stored

    def __len__(self) -> int:
        return len(self.end_ns)


@dataclass(slots=True)
class Story:
    """A history in counts, and its first events of each kind."""
    path: Path
    events: int = 0
    frames: int = 0  # Frame lines; they are counted, not read
    last_ns: int = 0
    world: str = ""
    ended: str = ""  # RunEnded.outcome; "" when the history just stops
    windows: Windows = field(default_factory=Windows)
    fates: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)
    sessions: Counter[tuple[str, str]] = field(default_factory=Counter)  # (state, reason)
    clients: dict[str, Counter[str]] = field(default_factory=dict)
    bundles: int = 0
    bundled_bytes: int = 0
    acknowledged: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    _window_refused: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Frames sent, all windows together."""
        return sum(self.windows.sent)

    @property
    def heard(self) -> int:
        """Frames that at least one gateway received."""
        return sum(self.windows.heard)

    @property
    def stored(self) -> int:
        """Readings stored."""
        return sum(self.windows.stored)

    @property
    def losses(self) -> dict[str, int]:
        """(frame, receiver) pairs that were not received, by reason, in the order in which a receiver decides."""
        return {f.label: self.fates[f.label] for f in Fate if f is not Fate.RECEIVED and self.fates[f.label]}

    def lanes_of(self, *groups: str) -> list[Lane]:
        """Lanes in the order of the groups, and within one in order of first appearance."""
        return [lane for group in groups for lane in self.lanes.values() if lane.group == group]

    def entries(self, *groups: str) -> list[Entry]:
        """What was kept of these groups, in the order of world time."""
        return sorted((e for lane in self.lanes_of(*groups) for e in lane.kept), key=lambda e: e.time_ns)

    def more(self, *groups: str) -> int:
        """Events of these groups that are counted only."""
        return sum(lane.more for lane in self.lanes_of(*groups))

    def troubled_clients(self) -> list[tuple[str, dict[str, int]]]:
        """Clients with a refused or dropped session, worst first."""
        bad = {name: c["refused"] + c["dropped"] for name, c in self.clients.items()}
        worst = sorted((name for name in bad if bad[name]), key=lambda name: (-bad[name], name))
        return [(name, dict(self.clients[name])) for name in worst[:WORST_CLIENTS]]

    def _add(self, entry: Entry) -> None:
        key = (entry.group, entry.label)
        lane = self.lanes.get(key)
        if lane is None:
            if sum(1 for group, _ in self.lanes if group == entry.group) >= LANES_A_GROUP:
                key = (entry.group, "other")
            lane = self.lanes.setdefault(key, Lane(*key))
        lane.add(entry)


def read_story(path: Path) -> Story:
    """Condense a history. A missing file or damaged lines are noted, never raised."""
    story = Story(path)
    bad = last_bad = number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if b'"event":"Frame"' in line:  # by far the most lines where frames are kept; counting is enough
                    story.frames += 1
                    continue
                try:
                    body = json.loads(line)
                    _take(story, body)
                except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                    bad, last_bad = bad + 1, number
    except OSError as error:
        story.notes.append(f"no history could be read from {path.name}: {error.strerror or error}")
        return story
    if bad and last_bad == number:
        story.notes.append(f"line {number} of {path.name}, its last, is cut: the run was killed while it was written")
        bad -= 1
    if bad:
        story.notes.append(f"{bad} damaged lines in {path.name} were left out")
    if not story.ended:
        story.notes.append("the history has no RunEnded: the world was stopped before its end")
    if not story.refused:
        story.refused = story._window_refused
    return story


def _take(story: Story, body: dict[str, Any]) -> None:
    """Take one record. Fields that are absent raise; the caller counts the line as damaged."""
    t, event = int(body["t"]), body["event"]
    story.events += 1
    story.last_ns = max(story.last_ns, t)
    if event == "WindowEnded":
        row = (t, int(body["frames_sent"]), int(body["frames_heard"]), int(body["readings_stored"]))
        fates, refused = Counter(body["fates"]), Counter(body["refused"])  # all read before any is kept
        for column, value in zip(story.windows.columns, row, strict=True):
            column.append(value)
        story.fates.update(fates)
        story._window_refused.update(refused)
    elif event == "TelegramRefused":
        reason = str(body["reason"])
        story.refused[reason] += 1
        story._add(Entry(t, "refused", reason, str(body["meter"]), f"through {body['gateway']}", str(body["telegram"])))
    elif event == "AttackActed":
        story._add(Entry(t, "attack", f"{body['attack']}: {body['action']}", str(body["attack"]), str(body["detail"])))
    elif event == "AlarmRaised":
        story._add(Entry(t, "alarm", str(body["kind"]), str(body["subject"]), str(body["detail"])))
    elif event == "FaultInjected":
        story._add(Entry(t, "fault", str(body["kind"]), str(body["subject"]), ""))
    elif event == "MeterTampered":
        story._add(Entry(t, "tampering", str(body["how"]), str(body["meter"]), ""))
    elif event == "SessionChanged":
        _take_session(story, t, str(body["client"]), str(body["state"]), str(body["reason"]))
    elif event == "BundleClosed":
        story.bundles += 1
        story.bundled_bytes += body["size_bytes"]
    elif event == "BundleAcknowledged":
        story.acknowledged += 1
    elif event == "BundleQuarantined":
        story.quarantined[str(body["reason"])] += 1
    elif event == "RunStarted":
        story.world = str(body["world"])
    elif event == "RunEnded":
        story.ended = str(body["outcome"])


def _take_session(story: Story, t: int, client: str, state: str, reason: str) -> None:
    story.sessions[(state, reason)] += 1
    story.clients.setdefault(client, Counter())[state] += 1
    if state in ("refused", "dropped"):  # a session that opens or closes in order is no news
        story._add(Entry(t, "session", state, client, reason))
