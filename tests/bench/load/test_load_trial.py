"""Small loads through a real broker to a real portal hold; with a defect put in, the sentence breaks by name."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.load import accounts as room
from bench.load import generator, load_trial
from bench.load.brokers import OwnBroker
from bench.load.fleet_bundles import FleetBundles, Sent
from bench.load.load_trial import Stand
from bench.load.processes import Watch
from bench.load.sentence import Sentence
from bench.load.shapes.port import SHAPES
from sim.core.bundle import Bundle
from sim.core.clock import wall_sleep
from sim.endpoint.port import EndpointError, Message
from sim.endpoint.session import MqttSession
from sim.gateway.in_flight import InFlight
from sim.portal.portal import Portal
from sim.portal.store.sqlite import SqliteStore
from sim.portal.store_port import Reading
from tests.bench.load.load_stand import NEEDS_C_CLIENT, SENT, stand
from wmbus.telegram import parse


@pytest.mark.parametrize("shape", SHAPES.parts())
def test_a_small_load_of_every_shape_holds(shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand(monkeypatch, tmp_path, shape=shape, workers=2, takers=3 * (shape == "fan-in")) as made:
        found = made.trial(20.0)
    assert found.broken == (), found.as_json(20.0)
    assert (found.accounts.lost, found.accounts.doubled, found.accounts.liars) == (0, 0, 0)
    assert found.accounts.due == found.accounts.timely(20.0) == found.accounts.latencies.total
    assert found.accounts.due == 3 * len(made.setting.shape.schedule(made.setting.load(20.0)))
    if shape != "fan-in":
        assert found.readings == found.accounts.due and found.store_bytes > 0
    if shape == "reconnect-storm":
        assert found.up_s > 0
    assert {"broker", "machine", "generator 1", "generator 2"} <= set(found.used)


def test_of_thousands_each_is_stored_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So many that one in a thousand is among them."""
    with stand(monkeypatch, tmp_path, sent=Sent(gateways=4, telegrams=60)) as made:
        found = made.trial(40.0)
    assert found.broken == () and found.accounts.reasons == {}
    assert found.readings == found.accounts.due == 2_400


