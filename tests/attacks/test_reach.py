"""An attacker gets what he declared and not a method more, and hears what a receiver hears: bytes, time, strength."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attacks.attack import CAPABILITIES, Can, Record, attacks
from attacks.reach import Place, _Network, reach_for
from sim.core.bundle import UP, Bundle, Heard
from sim.core.clock import NS_PER_S
from sim.core.events import AttackActed, Fate
from sim.endpoint.kinds.memory import Memory, MemorySession
from sim.world import World
from tests.small_worlds import dozen, keyless

EVERYONE = {"now_ns", "today", "today_utc", "wait", "wait_until", "event", "go", "note", "wall_ns", "place"}
AT_THE_BROKER = {"connect", "hold", "publish", "leave", "contend", "let_work", "name_of", "stranger", "offer",
                 "come_to_rest"}  # fmt: skip
AT_THE_RELAY = {"relayed", "change_relayed", "send_rule", "hand_in", "ask_snapshot", "send_firmware", "makers_image",
                "image_of_own"}  # fmt: skip
OF_A_BOX = AT_THE_RELAY | {"box_name", "box_files", "container_of_own", "sealed_of_own"}
OWN = {
    Can.HEAR: {"hear", "listen"},
    Can.SPEAK: {"speak"},
    Can.SHAPE: {"jam", "bursts", "on_header"},
    Can.PATH: {"intercept", "release", "stay", "note_sent"},
    Can.CERTIFICATE: AT_THE_BROKER | {"steal", "spare"},
    Can.NETWORK: AT_THE_BROKER,
    Can.BROKER: {"deliver_by", "note_sent", "kept_files"},
    Can.CLOCK: {"set_clock", "answer_time"},
    Can.VIEW: {"ask_as_tenant", "ask_as_landlord"},
    Can.METER_KEY: {"meter_key"},
    Can.DISK: {"portal_files"},
    Can.KEK: {"key_encryption_key"},
    Can.FLASH: AT_THE_BROKER | {"flash", "with_key"},
    Can.FACTORY: AT_THE_BROKER | {"factory_files", "with_key"},
    Can.RELAY: AT_THE_RELAY,
    Can.BOX_DISK: OF_A_BOX,
    Can.BOX: OF_A_BOX | {
        "container_by_module", "relay", "container_by_former_key", "session_by_former_key", "session_certificate",
    },
    Can.RECEIVER_KEY: {"receiver_key", "relayed_to_him", "signer_of"},
    Can.WAN: {"call_of_own", "on_call", "send_datagram"},
    Can.CLIP: {"clip_bus"},
    Can.TAP: {"tap_lines"},
    Can.LAWFUL: {"values_received", "watch_passed", "grid_values", "grid_containers", "connections"},
    Can.HOME: {"let_displays_read"},
    Can.BILLS: {"delivered_by_consumer", "send_bill", "units_of", "bill_tenant"},
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(dozen(tmp_path), 1, tmp_path / "world") as made:
        yield made


def record(can: Can) -> Record:
    return Record("test.attack", "A test", (), can, (), {}, "", frozenset(), "doc")


def public(handle: object) -> set[str]:
    return {name for name in dir(handle) if not name.startswith("_")}


def test_every_capability_has_words_and_methods() -> None:
    assert set(CAPABILITIES) == set(OWN) == set(Can)


@pytest.mark.parametrize("can", list(Can), ids=lambda can: can.name.lower())
def test_one_capability_gives_its_own_methods_and_no_others(world: World, can: Can) -> None:
    assert public(reach_for(record(can), world, Place())) == EVERYONE | OWN[can]


def test_no_capability_gives_a_watch_and_a_diary(world: World) -> None:
    assert public(reach_for(record(Can(0)), world, Place())) == EVERYONE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("speak", "reach has no 'speak': add Can.SPEAK to this attack's `can`"),
        ("deliver_by", "reach has no 'deliver_by': add Can.BROKER to this attack's `can`"),
        ("note_sent", "reach has no 'note_sent': add Can.PATH or Can.BROKER to this attack's `can`"),
        ("listn", "reach has no 'listn'; did you mean 'listen'?"),
        ("zzz", "reach has no 'zzz'"),
        ("_hidden", "_hidden"),
    ],
)
def test_a_method_that_was_not_declared_names_its_capability(world: World, name: str, said: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(reach_for(record(Can.HEAR), world, Place()), name)
    assert str(caught.value) == said


def test_each_attack_gets_exactly_what_its_record_says(world: World) -> None:
    found = attacks()
    assert len(found) >= 5
    for cls in found.values():
        wanted = set(EVERYONE)
        for can in Can:
            if can in cls.record.can:
                wanted |= OWN[can]
        assert public(reach_for(cls.record, world, Place())) == wanted, cls.record.id


def test_nothing_a_handle_shows_leads_to_the_world(world: World) -> None:
    handle = reach_for(record(Can.HEAR | Can.SPEAK | Can.SHAPE), world, Place())
    shown = [value for name in public(handle) if not callable(value := getattr(handle, name))]
    assert all(isinstance(value, (int, str, bytes, float)) for value in shown)


def test_what_is_heard_is_bytes_time_and_strength(world: World) -> None:
    handle = reach_for(record(Can.HEAR), world, Place())
    heard: list[Heard] = []
    handle.listen(heard.append)
    first: list[Any] = []

    def wait() -> Any:
        first.append((yield handle.hear()))

    handle.go(wait())
    world.run(60 * NS_PER_S)
    assert len(heard) > 10
    assert first == heard[:1]
    assert set(Heard._fields) == {"telegram", "received_ns", "rssi_dbm"}
    sent = {world.fleet.telegram(s.meter, s.k) for s in world.truth.sent()}
    for one in heard:
        assert type(one) is Heard
        assert type(one.telegram) is bytes
        assert one.telegram in sent
        assert 0 < one.received_ns <= world.now_ns
        assert -110 < one.rssi_dbm < 20


def test_what_is_spoken_is_noted_for_the_truth_and_taken_by_gateways(world: World) -> None:
    handle = reach_for(record(Can.HEAR | Can.SPEAK), world, Place())
    telegram = world.fleet.telegram(0, 0)

    def steps() -> Any:
        yield handle.wait(31.0)
        handle.note("speak", "once")
        handle.speak(telegram)

    handle.go(steps())
    world.run(60 * NS_PER_S)
    (spoken,) = world.truth.spoken()
    assert spoken.telegram == telegram
    assert spoken.start_ns == 31 * NS_PER_S
    assert {gateway for gateway, _ in spoken.taken} == {"gw-0001"} or len(spoken.taken) == 2
    assert [a.action for a in world.history.of(AttackActed)] == ["speak"]


def test_jamming_costs_frames_and_says_why(world: World) -> None:
    handle = reach_for(record(Can.SHAPE), world, Place(power_dbm=20.0))

    def steps() -> Any:
        yield handle.wait(10.0)
        handle.jam(30.0)

    handle.go(steps())
    world.run(60 * NS_PER_S)
    assert handle.bursts == 1
    assert world.history.fates[Fate.JAMMED.label] + world.history.fates[Fate.RECEIVER_BUSY.label] > 10


def test_a_reactive_jammer_sees_ten_bytes_of_header(world: World) -> None:
    handle = reach_for(record(Can.SHAPE), world, Place(power_dbm=20.0))
    headers: list[bytes] = []

    def decide(header: bytes) -> bool:
        headers.append(header)
        return False

    handle.on_header(decide)
    world.run(60 * NS_PER_S)
    assert headers
    assert {len(header) for header in headers} == {10}
    assert handle.bursts == 0


def test_a_place_is_beside_a_gateway_that_exists(world: World) -> None:
    with pytest.raises((IndexError, ValueError)):
        reach_for(record(Can.HEAR), world, Place(beside=99))


def test_a_meter_key_is_one_meters_key(world: World) -> None:
    handle = reach_for(record(Can.METER_KEY), world, Place())
    address = str(world.fleet.address(world.fleet.n - 1))
    assert handle.meter_key(address) == world.fleet.key(world.fleet.n - 1)
    with pytest.raises(LookupError):
        handle.meter_key("VIP 00000000 01 08")


def test_a_stolen_disk_holds_the_portals_files(world: World) -> None:
    world.run(60 * NS_PER_S)
    files = reach_for(record(Can.DISK), world, Place()).portal_files()
    assert any(name.endswith(".sqlite") and body.startswith(b"SQLite format 3") for name, body in files.items())


def test_a_key_encryption_key_is_one_partitions(world: World) -> None:
    handle = reach_for(record(Can.KEK), world, Place())
    partition, kek = handle.key_encryption_key("house 1")
    assert partition == "house 1" and kek == keyless(world).keks["house 1"]
    assert handle.key_encryption_key("house 0") == ("house 1", kek)


def test_what_a_thief_publishes_arrives_though_its_owner_throws_him_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[bytes] = []
    accept = Memory.accept

    def thrown_off_once(broker: Memory, sender: MemorySession, topic: str, payload: bytes) -> None:
        if lost or not topic.endswith("/up"):
            accept(broker, sender, topic, payload)
            return
        lost.append(payload)  # the broker closed the connection before it read this
        broker.gone(sender)
        sender.went_down("dropped", "taken over", 0)
        broker._waiting.append(sender)

    handle = reach_for(record(Can.CERTIFICATE), world, Place())
    thief = handle.steal(0)
    bundle = Bundle(thief.client_id, 900_000_001, 0, (Heard(b"\x01", 0, -61.0),)).encode()
    monkeypatch.setattr(Memory, "accept", thrown_off_once)
    assert handle.publish(thief, UP.format(gateway=thief.client_id), bundle, [])
    assert lost == [bundle]
    found = keyless(world).portal.store.messages()
    assert [m.gateway for m in found if m.sequence == 900_000_001] == [thief.client_id]
    assert [act.action for act in world.history.of(AttackActed)] == ["connect", "publish"]


class Displaced:
    """A session whose owner takes it back when so many of its publishes have their PUBACK."""

    def __init__(self, after: list[int]) -> None:
        self.client_id, self.log = "gw-0001", [("connected", "")]
        self.connected, self.connects, self.unacknowledged = True, 1, 0
        self.sent: list[bytes] = []
        self._after = after

    def publish(self, _topic: str, payload: bytes) -> None:
        self.sent.append(payload)
        self.unacknowledged += 1

    def step(self) -> None:
        if not self.connected:
            self.connected, self.connects, self.unacknowledged = True, self.connects + 1, 0
        elif self._after:
            self.unacknowledged -= self._after.pop(0)
            self.connected = False
        else:
            self.unacknowledged = max(0, self.unacknowledged - 1)

    def close(self) -> None:
        self.connected = False


def test_a_thief_who_is_thrown_off_goes_on_where_he_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a long tale never ends where its owner is quicker than the broker."""
    session, payloads = Displaced([2, 0, 1]), [bytes([one]) for one in range(5)]
    handle = reach_for(record(Can.CERTIFICATE), world, Place())
    thief = handle.steal(0)
    monkeypatch.setattr(_Network, "connect", lambda _self, _identity: session)
    monkeypatch.setattr(
        World, "settle", lambda _self, done, _deadline_s: any(done() or session.step() for _ in range(20))
    )
    assert handle.leave(thief, UP.format(gateway=thief.client_id), payloads)
    assert session.sent == [*payloads, *payloads[2:], *payloads[2:], *payloads[3:]] and session.unacknowledged == 0
