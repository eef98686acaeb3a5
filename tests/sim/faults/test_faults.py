"""Every fault does what its file says, shows it, heals, and loses nothing but what it says it takes. A fault that does
nothing is noticed by its effect being absent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.rig import checks
from bench.rig.checks import bundled_once, custody, faults_witnessed
from sim.core.clock import NS_PER_S
from sim.core.events import FaultInjected, FaultWitnessed
from sim.core.parts import Folder, PartError
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.faults import broker_killed, gateway_power_cut, path_lost, portal_restarted
from sim.faults.broker_killed import BrokerKilled
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.path_lost import PathLost
from sim.faults.port import FAULTS, CannotInject, Fault
from sim.faults.portal_killed import PortalKilled
from sim.faults.portal_restarted import PortalRestarted
from sim.gateway.kinds.virtual import VirtualGateway
from sim.lockstep import COMMIT, PHASES
from sim.systems.keyless import Keyless
from sim.world import World
from tests.small_worlds import dozen

MINUTE = 60 * NS_PER_S
ON = gateway_power_cut.Seen(up=True, connected=True, open_bundle=(b"x",), boot="gw.1")


def nothing_lost(world: World) -> None:
    assert world.truth.missing() == []
    assert world.truth.doubled() == 0
    assert world.truth.altered() == []
    assert checks.apply(world, attacked=False) == []


def test_the_folder_is_the_list() -> None:
    assert set(FAULTS.parts()) >= {
        "broker_killed",
        "gateway_power_cut",
        "path_lost",
        "portal_killed",
        "portal_restarted",
    }
    for id_, fault in FAULTS.parts().items():
        assert type(fault).__module__ == f"sim.faults.{id_}"
        assert FAULTS.page(id_)
        assert fault.title and fault.struck_as


BLINK = """from dataclasses import dataclass
from typing import ClassVar
from sim.faults.port import Lasting

@dataclass(frozen=True, kw_only=True)
class Blink(Lasting[int]):
    id: ClassVar[str] = "blink"
    title: ClassVar[str] = "It blinks"
    struck_as: ClassVar[str] = "blinks"
    healed_as: ClassVar[str] = "blinks no more"
    def subject(self, world): return "it"
    def look(self, world): return 0
    def strike(self, world): ...
    def witness_strike(self, before, after): return "seen"

