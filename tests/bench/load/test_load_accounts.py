"""What becomes of each reading, from made-up witnesses: every reason once, and which resource was full."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bench.load import accounts as room
from bench.load.accounts import accounts
from bench.load.growth import bytes_a_reading, growth
from bench.load.load_orders import Generated, Stored
from bench.load.processes import Used
from bench.load.resources import full_and_next, resources
from bench.load.schedule import Schedule
from bench.load.sentence import Sentence

NAN = float("nan")
BEGIN_S = 1_000.0
NAMES = [f"m{gateway}{at}" for gateway in range(3) for at in range(2)]


def schedule(gateways: list[int], due_s: list[float]) -> Schedule:
    seen: Counter[int] = Counter()
    numbers = []
    for gateway in gateways:
        seen[gateway] += 1
        numbers.append(seen[gateway])
    return Schedule(np.array(gateways), np.array(numbers), np.array(due_s))


def witnesses(handled: list[float], sent: list[float], arrived: list[float], committed: list[float]) -> tuple[
    Generated, Stored
]:  # fmt: skip
    at = [BEGIN_S + np.array(one) for one in (handled, sent, arrived, committed)]
    told = Generated(np.arange(len(handled)), at[0], at[1])
    return told, Stored(at[2], at[3], np.zeros(6, dtype=np.int64), np.zeros(6, dtype=np.int64))


def test_every_reading_that_is_lost_has_its_reason() -> None:
    due = schedule([0, 0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 0.5, 1.5, 0.25])
    told, stored = witnesses(
        handled=[0, 1, 2, NAN, 0.5, 1.5, 0.25],
        sent=[0, 1, 2, NAN, 0.5, NAN, NAN],
        arrived=[0.1, NAN, NAN, NAN, 0.6, NAN, NAN],
        committed=[0.2, NAN, NAN, NAN, NAN, NAN, NAN],
    )
    told.unaccepted = {0: 1}
    told.without_session = {2}
    stored.distinct[:] = [1, 1, 0, 0, 0, 0]
    found = accounts(due, 2, BEGIN_S, [told], stored, NAMES, 5.0)
    assert found.reasons == {
        room.NOT_DELIVERED: 2, room.NOT_ACCEPTED: 2, room.NOT_HANDLED: 2, room.NOT_STORED: 2, room.NO_ROOM: 2,
        room.NO_SESSION: 2,
    }  # fmt: skip
    assert (found.due, found.lost, found.timely(5.0), found.liars) == (14, 12, 2, 0)
    assert sum(found.reasons.values()) == found.lost
    first = found.devices[0]
    assert (first["meter"], first["lost"], first["reason"]) == ("m00", 3, room.NOT_DELIVERED)


def test_what_was_acknowledged_and_is_not_in_the_store_is_lost() -> None:
    due = schedule([0, 1], [0, 0])
    told, stored = witnesses([0, 0], [0, 0], [0.1, 0.1], [0.2, 0.2])
    stored.distinct[:] = [1, 0, 1, 0, 0, 0]
    stored.refused = {"late": np.array([0, 0, 0, 1, 0, 0])}
    found = accounts(due, 2, BEGIN_S, [told], stored, NAMES, 5.0)
    assert found.reasons == {room.GONE: 1, "refused by the portal: late": 1}
    assert (found.lost, found.missing, found.timely(5.0)) == (2, 2, 2)
    assert {one["meter"]: one["reason"] for one in found.devices} == {
        "m01": room.GONE, "m11": "refused by the portal: late",
    }  # fmt: skip


def test_a_stale_reading_is_charged_to_the_stage_that_took_most() -> None:
    """One bundle of ten is the generator's, two are the gateways', three the way's, four the portal's."""
    due = schedule([0] * 4 + [1] * 3 + [2] * 3, [0.0] * 10)
    told, stored = witnesses(
        handled=[6] + [0] * 9, sent=[6] + [7] * 2 + [0] * 7, arrived=[6] + [7] * 2 + [8] * 3 + [0] * 4,
        committed=[6] + [7] * 2 + [8] * 3 + [9] * 4,
    )  # fmt: skip
    stored.distinct[:] = [4, 4, 3, 3, 3, 3]
    found = accounts(due, 2, BEGIN_S, [told], stored, NAMES, 5.0)
    assert found.stale == {"generator": 2, "gateway": 4, "way": 6, "portal": 8}
    assert found.timely(5.0) == 0 and found.lost == 0
    assert found.own.percentile_s(100) == pytest.approx(6.0, rel=0.001)  # from due, not from sent
    assert found.stages_s == {"generator": 0.6, "gateway": 1.4, "way": 2.4, "portal": 3.6}


@pytest.mark.parametrize(("sent", "arrived"), [(-0.5, 0.5), (1.0, 0.5)])
def test_times_that_cannot_be_are_found(sent: float, arrived: float) -> None:
    told, stored = witnesses([0.0], [sent], [arrived], [2.0])
    assert accounts(schedule([0], [0]), 2, BEGIN_S, [told], stored, NAMES, 5.0).liars == 1


def test_each_clause_of_the_sentence_can_break() -> None:
    due = schedule([0], [0])
    told, stored = witnesses([0], [0], [0.1], [0.2])
    stored.distinct[:2] = 1
    found = accounts(due, 2, BEGIN_S, [told], stored, NAMES, 5.0)
    assert Sentence().broken(found) == []
    assert Sentence(within_s=0.1).broken(found) == ["0.000 % within 0.1 s, not 99 %"]
    stored.doubled[0] = 1
    found = accounts(due, 2, BEGIN_S, [told], stored, NAMES, 5.0)
    assert Sentence().broken(found) == ["1 doubled, not at most 0"]
    assert Sentence(doubled=None).broken(found) == [] == Sentence(doubled=1).broken(found)
    found.lost, found.doubled, found.discarded = 3, 0, 2
    assert [words.split(",")[0] for words in Sentence().broken(found)] == [
        "3 lost", "2 publishes discarded by a quota",
    ]  # fmt: skip
    found.due = 0
    assert Sentence().broken(found) == ["no reading was due"]


def ranked(quotas: Counter[tuple[str, str]] | None = None, link: float | None = None, **cores: float) -> list[str]:
    used = {name.replace("_", " "): Used(core, 0.0, 0) for name, core in cores.items()}
    found = resources(
        100.0, used, 2, disk=0.02, in_flight=3.2, discarded=quotas or Counter(), bytes_per_s=1e6, link_bytes_per_s=link
    )
    full, next_ = full_and_next(found)
    return [full.id if full else "", next_.id if next_ else ""]


def test_the_fullest_resource_is_named_and_the_next_one() -> None:
    assert ranked(broker=0.97, portal=0.4, machine=1.5) == ["broker", "machine"]
    assert ranked(broker=0.3, portal=0.99, machine=1.4) == ["portal", "machine"]
    assert ranked(broker=0.3, portal=0.5, machine=1.99) == ["machine", "portal"]
    assert ranked(broker=0.3, portal=0.5, machine=1.2) == ["", "machine"]
    assert ranked(broker=0.3, portal=0.5, machine=1.2, link=1.05e6) == ["link", "machine"]
    assert ranked(Counter({("publish-rate", "gw0"): 3}), broker=0.3, machine=1.0) == ["quota publish-rate", "machine"]


def test_what_the_generator_takes_is_no_resource_of_the_system() -> None:
    assert ranked(broker=0.3, generator_1=0.99, machine=1.3)[0] == ""


def test_the_store_grows_by_what_one_more_reading_adds() -> None:
    assert bytes_a_reading([(100, 90_000), (1_100, 490_000), (600, 300_000)]) == 400
    assert bytes_a_reading([(100, 40_000), (120, 50_000)]) == pytest.approx(50_000 / 120)
    assert bytes_a_reading([(0, 5_000)]) is None
    month = growth(400.0, 10.0, 900.0)
    assert month["gb_a_month"] == pytest.approx(400 * 10 * 86_400 * 30.4375 / 1e9)
    year = month["kept"][1]
    assert year["all_gb"] == pytest.approx(13 * month["gb_a_month"])
    assert year["one_a_day_gb"] == pytest.approx(month["gb_a_month"] * (1 + 12 / 96))
