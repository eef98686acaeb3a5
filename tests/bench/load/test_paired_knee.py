"""The ratio of two knees that the portal's processor sets: from pairs of takes, whatever speed the processor has; a
real difference moves it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.load import load_text, paired_knee, paired_process, paired_trial
from bench.load.brokers import OwnBroker
from bench.load.fleet_bundles import Sent
from bench.load.load_orders import Driver
from bench.load.load_trial import Stand
from bench.load.paired_orders import Round, Taken
from bench.load.paired_trial import PairedTrials
from bench.run_errors import CannotRun
from reports import load_page
from sim.endpoint.port import EndpointError, Message
from sim.gateway.in_flight import WINDOW
from sim.portal.portal import Portal
from tests.bench.load.load_stand import NEEDS_C_CLIENT, Threaded, stand
from tests.bench.load.test_load_command import outcome, told

TAKE_S, UNIT_S = 0.1, 0.004


def taken_in_turn(seed: int, *, ours: float = 1.0, by_c: float = 1.0, pairs: int = 60, size: int = 200) -> list[Round]:
    """A round on a processor that changes between two speeds, 1.6 apart, now and then within a take; one take of twelve
    has a garbage collection in it. The sides' takes are so many times as dear."""
    draw = random.Random(seed)
    told_: dict[Driver, Taken] = {"ours": Taken(), "c": Taken()}
    slow, before_s = 1.0, UNIT_S
    for at in range(pairs):
        for side in paired_process.in_turn(at):
            then = draw.choice([1.0, 1.6]) if draw.random() < 0.2 else slow
            spent_s = TAKE_S * (ours if side == "ours" else by_c) * (slow + then) / 2 * draw.uniform(0.95, 1.05)
            slow, after_s = then, UNIT_S * then * draw.uniform(0.97, 1.03)
            told_[side].each_take.append((spent_s + 0.09 * (draw.random() < 1 / 12), (before_s + after_s) / 2))
            before_s = after_s
    return [Round(told_["ours"], told_["c"], size)]


def test_five_runs_have_a_ratio_with_its_interval() -> None:
    found = paired_knee.answer([taken_in_turn(seed) for seed in range(5)])
    assert found is not None and found["runs"] == len(found["ratios"]) == 5 and found["pairs"] == 300
    assert found["ratio"] == pytest.approx(1.0, abs=0.02) and found["interval"] < 0.5 * paired_knee.INTERVAL_MOST
    assert found["yardstick_ms"]["most"] > 1.5 * found["yardstick_ms"]["least"]
    raw = [one.ours.each_take[at][0] for (one,) in map(taken_in_turn, range(5)) for at in range(60)]
    assert max(raw) > 1.5 * min(raw)  # and yet


@pytest.mark.parametrize(("dearer", "ratio"), [(1.2, 1.2), (1.1, 1.1), (0.6, 0.6)])
def test_a_portal_that_works_harder_for_one_of_the_two_moves_it(dearer: float, ratio: float) -> None:
    """A fifth more for each bundle of theirs; bundles of theirs that are half as large. And of ours, the other way."""
    by_c = paired_knee.answer([taken_in_turn(seed, by_c=dearer) for seed in range(5)])
    ours = paired_knee.answer([taken_in_turn(seed, ours=dearer) for seed in range(5)])
    assert by_c is not None and by_c["ratio"] == pytest.approx(ratio, rel=0.03)
    assert ours is not None and ours["ratio"] == pytest.approx(1 / ratio, rel=0.03)
    assert by_c["ms_a_bundle_by_c"] == pytest.approx(by_c["ms_a_bundle"] * ratio, rel=0.03)
    assert by_c["interval"] < paired_knee.INTERVAL_MOST and ours["interval"] < paired_knee.INTERVAL_MOST


def test_a_run_that_is_unlike_the_others_widens_the_interval() -> None:
    runs = [*(taken_in_turn(seed) for seed in range(4)), taken_in_turn(4, by_c=1.2)]
    found = paired_knee.answer(runs)
    assert found is not None and found["interval"] > 1.5 * paired_knee.INTERVAL_MOST
    assert "too wide to quote" in "\n".join(load_text.in_pairs(found))


def test_costs_are_those_of_a_processor_of_one_speed() -> None:
    fast, slow = (
        Round(*(Taken([(unit_s * 25, unit_s)] * 6) for _ in "ab"), 200) for unit_s in (0.004, 0.0064)
    )  # fmt: skip
    both = [paired_knee.answer([[one]]) for one in (fast, slow)]
    assert [one["ms_a_bundle"] for one in both if one] == [0.625, 0.625]  # 25 times 5 ms, of 200
    assert [one["full_at_per_s"] for one in both if one] == [1_600.0, 1_600.0]


def test_too_few_pairs_tell_nothing() -> None:
    assert paired_knee.answer([]) is None and paired_knee.answer([[]]) is None
    assert paired_knee.answer([taken_in_turn(1, pairs=paired_knee.PAIRS_LEAST - 1)]) is None
    assert "too few" in paired_knee.words([])
    assert "of the clients in C" in paired_knee.words(taken_in_turn(1))


