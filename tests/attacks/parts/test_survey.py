"""What a listener learns from published telegrams, against what their publishers say they are."""

from __future__ import annotations

import pytest

from attacks.parts.survey import Survey
from sim.core.bundle import Heard
from tests.wmbus.published import Published, telegrams
from wmbus.errors import BadTelegram
from wmbus.telegram import parse


def parsed() -> list[Published]:
    found = []
    for one in telegrams():
        try:
            parse(one.frame)
        except BadTelegram:
            continue
        found.append(one)
    return found


READABLE = parsed()


@pytest.mark.parametrize("one", READABLE, ids=str)
def test_address_and_maker_stand_in_clear(one: Published) -> None:
    known = Survey().note(Heard(one.frame, 5, -70.0))
    assert known is not None
    ids = (one.record["id"], one.record["tpl_id"])
    assert any(id_ and id_.lower() in known.address.lower() for id_ in ids)
    assert known.maker in known.address


@pytest.mark.parametrize(("mode", "security"), [(0, "none"), (5, "mode5"), (7, "mode7")])
def test_the_configuration_word_tells_the_security_mode(mode: int, security: str) -> None:
    seen = [one for one in READABLE if one.record["mode"] == mode and one.record["ell"] in (None, "CI 8C")]
    assert len(seen) > 10
    for one in seen:
        known = Survey().note(Heard(one.frame, 5, -70.0))
        assert known is not None
        assert known.security == security, one


def test_noise_is_counted_and_leads_to_no_meter() -> None:
    survey = Survey()
    assert survey.note(Heard(b"\x00\x01\x02", 5, -70.0)) is None
    assert survey.note(Heard(b"", 6, -70.0)) is None
    assert (survey.telegrams, survey.unreadable, survey.meters) == (2, 2, {})


def test_interval_and_strength_are_means_over_what_was_heard() -> None:
    survey = Survey()
    frame = READABLE[0].frame
    for number, rssi_dbm in enumerate((-60.0, -70.0, -80.0)):
        survey.note(Heard(frame, number * 30_000_000_000, rssi_dbm))
    (known,) = survey.meters.values()
    assert known.heard == 3
    assert known.interval_s == 30.0
    assert known.rssi_dbm == -70.0
    assert [h.rssi_dbm for h in known.recordings] == [-60.0, -70.0, -80.0]


def test_one_telegram_has_no_interval() -> None:
    survey = Survey()
    known = survey.note(Heard(READABLE[0].frame, 0, -60.0))
    assert known is not None
    assert known.interval_s == float("inf")


def test_only_the_last_recordings_are_kept() -> None:
    survey = Survey(keep=2)
    for number in range(5):
        survey.note(Heard(READABLE[0].frame, number, -60.0))
    (known,) = survey.meters.values()
    assert [h.received_ns for h in known.recordings] == [3, 4]
    assert known.heard == 5


def test_targets_are_chosen_by_strength_pace_and_maker() -> None:
    survey = Survey()
    mode5 = {one.frame[2:10]: one for one in READABLE if one.record["mode"] == 5 and one.record["ell"] is None}
    chosen = list(mode5.values())[:6]
    for place, one in enumerate(chosen):
        for number in range(2 + place % 2):
            survey.note(Heard(one.frame, number * (place + 1) * 1_000_000_000, -50.0 - place))
    loud = survey.loudest("mode5")
    assert [m.rssi_dbm for m in loud] == sorted((m.rssi_dbm for m in loud), reverse=True)
    assert all(m.heard >= 3 for m in survey.loudest("mode5", least=3))
    maker = loud[-1].maker
    assert {m.maker for m in survey.loudest("mode5", makers=(maker,))} == {maker}
    fast = survey.fastest("mode5")
    assert [m.interval_s for m in fast] == sorted(m.interval_s for m in fast)
    assert survey.loudest("mode7") == []
