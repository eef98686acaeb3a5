"""What a shot left in the portal's table: a record that says something else, or the same once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks.attack import Landed
from attacks.parts import sent_frames
from attacks.parts.sent_frames import Shot, outcomes_of, published
from sim.core.clock import NS_PER_S
from sim.portal.store import Reading
from sim.truth.ground_truth import fingerprint
from sim.world import World
from tests.small_worlds import dozen


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[tuple[World, bytes, Reading]]:
    """A world, a telegram of mode 5, and the portal's genuine reading of it."""
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        telegrams: dict[str, bytes] = {}
        keep = telegrams.setdefault
        world.air.taps.append(lambda emission, *_: keep(fingerprint(emission.telegram), emission.telegram))
        world.run(180 * NS_PER_S)
        row = next(row for row in world.truth.readings if row.security == "mode5" and row.fingerprint in telegrams)
        yield world, telegrams[row.fingerprint], row


@pytest.mark.parametrize(
    ("said", "original", "figures"),
    [
        ({}, True, (0, 1)),
        ({"meter_time": "2026-01-01T00:00", "acc": 7, "fingerprint": "0"}, True, (0, 1)),
        ({"status": 0x10}, True, (1, 0)),
        ({"units": 4_711, "volume_m3": 4_711.0}, True, (1, 0)),
        ({}, False, (1, 0)),  # of a meter that nobody has heard: there was no such record
    ],
)
def test_what_says_the_same_once_more_is_no_changed_record(
    heard: tuple[World, bytes, Reading], monkeypatch: pytest.MonkeyPatch, said: dict[str, object], original: bool,
    figures: tuple[int, int],
) -> None:  # fmt: skip
    world, telegram, row = heard
    stored = row._replace(**said)  # type: ignore[arg-type]
    of = telegram if original else b""
    shot = Shot("v", "mode5", row.meter, published(telegram, "gw-0001", 1), of)
    came = Landed(row.meter, 1, of, telegram, (("gw-0001", 1),), (), (stored,))
    monkeypatch.setattr(sent_frames, "landed", lambda shot, truth: came)
    (outcome,) = outcomes_of([shot], world.truth)
    assert outcome.achieved == 1
    assert (outcome.evidence["records changed"], outcome.evidence["stored again"]) == figures
