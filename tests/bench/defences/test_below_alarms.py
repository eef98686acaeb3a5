"""What stays below each alarm: the pace that is found raises nothing, the next one does, and a deaf alarm is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.defences.below_alarms import QUIET, Quiet, below, most_unnoticed, raises
from sim.portal.alarm import alarm_ids
from sim.portal.alarms.twin import Twin

BY_PACE = {quiet.pace: quiet for quiet in QUIET}
LOGINS, CLOCK = BY_PACE["logins in a quarter of an hour"], BY_PACE["seconds that a gateway's clock is off"]


@pytest.mark.parametrize(
    ("pace", "alone", "with_all"),
    [
        ("telegrams of a meter in a row", 3, 1),
        ("of a day's 96 telegrams, spread evenly", 49, 49),
        ("telegrams replayed or forged that are refused", 0, 0),
        ("logins in a quarter of an hour", 3, 3),
        ("units more at the set date", 0, 0),
        ("seconds that a gateway's clock is off", 150, 150),
    ],
)
def test_the_pace_found_is_the_last_that_raises_nothing(pace: str, alone: int, with_all: int) -> None:
    quiet = BY_PACE[pace]
    found = below(quiet)
    assert (found.alone, found.with_all) == (alone, with_all)
    assert not raises(quiet, alone, [quiet.alarm]) and raises(quiet, alone + 1, [quiet.alarm])


def test_an_alarm_that_hears_nothing_lets_every_pace_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "born", lambda *_: None)
    assert most_unnoticed(replace(LOGINS, days=2), ["twin"]) == LOGINS.most


def test_every_alarm_with_a_threshold_has_an_attacker_below_it() -> None:
    """Those without have none to be below: one complaint, announcement or foreign acknowledgement is the alarm."""
    without_threshold = {"tamper", "onboarding", "custody"}
    assert {quiet.alarm for quiet in QUIET} == set(alarm_ids()) - without_threshold


def test_an_alarm_without_an_attack_is_an_error() -> None:
    deaf = Quiet("clock", "x", 3, float, str, acts=lambda pace, shown: CLOCK.acts(2_000, shown))
    with pytest.raises(RuntimeError, match="an alarm without an attack"):
        most_unnoticed(deaf, ["clock"])