def test_words_and_page_tell_it() -> None:
    answer = told(outcome(100.0, holds=True))
    answer["paired"] = paired_knee.answer([taken_in_turn(seed, by_c=1.2) for seed in range(3)])
    text, page = "\n".join(load_text.in_words(answer)), load_page.render(answer)
    assert "180 pairs of full takes" in text and "over 3 runs: interval" in text and "ours is full at 1." in text
    assert "too wide" not in text
    assert "Taken in turn" in page and "over 3 runs the ratio" in page
    answer |= {"paired": None, "not_paired": "the <broker> died"}
    assert "taken in turn: the <broker> died" in "\n".join(load_text.in_words(answer))
    assert "the &lt;broker&gt; died" in load_page.render(answer)


# --- real rounds -----------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Four gateways that bring six takes of forty bundles."""
    monkeypatch.setattr(paired_trial, "TAKE_MOST", 40)
    monkeypatch.setattr(paired_trial, "Spawned", Threaded)
    monkeypatch.setattr(paired_process, "PASSES", 2)
    return Sent(gateways=4, telegrams=2)


def test_each_gateway_brings_what_it_may_have_in_flight(small: Sent) -> None:
    made = paired_trial.schedule_of(small)
    assert len(made) == 240 <= small.gateways * WINDOW and int(made.sequence.max()) <= WINDOW
    assert sorted(made.due_s) == list(made.due_s) and made.gateway[:5].tolist() == [0, 1, 2, 3, 0]
    assert paired_trial.takes_of(paired_trial.gateways_least()) >= paired_trial.TAKES_LEAST
    assert paired_trial.takes_of(paired_trial.gateways_least() - 1) < paired_trial.TAKES_LEAST
    assert paired_trial.takes_of(5_000) == paired_trial.TAKES_MOST


@NEEDS_C_CLIENT
def test_a_round_takes_the_same_bundles_of_both_in_turn(
    small: Sent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken: list[tuple[str, list[bytes]]] = []
    original = Portal.take

    def noted(self: Portal, messages: Sequence[Message], now_ns: int) -> list[Message]:
        taken.append((str(self.store.name), [one.payload for one in messages]))
        return original(self, messages, now_ns)

    with stand(monkeypatch, tmp_path, sent=small) as made, PairedTrials(made) as paired:
        monkeypatch.setattr(Portal, "take", noted)
        found = paired.round(0)
    assert found.take_most == 40
    for side in (found.ours, found.by_c):
        assert len(side.each_take) == 2 * 5  # the first of each store is left out
        assert side.stored == side.due == 2 * 6 * 40 * small.telegrams
    sizes = [len(bodies) for _, bodies in taken[-24:]]
    assert sizes == [40] * 24
    sides = ["ours" if "ours" in place else "c" for place, _ in taken[-24:]]
    assert sides[:6] == ["ours", "c", "c", "ours", "ours", "c"]
    bodies = {side: {one for at, some in zip(sides, taken[-24:], strict=True) if at == side for one in some[1]}
              for side in ("ours", "c")}  # fmt: skip
    assert bodies["ours"] == bodies["c"] and len(bodies["c"]) == 240
    assert not list(tmp_path.glob("pairs-*"))


@NEEDS_C_CLIENT
def test_what_the_portal_refuses_is_no_pair(small: Sent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original = Portal.take

    def behind(self: Portal, messages: Sequence[Message], now_ns: int) -> list[Message]:
        return original(self, messages, now_ns // 100)

    with stand(monkeypatch, tmp_path, sent=small) as made, PairedTrials(made) as paired:
        monkeypatch.setattr(Portal, "take", behind)
        with pytest.raises(CannotRun, match=r"the portal stored \d+ of 960 readings of ours, so its takes are no pair"):
            paired.round(0)


def test_bundles_that_do_not_come_are_no_pair() -> None:
    nothing: dict[Driver, Taken] = {"ours": Taken(), "c": Taken()}
    with pytest.raises(CannotRun, match="240 bundles of ours and 3 of the clients in C came: of both too few"):
        paired_trial.whole({"ours": 240, "c": 3}, nothing)


def test_a_broker_that_dies_in_a_round_is_named(small: Sent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    await_all = PairedTrials._await_all

    def dies(self: PairedTrials) -> None:
        broker: Any = self.stand.broker
        broker._endpoint.stop()
        await_all(self)

    monkeypatch.setattr(PairedTrials, "_await_all", dies)
    monkeypatch.setattr(OwnBroker, "died", lambda self: "" if self.processes() else "the broker process ended")
    with (
        stand(monkeypatch, tmp_path, sent=small) as made,
        PairedTrials(made) as paired,
        pytest.raises(EndpointError, match="the broker died while bundles came: the broker process ended"),
    ):
        paired.round(0)


def test_a_search_goes_on_where_pairs_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.load import knee_run
    from bench.load.knee import Knee
    from bench.load.knee_run import Asked, Searched

    class Broken:
        def __init__(self, stand: Stand) -> None: ...

        def __enter__(self) -> Broken:
            return self

        def __exit__(self, *_: object) -> None: ...

        def round(self, number: int) -> Round:
            if number:
                raise CannotRun("the second is too much")
            return taken_in_turn(1)[0]

    monkeypatch.setattr(knee_run, "PairedTrials", Broken)
    out, said = Searched(1, Knee(None, None), [], []), []
    asked: Any = type("Asked", (), {"pairs": 3})
    stand_: Any = None
    assert Asked.__dataclass_fields__["pairs"].default == 0
    knee_run._paired(asked, stand_, out, said.append)
    assert (len(out.rounds), out.not_paired) == (1, "the second is too much") and len(said) == 2