@pytest.mark.parametrize("shape", ["burst", "steady"])
def test_no_reading_of_a_long_trial_is_refused(shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After some 50 telegrams the first meters wander farther from their interval than clocks may differ."""
    with stand(monkeypatch, tmp_path, shape=shape, sent=Sent(gateways=2, telegrams=5)) as made:
        found = made.trial(260.0)
    assert found.broken == () and found.accounts.reasons == {}
    assert found.readings == found.accounts.due == 1_300


def programs(pids: Sequence[int]) -> list[str]:
    """What these processes are."""
    return [Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() for pid in pids]


@NEEDS_C_CLIENT
def test_clients_in_c_offer_the_same_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of them is counted as the generator, and the broker as itself."""
    watched: list[dict[str, list[str]]] = []

    class Noted(Watch):
        def __post_init__(self) -> None:
            super().__post_init__()
            watched.append({group: programs(pids) for group, pids in self.groups.items()})

    monkeypatch.setattr(load_trial, "Watch", Noted)
    with stand(monkeypatch, tmp_path) as made:
        found = made.trial(20.0, driver="c")
    assert found.broken == () and found.driver == "c" and found.readings == found.accounts.due == 60
    (groups,) = watched
    assert groups["generator 1"].count("mosquitto_pub") == SENT.gateways and groups["broker"] == ["mosquitto"]


def test_a_second_trial_begins_with_nothing_of_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand(monkeypatch, tmp_path) as made:
        found = [made.trial(20.0), made.trial(20.0)]
    assert [one.readings for one in found] == [60, 60]
    assert not list(tmp_path.glob("trial-*"))


# --- defects ---------------------------------------------------------------------------------------------------


def nothing_of(gateway: int, sequence: int) -> Callable[[MqttSession, Message], None]:
    """A broker that never delivers one bundle of many, however often it is published."""
    original = MqttSession.take

    def take(self: MqttSession, message: Message) -> None:
        head = f'"gw":"gw{gateway}","seq":{sequence},'.encode()
        if not (message.topic.endswith("/up") and head in message.payload[:80]):
            original(self, message)

    return take


def test_a_broker_that_drops_one_bundle_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(MqttSession, "take", nothing_of(2, 3))
    with stand(monkeypatch, tmp_path, sentence=Sentence(within_s=4.0)) as made:
        found = made.trial(40.0)
    assert any(" lost, not at most 0" in clause for clause in found.broken)
    assert sum(found.accounts.reasons.values()) == found.accounts.lost >= 3
    # How far the gateway had come with publishing it again: put aside at last.
    assert set(found.accounts.reasons) & {room.PUT_ASIDE, room.NOT_DELIVERED, room.NOT_ACCEPTED}
    assert "gw2" in {one["gateway"] for one in found.accounts.devices if one["lost"]}


def test_a_delayed_portal_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original = Portal.take

    def late(self: Portal, messages: Sequence[Message], now_ns: int) -> list[Message]:
        wall_sleep(1.0)
        return original(self, messages, now_ns)

    with stand(monkeypatch, tmp_path, sentence=Sentence(within_s=0.9)) as made:
        made.trial(8.0)  # the portal is warm
        monkeypatch.setattr(Portal, "take", late)
        found = made.trial(20.0)
    assert any("within 0.9 s" in clause for clause in found.broken)
    assert set(found.accounts.stale) | set(found.accounts.reasons) <= {"way", "portal", room.NOT_STORED,
                                                                     room.NOT_DELIVERED}  # fmt: skip
    assert found.late_by_itself(0.9) == ""


def test_a_portal_that_acknowledges_and_does_not_store_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = SqliteStore.add_readings

    def all_but_the_first(self: SqliteStore, rows: Sequence[Reading]) -> None:
        original(self, rows[1:])

    monkeypatch.setattr(SqliteStore, "add_readings", all_but_the_first)
    with stand(monkeypatch, tmp_path) as made:
        found = made.trial(20.0)
    assert found.accounts.lost > 0 and found.accounts.reasons == {room.GONE: found.accounts.lost}
    assert found.accounts.timely(20.0) == found.accounts.due - found.accounts.lost


def test_a_portal_that_stores_twice_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original = SqliteStore.add_readings
    monkeypatch.setattr(SqliteStore, "add_readings", lambda self, rows: original(self, [*rows, *rows]))
    with stand(monkeypatch, tmp_path) as made:
        found = made.trial(20.0)
    assert found.broken == ("60 doubled, not at most 0",)


def test_a_generator_that_is_late_hides_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It stands still for a second before it publishes: no bundle is sent late by its own account of sending, and yet
    each reading's time runs from when it was due."""
    from bench.load.generator import Sessions

    original, stood = Sessions.publish, []

    def stands_still(self: Sessions, row: int) -> None:
        if not stood:
            stood.append(wall_sleep(1.2))
        original(self, row)

    monkeypatch.setattr(Sessions, "publish", stands_still)
    monkeypatch.setattr(load_trial, "PATIENCE_S", 20.0)
    with stand(monkeypatch, tmp_path, sentence=Sentence(within_s=1.0)) as made:
        found = made.trial(40.0)
    assert not found.holds and "1 of 100 bundles was published" in found.late_by_itself(1.0)
    assert found.accounts.lost == 0 and found.readings == found.accounts.due == 120  # late, and none left out


def test_a_generator_that_publishes_before_the_time_is_a_liar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original = generator._offer

    def early(pipe: Any, order: Any, offering: Any, told: Any, begin_s: float) -> None:
        original(pipe, order, offering, told, begin_s - 0.5)

    monkeypatch.setattr(generator, "_offer", early)
    with stand(monkeypatch, tmp_path) as made:
        found = made.trial(20.0)
    assert found.accounts.liars > 0 and "before the generator says" in found.late_by_itself(20.0)


def test_a_gateway_without_custody_loses_what_a_power_cut_took(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was published and not yet acknowledged goes out again: without that rule readings are lost."""
    monkeypatch.setattr(InFlight, "connection_ended", lambda self: self._published.clear())
    original = MqttSession.take
    with stand(monkeypatch, tmp_path, shape="reconnect-storm", sentence=Sentence(within_s=2.0)) as made:

        def deaf_at_first(self: MqttSession, message: Message) -> None:
            """Of what is published before the power fails, the portal gets nothing."""
            if not message.topic.endswith("/up") or b'"seq":1,' not in message.payload[:60]:
                original(self, message)

        monkeypatch.setattr(MqttSession, "take", deaf_at_first)
        found = made.trial(20.0)
    assert found.accounts.lost > 0 and not found.holds


# --- a broker that ends ----------------------------------------------------------------------------------------


def killing(made: Stand, after: int) -> Callable[[Watch], None]:
    """SIGKILL for the broker at the controller's look of this number."""
    original, looks = Watch.look, 0

    def look(self: Watch) -> None:
        nonlocal looks
        looks += 1
        if looks == after:
            os.kill(made.broker.processes()["broker"], signal.SIGKILL)
        original(self)

    return look


def test_a_broker_that_dies_is_named_and_what_was_measured_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with stand(monkeypatch, tmp_path, seconds_s=2.0) as made:
        monkeypatch.setattr(Watch, "look", killing(made, 50))
        found = made.trial(20.0)
    assert "the broker process ended" in found.died and found.broken[0].startswith("the broker died: ")
    assert 0 < found.accounts.timely(20.0) < found.accounts.due
    assert found.accounts.lost + found.accounts.timely(20.0) == found.accounts.due


def test_a_broker_that_dies_before_anything_is_due_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And not after a minute in which no gateway gets a session."""
    start = OwnBroker.start

    def start_and_die(self: OwnBroker, directory: Path) -> None:
        start(self, directory)
        os.kill(self.processes()["broker"], signal.SIGKILL)
        while not self.died():
            wall_sleep(0.01)

    monkeypatch.setattr(OwnBroker, "start", start_and_die)
    monkeypatch.setattr(generator, "CONNECT_S", 1.0)  # for the thread that stands in for a process here
    with (
        stand(monkeypatch, tmp_path) as made,
        pytest.raises(EndpointError, match="the broker died before anything was due: the broker process ended"),
    ):
        made.trial(20.0)


# --- what is sent ----------------------------------------------------------------------------------------------


def test_a_load_is_made_of_real_telegrams_of_every_meter() -> None:
    bundles = FleetBundles(Sent(gateways=3, telegrams=5))
    bodies = bundles.payloads(np.array([1, 1, 2]), np.array([1, 2, 1]))
    seen: dict[str, set[bytes]] = {}
    for gateway, sequence, body in zip("112", "121", bodies, strict=True):
        one = Bundle.decode(body)
        assert (one.gateway, one.sequence, len(one.heard)) == (f"gw{gateway}", int(sequence), 5)
        assert [heard.received_ns for heard in one.heard] == sorted(heard.received_ns for heard in one.heard)
        assert one.heard[-1].received_ns < one.closed_ns
        for heard in one.heard:
            seen.setdefault(str(parse(heard.telegram).address), set()).add(heard.telegram)
    assert {meter: len(telegrams) for meter, telegrams in seen.items()} == {
        **dict.fromkeys(bundles.meters[5:10], 2), **dict.fromkeys(bundles.meters[10:], 1),
    }  # fmt: skip


def test_a_bundle_is_closed_when_its_last_telegram_was_heard() -> None:
    """Of every number in a cycle of access numbers, over which meters wander by two intervals, and the next."""
    bundles = FleetBundles(Sent(gateways=3, telegrams=40))
    meter = np.arange(bundles.fleet.n)
    closed = [bundles.closed_ns(sequence) for sequence in range(1, 400)]
    heard = [bundles.fleet.starts(meter, np.full(len(meter), sequence - 1)) for sequence in range(1, 400)]
    assert all((starts < end).all() for starts, end in zip(heard, closed, strict=True))
    assert all((starts > end - 7 * 900 * 10**9).all() for starts, end in zip(heard, closed, strict=True))
    assert closed == sorted(closed)
