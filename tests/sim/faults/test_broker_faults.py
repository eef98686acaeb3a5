"""Outages of the broker: each is seen by its effect, ends, and loses nothing. One that does nothing is red."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.rig.checks import faults_witnessed
from sim.core.clock import NS_PER_S
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.faults import _broker, broker_full, broker_refuses, broker_slow
from sim.faults._broker import Way
from sim.faults.broker_down import BrokerDown
from sim.faults.broker_full import BrokerFull
from sim.faults.broker_refuses import BrokerRefuses
from sim.faults.broker_slow import BrokerSlow
from sim.faults.port import AnyFault
from sim.network.paths import Paths
from sim.truth.ground_truth import Truth
from sim.truth.ledger import Sent, gateway_bit
from sim.world import World
from tests.sim.faults.test_faults import MINUTE, nothing_lost
from tests.small_worlds import dozen

WELL = Way(pid=7, answers=True, sessions=2, arrived=10, waiting=0)
GONE = Way(pid=None, answers=False, sessions=0, arrived=10, waiting=0)
BACK = Way(pid=8, answers=True, sessions=2, arrived=10, waiting=5)
DEAF = GONE._replace(pid=8, answers=True)

FAULTS: dict[str, tuple[AnyFault, str, str]] = {
    "down": (
        BrokerDown(after_s=90.0, duration_s=300.0),
        r"process \d+ is gone, its port is closed, no gateway has a session",
        r"process \d+ answers on the port; nothing had arrived meanwhile, \d+ bundles wait",
    ),
    "refuses": (
        BrokerRefuses(after_s=90.0, duration_s=300.0),
        r"a client with a good certificate is told 'CONNACK: .+', no gateway has a session",
        r"the client is connected; nothing had arrived meanwhile, \d+ bundles wait",
    ),
    "slow": (
        BrokerSlow(after_s=90.0, every_s=130.0, duration_s=300.0),
        r"a message that is sent through it does not come back within 1 s of the machine's time",
        r"a message comes back; \d+ bundles had taken up to 1\d\d s",
    ),
    "full": (
        BrokerFull(after_s=90.0, duration_s=300.0),
        r"the portal's session is down, 2 gateways have theirs",
        r"the portal fetched [1-9]\d* of \d+ bundles that the broker had acknowledged",
    ),
}


def world_with_a_broker(folder: Path, queued_messages: int = 4) -> World:
    spec = dozen(folder, endpoint__kind="mosquitto", endpoint__queued_messages=queued_messages)
    return World(spec, 1, folder / "world")


@pytest.mark.parametrize("how", FAULTS)
def test_an_outage_costs_time_and_nothing_else(tmp_path: Path, how: str) -> None:
    fault, evidence, recovery = FAULTS[how]
    with world_with_a_broker(tmp_path) as world:
        outage = world.fault(fault)
        world.run(6 * MINUTE)
        assert outage.healed_ns is None
        assert re.fullmatch(evidence, outage.evidence)
        stored = world.truth.stored
        assert any(gateway.waiting for gateway in world.gateways)
        world.run(2 * MINUTE)
        assert outage.healed_ns == 390 * NS_PER_S
        assert re.fullmatch(recovery, outage.recovery)
        assert not any(gateway.waiting or gateway.quarantined for gateway in world.gateways)
        assert world.truth.stored > stored + 50
        nothing_lost(world)


@pytest.mark.parametrize("how", ["slow", "full"])
def test_an_outage_replays_bit_for_bit(tmp_path: Path, how: str) -> None:
    """Which messages a full queue keeps is a matter of sockets; what is stored, and when, is not."""
    digests = set()
    for folder in (tmp_path / "one", tmp_path / "other"):
        folder.mkdir()
        with world_with_a_broker(folder) as world:
            world.fault(FAULTS[how][0])
            world.run(8 * MINUTE)
            world.finish()
            digests.add(world.history.digest)
    assert len(digests) == 1


def test_an_outage_may_last_to_the_end_of_the_run(tmp_path: Path) -> None:
    """Nothing is waited for, nothing hangs, and what gateways hold is known."""
    with world_with_a_broker(tmp_path) as world:
        world.run(MINUTE)
        stored = world.truth.stored
        slow = world.fault(BrokerSlow())
        world.run(2 * MINUTE)
        assert world.truth.stored == stored
        assert faults_witnessed.check(world, False) == []
        assert slow.interrupted_ns(world.now_ns) == (MINUTE, 3 * MINUTE)


# --- faults that do nothing ----------------------------------------------------------------------------------------


def _stays_alive(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Mosquitto, "kill", lambda _: None)


def _refuses_nobody(patch: pytest.MonkeyPatch) -> None:
    restart = Mosquitto.restart
    patch.setattr(Mosquitto, "restart", lambda broker, **_: restart(broker))


def _goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "kill", lambda *_: None)


def _is_fetched(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Paths, "reroute", lambda *_: None)


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        (BrokerDown(), _stays_alive),
        (BrokerRefuses(), _refuses_nobody),
        (BrokerSlow(), _goes_on),
        (BrokerFull(), _is_fetched),
    ],
)
def test_an_outage_that_is_only_noted_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: AnyFault, broken: Any
) -> None:
    monkeypatch.setattr(_broker, "GONE_S", 0.2)  # nobody loses a session: do not wait for it
    with world_with_a_broker(tmp_path) as world:
        with monkeypatch.context() as patch:
            broken(patch)
            world.fault(fault)
        (problem,) = faults_witnessed.check(world, False)
        assert problem.startswith(f"{fault.id} ")
        assert "is in the history and nothing shows it" in problem


def test_a_queue_that_never_was_full_is_red(tmp_path: Path) -> None:
    with world_with_a_broker(tmp_path, queued_messages=1_000) as world:
        world.fault(BrokerFull(after_s=90.0, duration_s=100.0))
        world.run(4 * MINUTE)
        (problem,) = faults_witnessed.check(world, False)
        assert problem.endswith("'broker full' was healed and nothing shows it")


# --- what a witness wants ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "after",
    [GONE._replace(pid=8), GONE._replace(answers=True), GONE._replace(sessions=1)],
    ids=["another process", "port open", "a session"],
)
def test_a_broker_is_down_when_all_of_it_is_gone(after: Way) -> None:
    assert BrokerDown().witness_strike(WELL, GONE)
    assert BrokerDown().witness_strike(WELL, after) == ""
    assert BrokerDown().witness_strike(GONE, GONE) == "", "it was down before"


@pytest.mark.parametrize(
    "healed",
    [BACK._replace(answers=False), BACK._replace(arrived=11), BACK._replace(waiting=0), BACK._replace(sessions=0)],
    ids=["port closed", "something arrived", "nothing waits", "nobody is back"],
)
def test_an_outage_ends_with_bundles_that_waited(healed: Way) -> None:
    assert BrokerDown().witness_heal(GONE, BACK)
    assert BrokerDown().witness_heal(GONE, healed) == ""
    if healed.answers:
        told = broker_refuses.Seen("connected", healed)
        assert BrokerRefuses().witness_heal(broker_refuses.Seen("CONNACK: no", DEAF), told) == ""


@pytest.mark.parametrize(("told", "way"), [("connected", DEAF), ("Connection refused", GONE), ("CONNACK: no", WELL)])
def test_a_refusal_is_a_connack_for_everybody(told: str, way: Way) -> None:
    well = broker_refuses.Seen("connected", WELL)
    assert BrokerRefuses().witness_strike(well, broker_refuses.Seen("CONNACK: no", DEAF))
    assert BrokerRefuses().witness_strike(well, broker_refuses.Seen(told, way)) == ""


def test_slowness_is_measured() -> None:
    struck = broker_slow.Seen(False, 0, {("gw", 1): (0, 400 * NS_PER_S)})
    healed = broker_slow.Seen(True, 900 * NS_PER_S, {**struck.under_way, ("gw", 2): (0, 150 * NS_PER_S)})
    fault = BrokerSlow(every_s=300.0)
    assert fault.witness_heal(struck, healed) == "a message comes back; 1 bundles had taken up to 150 s"
    assert fault.witness_heal(struck, healed._replace(comes_back=False)) == ""
    assert fault.witness_heal(struck, healed._replace(now_ns=150 * NS_PER_S)) == "", "taken after it had healed"
    faster = {**struck.under_way, ("gw", 2): (0, 150 * NS_PER_S - 1)}
    assert fault.witness_heal(struck, healed._replace(under_way=faster)) == ""


@pytest.mark.parametrize(("fetched", "accepted", "full"), [(4, 5, True), (5, 5, False), (0, 5, False)])
def test_a_full_queue_drops_some_and_keeps_some(fetched: int, accepted: int, full: bool) -> None:
    struck = broker_full.Seen(False, 2, 0, 0)
    assert bool(BrokerFull().witness_heal(struck, broker_full.Seen(True, 2, accepted, fetched))) is full


# --- how late a reading may be -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outages", "between", "excused_s"),
    [
        ([(None, 10, 20)], (0, 100), 10),
        ([(None, 10, 20)], (15, 100), 5),
        ([(None, 10, 20)], (0, 12), 2),
        ([(None, 10, 20)], (20, 100), 0),
        ([(None, 10, 30), (None, 20, 40)], (0, 100), 30),
        ([(None, 10, 40), (None, 20, 30)], (0, 100), 30),
        ([()], (0, 100), 0),
        ([], (0, 100), 0),
        ([(0, 10, 20)], (0, 100), 0),  # gateway 1 received it as well
        ([(0, 10, 20), (1, 30, 45)], (0, 100), 10),
        ([(0, 10, 20), (None, 15, 30)], (0, 100), 15),
        ([(2, 10, 20)], (0, 100), 0),  # this one did not
    ],
)
def test_an_outage_is_excused_once_and_to_whom_it_kept_waiting(
    outages: list[tuple[Any, ...]], between: tuple[int, int], excused_s: int
) -> None:
    assert _excused(outages, (0, 1), *between) == excused_s


@pytest.mark.parametrize(("whom", "heard_by", "excused_s"), [(60, 60, 10), (60, 61, 0), (61, 61, 10), (99, 61, 10)])
def test_from_the_sixty_second_on_gateways_are_excused_together(whom: int, heard_by: int, excused_s: int) -> None:
    assert _excused([(whom, 10, 20)], (heard_by,), 0, 100) == excused_s


def _world(faults: list[SimpleNamespace]) -> SimpleNamespace:
    """A hundred gateways, none of whose ways takes time."""
    gateways = [SimpleNamespace(id=f"gw-{number:04}") for number in range(1, 101)]
    return SimpleNamespace(injections=faults, gateways=gateways, paths=SimpleNamespace(spans=lambda _: []))


def _excused(outages: list[tuple[Any, ...]], heard_by: tuple[int, ...], start_ns: int, end_ns: int) -> int:
    faults = [
        SimpleNamespace(
            fault=SimpleNamespace(cuts_off=found[0] if found else None),
            interrupted_ns=lambda _now, found=found: found[1:] or None,
        )
        for found in outages
    ]
    truth: Any = SimpleNamespace(world=_world(faults))
    sent = Sent("", 0, 0, start_ns, gateways=sum(map(gateway_bit, heard_by)))
    return Truth._outage_ns(truth, sent, end_ns)


def test_only_what_was_seen_excuses(tmp_path: Path) -> None:
    with world_with_a_broker(tmp_path) as world:
        outage = world.fault(BrokerDown())
        assert outage.interrupted_ns(5) == (0, 5)
        outage.evidence = ""
        assert outage.interrupted_ns(5) is None
        assert world.fault(BrokerDown(after_s=60.0)).interrupted_ns(5) is None, "it has not struck"
