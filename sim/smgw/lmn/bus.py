"""Addresses on the wired meter bus: the gateway asks, meters answer in drawn slots, each gets a device number.

An HDLC address has two bytes: the device (1 the gateway, 127 everybody) and what is spoken with it (addressing, plain
SML, TLS). Public descriptions say so much; the layouts and numbers below are of this model. Nothing here proves who
somebody is: a meter that gives another's number gets its address, and only TLS above shows it. What can be seen is
seen: one number that answers twice is reported.

    ask      01 slots          gateway to everybody: who has no address answers in one of so many slots
    here     02 number         a meter, in the slot that it drew
    assign   03 device number  gateway to everybody; the meter of that number takes it, with or without another
    taken    04 number         the meter, from its new address
    forget   05                gateway to all: every meter gives its address back
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from sim.smgw.hdlc import Frame, decode
from sim.smgw.refusals import BadFrame

GATEWAY: Final = 1
EVERYBODY: Final = 127
FIRST, LAST = 2, 126
ADDRESSING, SML, TLS, FIRST_KEY = 1, 2, 3, 4
"""What is spoken: FIRST_KEY is a meter's first key pair under its maker's key."""
UI: Final = 0x13
SLOTS_LEAST, SLOTS_MOST = 4, 64
NUMBER_MOST_BYTES: Final = 20
_ASK, _HERE, _ASSIGN, _TAKEN, _FORGET = 1, 2, 3, 4, 5


def address(device: int, spoken: int) -> bytes:
    """On the wire."""
    return bytes((device << 1, spoken << 1 | 1))


def frame(to: int, by: int, spoken: int, information: bytes, control: int = UI) -> Frame:
    """From one device to another."""
    return Frame(address(to, spoken), address(by, spoken), control, information)


def meant(read: Frame) -> tuple[int, int] | None:
    """Device and what is spoken, of a frame's destination; None for an address of another length."""
    if len(read.destination) != 2:
        return None
    return read.destination[0] >> 1, read.destination[1] >> 1


def together(sent: Sequence[bytes]) -> bytes:
    """What is on the wire where several send at once: a bit is 1 only where all of them let it be."""
    longest = max(map(len, sent), default=0)
    return bytes(reduce(int.__and__, bits) for bits in zip(*(one.ljust(longest, b"\xff") for one in sent), strict=True))


@dataclass
class Bus:
    """The gateway's side. `devices`: meter's number -> device; `twice`: numbers that a second meter gave."""

    devices: dict[bytes, int] = field(default_factory=dict)
    twice: set[bytes] = field(default_factory=set)
    collisions: int = 0
    slots: int = SLOTS_LEAST
    settled: bool = False
    """The last time that was asked nobody answered."""

    def ask(self) -> Frame:
        """To be sent; then `slots` slots are listened to."""
        return frame(EVERYBODY, GATEWAY, ADDRESSING, bytes((_ASK, self.slots)))

    def forget(self) -> Frame:
        """To be sent by a gateway that knows nobody: then everybody answers to `ask`."""
        self.devices.clear()
        self.settled = False
        return frame(EVERYBODY, GATEWAY, ADDRESSING, bytes((_FORGET,)))

    def release(self, number: bytes) -> None:
        """A meter that answers no more: its address is free, and it may come again under another."""
        self.devices.pop(number, None)
        self.settled = False

    def heard(self, slots: Sequence[bytes]) -> list[Frame]:
        """What was on the wire in each slot, b"" for nothing -> what is to be sent. If half of the slots collided, the
        next time has twice as many. Raises BusFull."""
        answers, clashed = [], 0
        for data in slots:
            if not data:
                continue
            number = self._number(data, _HERE)
            if number is None:
                clashed += 1
            elif number in self.devices:
                self.twice.add(number)
            else:
                answers.append(self.assign(number))
        self.collisions += clashed
        self.settled = not clashed and not answers
        if 2 * clashed >= len(slots):
            self.slots = min(2 * self.slots, SLOTS_MOST)
        return answers

    def assign(self, number: bytes) -> Frame:
        """A new address for the meter of this number, whether it has one or not: one that it took without being heard
        keeps it silent when `ask` comes. Raises BusFull."""
        self.devices[number] = self._free()
        return frame(EVERYBODY, GATEWAY, ADDRESSING, bytes((_ASSIGN, self.devices[number])) + number)

    def confirmed(self, number: bytes, data: bytes) -> bool:
        """The meter of this number has taken its address; if not, it is free again and the next time gives another."""
        if self._number(data, _TAKEN, self.devices.get(number)) == number:
            return True
        self.devices.pop(number, None)
        self.settled = False
        return False

    def _free(self) -> int:
        used = set(self.devices.values())
        device = next((one for one in range(FIRST, LAST + 1) if one not in used), None)
        if device is None:
            raise BusFull(f"{LAST - FIRST + 1} meters have an address; no more fit on one bus")
        return device

    @staticmethod
    def _number(data: bytes, kind: int, device: int | None = None) -> bytes | None:
        """The number in a message of this kind to the gateway; None for anything else, noise among it."""
        try:
            read = decode(data)
        except BadFrame:
            return None
        number = read.information[1:]
        right = read.destination == address(GATEWAY, ADDRESSING) and read.information[:1] == bytes((kind,))
        from_there = device is None or read.source == address(device, ADDRESSING)
        return number if right and from_there and 0 < len(number) <= NUMBER_MOST_BYTES else None


class BusFull(Exception):
    """No address is left."""


@dataclass
class BusMeter:
    """A meter's side. `draw(n)`: a whole number below n, of its own."""

    number: bytes
    draw: Callable[[int], int]
    device: int | None = None

    def take(self, sent: Frame) -> tuple[int, Frame] | None:
        """Its answer and the slot of it (0 where there are none); None: it has nothing to say."""
        if sent.source != address(GATEWAY, ADDRESSING) or sent.destination != address(EVERYBODY, ADDRESSING):
            return None
        what = sent.information
        if len(what) == 2 and what[0] == _ASK and what[1]:
            return None if self.device is not None else (self.draw(what[1]), self._say(EVERYBODY, _HERE))
        if what == bytes((_FORGET,)):
            self.device = None
            return None
        return self._assigned(what)

    def _assigned(self, information: bytes) -> tuple[int, Frame] | None:
        if information[:1] != bytes((_ASSIGN,)) or information[2:] != self.number:
            return None
        device = information[1]
        if not FIRST <= device <= LAST:
            return None
        self.device = device
        return 0, self._say(device, _TAKEN)

    def _say(self, by: int, kind: int) -> Frame:
        return frame(GATEWAY, by, ADDRESSING, bytes((kind,)) + self.number)


def settle(bus: Bus, meters: Sequence[BusMeter], most_rounds: int) -> int:
    """Ask until nobody answers; returns how often it was asked, at most `most_rounds`."""
    for rounds in range(1, most_rounds + 1):
        asked = bus.ask()
        slots: list[list[bytes]] = [[] for _ in range(bus.slots)]
        for meter in meters:
            if (said := meter.take(asked)) is not None:
                slots[said[0]].append(said[1].encode())
        for answer in bus.heard([together(sent) for sent in slots]):
            replies = [reply[1].encode() for meter in meters if (reply := meter.take(answer)) is not None]
            bus.confirmed(answer.information[2:], together(replies))
        if bus.settled:
            return rounds
    return most_rounds
