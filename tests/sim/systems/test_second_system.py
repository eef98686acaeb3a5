"""The port is enough for a system that is nothing like the keyless one: its gateways hold the meters' keys, open
telegrams themselves and put what they read straight into one table. No endpoint, no bundles, no portal's judgement."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from attacks.attack import attacks
from attacks.jam import billing_error
from attacks.mitm import Mitm
from attacks.reach import Place, reach_for
from attacks.replay import Replay
from bench.rig import checks
from bench.rig.checks import no_key_on_disk, of_the_system
from bench.rig.pcap_tap import AirLog
from sim.core.clock import NS_PER_S
from sim.core.events import RunStarted
from sim.endpoint.port import EndpointError
from sim.faults.broker_killed import BrokerKilled
from sim.faults.port import CannotInject
from sim.faults.portal_restarted import PortalRestarted
from sim.gateway.port import InWorld
from sim.portal.interpret import interpret
from sim.portal.meter_registry import MeterEntry, Registry
from sim.portal.store import Reading, Refusal, fingerprint
from sim.radio.link_modes import Mode
from sim.systems.port import Delivered, Ground, System, SystemUnderTest
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import dozen
from wmbus import reading, receiver
from wmbus.dissect import parse
from wmbus.errors import BadTelegram

MINUTE = 60 * NS_PER_S


@dataclass
class Table:
    """One row a telegram, however many gateways hear it."""

    rows: dict[str, Reading] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    def count_readings(self) -> int:
        return len(self.rows)

    def readings(self, meter: str | None = None) -> list[Reading]:
        return [row for row in self.rows.values() if meter in (None, row.meter)]

    def readings_after(self, place: int, most: int) -> list[tuple[int, Reading]]:
        return list(enumerate(self.rows.values(), start=1))[place : place + most]

    def readings_of(self, mark: str) -> list[Reading]:
        return [self.rows[mark]] if mark in self.rows else []

    def refusals(self, reason: str | None = None) -> list[Refusal]:
        return [row for row in self.refused if reason in (None, row.reason)]

    def refusal_reasons(self, mark: str) -> list[str]:
        return [one.reason for one in self.refused if one.fingerprint == mark]

    def refused_telegrams(self) -> set[str]:
        return {one.fingerprint for one in self.refused}

    def bundles_after(self, gateway: str, sequence: int, most: int) -> list[int]:
        return []

    def count_bundles(self) -> int:
        return 0

    def billed_units(self, meter: str, set_date: date) -> int | None:
        dated = [r for r in self.rows.values() if r.meter == meter and r.set_date == set_date.isoformat()]
        return dated[-1].set_date_units if dated else None


class DecryptingGateway(InWorld):
    """It reads what it hears, at once."""

    features: ClassVar[frozenset[str]] = frozenset({"decrypts"})
    up, waiting, open_bundle = True, (), ()
    waking = thinning = None

    def __init__(self, id_: str, keys: dict[str, bytes | None], table: Table) -> None:
        self.id, self._keys, self._table, self.heard = id_, keys, table, 0

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        mark = fingerprint(telegram)
        self.heard += 1
        if mark in self._table.rows:
            return
        parsed = parse(telegram)
        meter = str(parsed.address)
        try:
            unlocked = receiver.unlock(parsed, self._keys[meter])
        except BadTelegram as error:
            self._table.refused.append(
                Refusal(meter, self.id, received_ns, received_ns, "bad", str(error), mark, telegram, rssi_dbm)
            )
            return
        said = interpret(reading.interpret(unlocked).records)
        self._table.rows[mark] = Reading(
            meter, self.id, received_ns, received_ns, said.meter_time and said.meter_time.isoformat("T", "minutes"),
            said.units, said.set_date and said.set_date.isoformat()[:10], said.set_date_units, parsed.acc,
            unlocked.counter, parsed.security, mark, rssi_dbm, parsed.sts or 0, False, said.volume_m3, said.energy_kwh,
        )  # fmt: skip

    def set_clock(self, offset_s: float) -> None:
        self.clock_s = offset_s

    def custody(self) -> frozenset[int]:
        return frozenset()

    def on_disk(self) -> frozenset[bytes]:
        return frozenset()


class Direct:
    """See port.SystemUnderTest."""

    endpoint = attached = None
    sessions = ()

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.gateways: list[DecryptingGateway] = []
        self.registry = Registry()
        self.stored = self.portal = Table()
        self.disk = ground.directory / "table"
        self.key_places: tuple[Path, ...] = (ground.directory / "secure-elements",)
        self.private_values: dict[str, bytes] = {}
        self.watched = self.closed = 0
        self.message_taps: list[Any] = []

    def start(self) -> None:
        fleet = self._ground.fleet
        keys = {str(fleet.address(m)): fleet.key(m) for m in range(fleet.n)}
        (place,) = self.key_places
        place.mkdir()
        (place / "keys").write_bytes(b"".join(key for key in keys.values() if key))
        for number in range(self._ground.spec.gateways):
            gateway = DecryptingGateway(f"box-{number}", keys, self.stored)
            self._ground.air.add_receiver(
                gateway.id,
                self._ground.site.gateways[number],
                sensitivity_cdbm=-10_000,
                links=[Mode.T1, Mode.C1],
                on_frame=lambda telegram, end_ns, cdbm, to=gateway: to.receive(telegram, end_ns, cdbm / 100),
                deferred=True,
            )
            self.gateways.append(gateway)

    def enrol(self, meters: Iterable[tuple[MeterEntry, bytes | None]]) -> None:
        raise NotImplementedError

    def flush(self) -> None: ...

    def deliver(self) -> None: ...

    def at_phase(self, phase: str, action: Callable[[], None]) -> None:
        raise ValueError(f"there is no phase {phase!r}")

    def watch(self) -> None:
        self.watched += 1

    def settle(self, done: Callable[[], bool], deadline_s: float) -> bool:
        return done()

    def billable(self) -> list[Delivered]:
        every = self.stored.rows.values()
        return [Delivered("table", "", one.meter, 0, "", 0, None, 0, Decimal(one.units or 0)) for one in every]

    def invariants(self, world: World) -> list[tuple[str, list[str]]]:
        times = [one.received_ns for one in self.stored.rows.values()]
        return [("rows stand in the order of arrival", [] if times == sorted(times) else ["they do not"])]

    def restart_portal(self) -> None:
        raise NotImplementedError

    def kill_portal(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


@dataclass(frozen=True)
class DirectSystem(System):
    kind: str = "direct"
    title: ClassVar[str] = "Gateways that decrypt, for this test"

    def features(self, spec: WorldSpec) -> frozenset[str]:
        return frozenset({"decrypts"})

    stores_at_once = True

    def build(self, ground: Ground) -> SystemUnderTest:
        return Direct(ground)  # type: ignore[return-value]


def direct(folder: Path, **settings: Any) -> WorldSpec:
    return dataclasses.replace(dozen(folder, **settings), system=DirectSystem())


def test_a_world_of_it_runs_and_every_check_holds(tmp_path: Path) -> None:
    with World(direct(tmp_path), 1, tmp_path / "world") as world:
        world.run(3 * MINUTE)
        assert len(world.truth.readings) > 90
        assert world.truth.missing() == world.truth.altered() == []
        assert all(gateway.heard > 90 for gateway in world.gateways)  # type: ignore[attr-defined]
        assert billing_error(world.truth, str(world.fleet.address(5))) == 0
        assert checks.apply(world, attacked=False) == []
        assert world.system.watched == 3  # type: ignore[attr-defined]
        rows = world.stored.rows  # type: ignore[attr-defined]
        rows |= {"first": rows.pop(next(iter(rows)))}
        assert of_the_system.check(world, attacked=False) == ["rows stand in the order of arrival: they do not"]
        assert of_the_system.check(world, attacked=True) == []
        world.system.key_places = ()
        assert no_key_on_disk.check(world, False), "its keys are there, and only where it says so"
        world.finish()
        (started,) = world.history.of(RunStarted)
        assert started.endpoint == "none"
    assert world.system.closed == 1  # type: ignore[attr-defined]
    assert not (tmp_path / "world" / "gateways").exists(), "nothing of the keyless system was made"


def test_the_air_and_its_attackers_are_the_same(tmp_path: Path) -> None:
    """A replay reaches its gateways; nothing there looks for freshness, and the table has each telegram once."""
    replay = Replay(learn_s=60.0, wrap=False)
    with World(direct(tmp_path), 1, tmp_path / "world") as world:
        world.clock.process(replay.run(reach_for(replay.record, world, Place(metres=3.0))))
        world.run(3 * MINUTE)
        assert sum(int(outcome.evidence["delivered"]) for outcome in replay.outcomes(world.truth)) > 3
        assert world.truth.doubled() == 0


def test_what_it_lacks_is_said(tmp_path: Path) -> None:
    with World(direct(tmp_path), 1, tmp_path / "world") as world:
        with pytest.raises(CannotInject, match="broker_killed needs kill; system 'direct' has none"):
            world.fault(BrokerKilled())
        with pytest.raises(CannotInject, match="portal_restarted needs portal restart; system 'direct'"):
            world.fault(PortalRestarted())
        assert world.injections == []
        assert "tls" in world.spec.lacks(Mitm.record.needs)
        middle = reach_for(Mitm.record, world, Place())
        with pytest.raises(EndpointError, match="no sockets here"):
            middle.intercept(0, "rogue CA")


def test_what_a_lawful_party_and_the_capture_ask_for_needs_no_known_system(tmp_path: Path) -> None:
    with World(direct(tmp_path), 1, tmp_path / "world") as world:
        log = AirLog(world, tmp_path / "air.pcapng")
        world.run(3 * MINUTE)
        log.close()
        reach = reach_for(attacks()["lawful.habits"].record, world, Place())
        values = reach.values_received()
        assert len(values) == world.stored.count_readings() > 90
        assert {one.receiver for one in values} == {"table"}
        assert (tmp_path / "air.pcapng").stat().st_size > 10_000
        clock = reach_for(attacks()["gateway.wrong_clock"].record, world, Place())
        assert clock.answer_time(0, 30.0) == "box-0", "nothing there checks who says what time it is"
        assert world.gateways[0].clock_s == 30.0  # type: ignore[attr-defined]