FAULT = Blink()
"""


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("", "", ""),
        ('    id: ClassVar[str] = "blink"\n', "", 'Blink has no id; write id: ClassVar.str. = "blink" in it'),
        ('    title: ClassVar[str] = "It blinks"\n', "", "Blink has no title; write title: ClassVar"),
        ('    struck_as: ClassVar[str] = "blinks"\n', "", "Blink has no struck_as; write struck_as: ClassVar"),
        ('    healed_as: ClassVar[str] = "blinks no more"\n', "", "Blink has no healed_as; .* in it since it lasts"),
        ('str] = "blink"', 'str] = "wink"', "its id is 'wink'; a fault has the id of its file: 'blink'"),
        ("FAULT = Blink()", "FAULT = Blink", r"FAULT is a class and no fault; write FAULT = Blink\(\)"),
    ],
)
def test_what_a_fault_does_not_say_is_refused_with_its_file(
    line: str, instead: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"faults_{abs(hash(line))}"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "blink.py").write_text(BLINK.replace(line, instead))
    monkeypatch.syspath_prepend(str(tmp_path))
    faults = Folder(folder.name, "FAULT", "fault", Fault, FAULTS.lacks)  # type: ignore[type-abstract]
    if not message:
        assert list(faults.parts()) == ["blink"]
        return
    with pytest.raises(PartError, match=rf"blink\.py: {message}"):
        faults.parts()


# --- what each does ---------------------------------------------------------------------------------------------


def test_a_restarted_portal_forgets_nothing(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.run(2 * MINUTE)
        before, stored = world.system.portal, len(world.truth.readings)
        restart = world.fault(PortalRestarted())
        assert world.system.portal is not before
        assert restart.evidence == f"another portal runs, with the same {stored} readings"
        with pytest.raises(RuntimeError, match="it has no end"):
            restart.heal()
        assert len(world.truth.readings) == stored
        world.run(2 * MINUTE)
        assert len(world.truth.readings) > stored
        nothing_lost(world)


def test_a_gateway_without_power_hears_nothing_and_loses_nothing_stored(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.run(2 * MINUTE)
        stored = len(world.truth.readings)
        cut = world.fault(PowerCut(gateway=0))
        world.run(2 * MINUTE)
        down = world.history.fates["gateway down"]
        assert down > 0
        assert not world.gateways[0].up
        cut.heal()
        cut.heal()  # of no effect
        world.run(2 * MINUTE)
        assert world.history.fates["gateway down"] == down
        assert world.gateways[0].up
        assert len(world.truth.readings) > stored
        assert len(world.stored.bundles_after(world.gateways[0].id, -1, 100)) > 1
        assert (cut.evidence, cut.recovery) == (
            "gw-0001.1 is off; its open bundle held 0 telegrams", "gw-0001.2 is on"
        )  # fmt: skip
        nothing_lost(world)


def test_a_gateway_may_stay_off_to_the_end_of_the_run(tmp_path: Path) -> None:
    """Its disk is asked for what it still holds, though nobody runs it."""
    with World(dozen(tmp_path, window_s=40.0), 1, tmp_path / "world") as world:
        world.run(40 * NS_PER_S)
        gateway = world.gateways[0]
        assert isinstance(gateway, VirtualGateway)
        gateway.receive(b"\x2c" * 20, world.now_ns, -60.0)
        gateway.flush(world.now_ns)  # closed, and nobody has delivered it
        (held,) = gateway.custody()
        world.fault(PowerCut(gateway=0))
        assert gateway.custody() == {held}
        world.run(MINUTE)
        assert gateway.custody() == {held}
        assert custody.check(world, False) == []
        # The telegram above came over no air, which is all that there is to notice.
        assert [title for title, _ in checks.apply(world, attacked=False)] == [bundled_once.INVARIANT.title]
        world.finish()
    assert gateway.custody() == {held}, "and after the world was closed"


def test_a_power_cut_takes_the_open_bundle_and_that_is_known(tmp_path: Path) -> None:
    with World(dozen(tmp_path, fleet__interval_s=5.0), 1, tmp_path / "world") as world:
        cuts = [world.fault(PowerCut(gateway=g, after_s=100.0, duration_s=15.0)) for g in (0, 1)]
        world.run(3 * MINUTE)
        assert [(cut.struck_ns, cut.healed_ns) for cut in cuts] == [(100 * NS_PER_S, 115 * NS_PER_S)] * 2
        assert all(len(cut.lost) > 5 for cut in cuts)
        missing = {world.fleet.telegram(sent.meter, sent.k) for sent in world.truth.missing()}
        assert len(missing) > 5
        assert missing <= {telegram for cut in cuts for telegram in cut.lost}
        assert checks.apply(world, attacked=False) == []
        cuts[0].lost = cuts[1].lost = ()
        assert checks.apply(world, attacked=False), "a loss that no fault explains is an error"


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != COMMIT])
def test_a_killed_broker_loses_and_doubles_nothing(tmp_path: Path, phase: str) -> None:
    with World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world") as world:
        world.run(MINUTE)
        endpoint = world.system.endpoint
        assert endpoint is not None
        pid = endpoint.pid
        kill = world.fault(BrokerKilled(phase=phase))
        assert kill.unwitnessed == f"never struck in phase {phase}"
        world.run(2 * MINUTE)
        assert endpoint.pid not in (None, pid)
        assert kill.evidence == f"process {pid} is gone, its port is closed"
        assert kill.recovery == f"process {endpoint.pid} answers on the port"
        assert [(f.kind, f.subject) for f in world.history.of(FaultInjected)] == [
            ("broker killed", f"SIGKILL while in phase {phase}")
        ]
        assert not any(gateway.waiting for gateway in world.gateways)
        nothing_lost(world)


@pytest.mark.parametrize("kind", ["memory", "mosquitto"])
def test_a_portal_killed_between_commit_and_acknowledgement_takes_it_once(tmp_path: Path, kind: str) -> None:
    digests = set()
    for place in ("first", "second"):
        with World(dozen(tmp_path, endpoint__kind=kind), 1, tmp_path / place / "world") as world:
            world.run(MINUTE)
            before = world.system.portal
            kill = world.fault(PortalKilled(phase="commit"))
            world.run(2 * MINUTE)
            assert world.system.portal is not before
            assert re.search(r"; [1-9]\d* stored bundles wait on gateways$", kill.evidence)
            assert not any(gateway.waiting for gateway in world.gateways)
            nothing_lost(world)
            digests.add(world.history.digest)
    assert len(digests) == 1


def test_a_gateway_that_dies_between_publish_and_puback_sends_it_again(tmp_path: Path) -> None:
    digests = set()
    for place in ("first", "second"):
        with World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / place / "world") as world:
            world.run(MINUTE)
            cut = world.fault(PowerCut(gateway=0, phase="publish", duration_s=5.0))
            world.run(2 * MINUTE)
            assert cut.evidence and cut.recovery
            assert not any(gateway.waiting for gateway in world.gateways)
            missing = {world.fleet.telegram(sent.meter, sent.k) for sent in world.truth.missing()}
            assert missing <= set(cut.lost)
            assert world.truth.doubled() == 0
            assert checks.apply(world, attacked=False) == []
            digests.add(world.history.digest)
    assert len(digests) == 1


def test_a_gateway_whose_path_is_lost_keeps_what_it_hears(tmp_path: Path) -> None:
    with World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world") as world:
        lost = world.fault(PathLost(gateway=1, after_s=30.0, duration_s=120.0))
        world.run(2 * MINUTE)
        assert world.gateways[1].waiting
        assert not world.gateways[0].waiting
        world.run(2 * MINUTE)
        assert (lost.evidence, lost.recovery) == ("its session is down", "it has a new session")
        assert not world.gateways[1].waiting
        nothing_lost(world)


# --- what a fault is asked ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [({"duration_s": -0.001}, "duration_s: -0.001 is not 0.0 or more"), ({"gateway": -1}, "gateway: -1 is not 0 or"),
     ({"after_s": float("nan")}, "after_s: nan is not")],
)  # fmt: skip
def test_a_setting_out_of_its_range_is_refused_where_the_fault_is_made(given: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotInject, match=f"gateway_power_cut: {said}"):
        PowerCut(**given)
    assert PowerCut(duration_s=0.0, gateway=0).heals_after_s == 0.0


def test_what_cannot_be_is_refused_and_not_noted(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        with pytest.raises(CannotInject, match="broker_killed needs an endpoint with kill; 'memory' has none: run it"):
            world.fault(BrokerKilled())
        with pytest.raises(CannotInject, match="there is no gateway 2, of 2"):
            world.fault(PowerCut(gateway=2))
        with pytest.raises(CannotInject, match="phase 'publsh' is not one of publish, deliver, commit, acknowledge"):
            world.fault(PowerCut(phase="publsh"))
        assert world.injections == []


def test_evidence_stands_in_the_history_and_not_in_the_digest(tmp_path: Path) -> None:
    assert FaultWitnessed.observed
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.fault(PowerCut(duration_s=20.0))
        world.run(MINUTE)
        assert [(f.kind, f.time_ns) for f in world.history.of(FaultInjected)] == [
            ("gateway power cut", 0), ("gateway power on", 20 * NS_PER_S)
        ]  # fmt: skip
        assert [(f.kind, bool(f.evidence)) for f in world.history.of(FaultWitnessed)] == [
            ("gateway power cut", True), ("gateway power on", True)
        ]  # fmt: skip


# --- faults that do nothing ---------------------------------------------------------------------------------------


def test_a_kill_that_does_not_kill_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mosquitto, "kill", lambda _: None)
    with World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world") as world:
        world.fault(BrokerKilled(phase="publish"))
        world.run(MINUTE)
        (problem,) = faults_witnessed.check(world, False)
        assert problem.startswith("broker_killed (SIGKILL while in phase publish): 'broker killed' is in the history")


def test_a_broker_that_stays_down_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mosquitto, "restart", lambda _: None)
    with World(dozen(tmp_path, endpoint__kind="mosquitto"), 1, tmp_path / "world") as world:
        world.fault(BrokerKilled())
        (problem,) = faults_witnessed.check(world, False)
        assert "healed and nothing shows it" in problem


def test_a_restart_that_keeps_the_portal_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keyless, "restart_portal", lambda _: None)
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.fault(PortalRestarted())
        assert len(faults_witnessed.check(world, False)) == 1


def test_a_power_cut_of_a_gateway_that_stays_on_or_keeps_its_bundle_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        with monkeypatch.context() as patch:
            patch.setattr(VirtualGateway, "power_cut", lambda *_: None)
            world.fault(PowerCut(gateway=0))
        world.fault(PowerCut(gateway=1))
        world.fault(PowerCut(gateway=1))  # it is off already
        assert [problem.split(":")[0] for problem in faults_witnessed.check(world, False)] == [
            "gateway_power_cut (gw-0001)", "gateway_power_cut (gw-0002)"
        ]  # fmt: skip


def test_a_fault_that_never_struck_is_red(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        world.fault(PowerCut(after_s=3_600.0))
        world.run(MINUTE)
        assert faults_witnessed.check(world, False) == ["gateway_power_cut (gw-0001): never struck"]


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        (BrokerKilled(), broker_killed.Seen(7, True), broker_killed.Seen(7, False)),  # the port closed, it lives
        (BrokerKilled(), broker_killed.Seen(7, True), broker_killed.Seen(8, True)),  # somebody else answers
        (BrokerKilled(), broker_killed.Seen(None, False), broker_killed.Seen(8, False)),  # it did not run
        (PowerCut(), ON, ON),
        (PowerCut(), ON, gateway_power_cut.Seen(False, False, (b"x",), "gw.1")),  # it kept its bundle
        (PowerCut(), ON, gateway_power_cut.Seen(False, True, (), "gw.1")),  # it kept its session
        (PathLost(), path_lost.Seen(False, 1), path_lost.Seen(False, 1)),
        (PathLost(), path_lost.Seen(True, 1), path_lost.Seen(True, 1)),
        (PortalRestarted(), portal_restarted.Seen("one", 3), portal_restarted.Seen("other", 2)),
    ],
)
def test_a_witness_wants_all_of_it(fault: BrokerKilled, before: broker_killed.Seen, after: broker_killed.Seen) -> None:
    assert fault.witness_strike(before, after) == ""


@pytest.mark.parametrize(
    ("fault", "struck", "healed"),
    [
        (BrokerKilled(), broker_killed.Seen(None, False), broker_killed.Seen(8, False)),
        (BrokerKilled(), broker_killed.Seen(7, True), broker_killed.Seen(8, True)),  # it never was away
        (PowerCut(), gateway_power_cut.Seen(False, False, (), "gw.1"), gateway_power_cut.Seen(True, True, (), "gw.1")),
        (PathLost(), path_lost.Seen(False, 1), path_lost.Seen(True, 1)),
    ],
)
def test_a_recovery_is_witnessed_as_strictly(
    fault: BrokerKilled, struck: broker_killed.Seen, healed: broker_killed.Seen
) -> None:
    assert fault.witness_heal(struck, healed) == ""
