"""Addresses on the wired meter bus: everybody gets one, whoever collides, and nobody gets two."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from sim.core.seeds import Seeds
from sim.smgw.hdlc import Frame, decode
from sim.smgw.lmn.bus import (
    ADDRESSING,
    EVERYBODY,
    FIRST,
    GATEWAY,
    LAST,
    SLOTS_MOST,
    SML,
    Bus,
    BusFull,
    BusMeter,
    address,
    frame,
    settle,
    together,
)

ROUNDS = 60


def drawing(seed: int, who: int) -> Callable[[int], int]:
    number = count()
    return lambda below: int(Seeds(seed).u64("slot", who, next(number)) % below)


def meters(how_many: int, seed: int = 1) -> list[BusMeter]:
    return [BusMeter(b"1EMH%07d" % n, drawing(seed, n)) for n in range(how_many)]


@pytest.mark.parametrize("how_many", [0, 1, 2, 10, 60, LAST - FIRST + 1])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_meter_gets_an_address_of_its_own(how_many, seed) -> None:
    bus, all_ = Bus(), meters(how_many, seed)
    assert settle(bus, all_, ROUNDS) < ROUNDS
    assert {meter.number: meter.device for meter in all_} == bus.devices
    assert len(set(bus.devices.values())) == how_many
    assert not bus.twice
    assert bus.collisions or how_many < 5
    assert bus.slots <= SLOTS_MOST


def test_meters_that_come_later_are_found_and_the_others_keep_theirs() -> None:
    bus, first = Bus(), meters(5)
    settle(bus, first, ROUNDS)
    before, late = dict(bus.devices), [BusMeter(b"late%d" % n, drawing(3, n)) for n in range(5)]
    settle(bus, [*first, *late], ROUNDS)
    assert before.items() < bus.devices.items()
    assert len(set(bus.devices.values())) == 10


def test_a_second_meter_of_one_number_is_seen_and_gets_no_address() -> None:
    bus, true, clone = Bus(), BusMeter(b"A", lambda _: 0), BusMeter(b"A", lambda _: 1)
    assert settle(bus, [true], ROUNDS) == 2
    settle(bus, [true, clone], ROUNDS)
    assert (bus.twice, clone.device, bus.devices) == ({b"A"}, None, {b"A": FIRST})


def test_two_meters_in_one_slot_are_not_understood() -> None:
    bus = Bus()
    one, two = (BusMeter(name, lambda _: 0) for name in (b"A", b"B"))
    said = [meter.take(bus.ask()) for meter in (one, two)]
    wire = together([answer.encode() for _, answer in said])
    assert bus.heard([wire, b"", b"", b""]) == []
    assert (bus.collisions, bus.settled, bus.slots) == (1, False, 4)
    assert bus.heard([wire, wire, b"", b""]) == []
    assert bus.slots == 8


def test_an_address_that_was_not_taken_is_given_again() -> None:
    bus, meter = Bus(), BusMeter(b"A", lambda _: 0)
    _, here = meter.take(bus.ask())
    (answer,) = bus.heard([here.encode()])
    assert not bus.confirmed(b"A", b"")  # the meter has not heard it
    assert (bus.devices, bus.settled) == ({}, False)
    (answer,) = bus.heard([here.encode()])
    _, taken = meter.take(answer)
    forged = frame(GATEWAY, EVERYBODY, ADDRESSING, taken.information)
    assert not Bus({b"A": FIRST}).confirmed(b"A", forged.encode())  # not from the new address
    assert bus.confirmed(b"A", taken.encode())
    assert meter.take(answer) == (0, taken)  # its word may be lost, so it says it each time that it is asked


@pytest.mark.parametrize(
    "sent",
    [
        frame(EVERYBODY, 5, ADDRESSING, b"\1\4"),  # a meter that plays the gateway
        frame(EVERYBODY, GATEWAY, SML, b"\1\4"),
        frame(9, GATEWAY, ADDRESSING, b"\1\4"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b"\1\0"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b"\1"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b"\3\5B"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b"\3\x01A"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b"\3\x7fA"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b"\3"),
        frame(EVERYBODY, GATEWAY, ADDRESSING, b""),
        Frame(b"\x01", b"\x03", 0x13, b"\1\4"),
    ],
)
def test_a_meter_does_not_answer_what_is_not_for_it(sent) -> None:
    meter = BusMeter(b"A", lambda _: 0)
    assert meter.take(sent) is None
    assert meter.device is None


def test_noise_gives_nobody_an_address() -> None:
    bus = Bus()
    long = frame(GATEWAY, EVERYBODY, ADDRESSING, b"\2" + bytes(21)).encode()
    empty = frame(GATEWAY, EVERYBODY, ADDRESSING, b"\2").encode()
    foreign = frame(7, EVERYBODY, ADDRESSING, b"\2A").encode()
    assert bus.heard([b"\xff\0", long, empty, foreign]) == []
    assert (bus.devices, bus.collisions) == ({}, 4)


def test_a_full_bus_says_so() -> None:
    bus = Bus()
    settle(bus, meters(LAST - FIRST + 1), ROUNDS)
    with pytest.raises(BusFull, match="125 meters"):
        bus.heard([frame(GATEWAY, EVERYBODY, ADDRESSING, b"\2one more").encode()])


def test_the_address_on_the_wire() -> None:
    assert decode(frame(2, GATEWAY, SML, b"x").encode()).destination == address(2, SML) == bytes.fromhex("0405")
