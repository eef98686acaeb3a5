"""Meters that listen: what a command must have, and what an answer costs.

Nine of them, three of each mode, join the house beside its fleet, whose meters only send.
"""

from __future__ import annotations

from attacks.clock_command import AGAIN, CLEAR, ClockCommand
from attacks.drain import DRAINED, Drain
from attacks.reach import Place
from bench.rig.scenario import D, S, Stage, T, X, scenario
from sim.core.clock import Steps, ns
from sim.core.vocabulary import SECURITIES
from sim.meters.two_way import TwoWay, clock_command
from sim.portal.store import fingerprint
from sim.radio.link_modes import Mode
from sim.two_way_air import Installed
from wmbus.link import Address

OPERATOR = Address("RAD", "11000011", 1, 0x37)
EACH = 3


def _meters(first: int, *, weak: bool) -> list[TwoWay]:
    """Three of each mode. Weak ones obey what nobody secured, keep no counter and answer as often as asked."""
    return [
        TwoWay(
            address=Address("QDS", f"{first + number}", 0x36, 8), security=security,
            key=bytes(range(number, number + 16)), takes_clear=weak, keeps_counter=not weak,
            answers_an_hour=None if weak else 12,
        )
        for number, security in enumerate(security for security in SECURITIES for _ in range(EACH))
    ]  # fmt: skip


def _told_once(world: Stage, meters: list[Installed]) -> None:
    """The operator sets each clock rightly once, in the meter's own mode, while it listens."""
    inner = world.inner
    source = inner.air.add_transmitter(inner.site.beside_gateway(0, 1.0))
    waiting = {one.name: one for one in meters}

    def told(steps_for: Installed, number: int) -> Steps:
        spec = steps_for.meter.spec
        yield inner.clock.timeout(ns(0.004))
        at = inner.calendar.at(inner.now_ns).replace(tzinfo=None)
        command = clock_command(spec.address, OPERATOR, at, number, security=spec.security, key=spec.key, counter=7)
        inner.truth.foreign.add(fingerprint(command))
        inner.air.emit(source, number, Mode.T1, len(command), 1_000, frame=command)

    def heard(frame: bytes, _end_ns: int, _level_cdbm: int) -> None:
        for number, (name, one) in enumerate(list(waiting.items())):
            if one.frames and frame == one.frames[-1]:
                del waiting[name]
                inner.clock.process(told(one, number + 10 * len(waiting)))

    inner.air.add_receiver("operator", inner.site.beside_gateway(0, 1.0), -10_000, (Mode.T1,), heard)


@scenario(
    world="terrace-60", threats=["L29"],
    not_for={"smgw": "meters hear the same air, whatever stands behind it"},
)
def test_a_clock_is_set_by_who_may_and_once(world: Stage) -> None:
    """An hour ahead by a command in clear, and the operator's own command again a quarter of an hour later. A meter in
    mode 0 believes all. One in mode 5 refuses what is in clear and cannot tell a recording from news; the portal sees
    its clock and refuses its telegrams. In mode 7 a command needs a MAC under the meter's key and a counter that grew.
    Control: meters that take commands in clear and keep no counter."""
    weak = world.defences == "off"
    told, shown = _meters(79_000_000, weak=weak), _meters(79_000_100, weak=weak)
    attack = world.attack(
        ClockCommand(tuple(str(m.address) for m in told), tuple(str(m.address) for m in shown)), place=Place(metres=3.0)
    )
    world.inner.install(told)
    _told_once(world, world.inner.install(shown))
    world.run(minutes=40)
    world.expect(attack, CLEAR, because=("", "agreed was mode5", "agreed was mode7"), on=(D, X, X), off=(D, D, D))
    world.expect(attack, AGAIN, because="counter seen before", on=(D, D, X), off=(D, D, D))


@scenario(
    world="terrace-60", threats=["L30"],
    not_for={"smgw": "meters hear the same air, whatever stands behind it"},
)
def test_a_meter_that_answers_seldom_keeps_its_battery(world: Stage) -> None:
    """After every answer the next is asked for, twelve times for each telegram. A limit of twelve answers an hour
    bounds what it costs, in every mode; no command's MAC does, since a request has nothing to secure. Control: meters
    that always answer."""
    meters = _meters(79_000_200, weak=world.defences == "off")
    drain = world.attack(Drain(tuple(str(m.address) for m in meters)), place=Place(metres=3.0))
    world.inner.install(meters)
    world.run(hours=1)
    world.expect(drain, DRAINED, on=(T, T, T), off=(S, S, S))
    if world.staged and world.defences == "on":
        for outcome in drain.outcomes(world.truth):
            name = f"years of a cell under attack, {outcome.security}"
            world.measure(name, float(outcome.evidence["years of a cell, at this rate"]), "years")
