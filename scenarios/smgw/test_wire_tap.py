"""Whoever taps the lines of smart meter gateways reads no value; times and sizes tell what happened, unless each line
always says as much."""

from collections.abc import Callable

from attacks.smgw_wire import DEMAND, OPENED, RULES, WHICH, WOKEN, SmgwWire
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.clock import NS_PER_S, Steps
from sim.faults.gateway_disturbed import GatewayDisturbed
from sim.systems._smgw_lines import Order
from sim.systems._smgw_running import smgw
from sim.systems.smgw import SUPPLIER
from sim.world import World

QUARTERS = 48
OF_HUNDRED = 10
"""Quarter hours in which a gateway's housing is opened; as many for a rule set, and for a call."""


@scenario(
    world="row-16",
    threats=["W13"],
    settings={
        "system.kind": "smgw", "system.delivery_s": 10_800.0, "system.padding_bytes": 1_024,
        "system.dummy_every_s": 900.0, "system.dummy_cells": 4,
    },
    defences={
        "padding alone": {"system.dummy_every_s": 0.0},
        "dummies alone": {"system.padding_bytes": 0},
    },
    not_for={"keyless": "its gateways say what they heard, when they heard it: radio/test_habits.py"},
)  # fmt: skip
def test_lines_that_always_say_as_much_tell_nothing(world: Stage) -> None:
    """Cells of one size at fixed times: no area is above a guess. Cells of one size alone show that something was said,
    dummies alone how long it was. What the administrator sends is a datagram of its own, which nothing hides. How much
    a house heated shows in none. Control: neither."""
    tap = world.attack(SmgwWire())
    _let_things_happen(world.inner)
    world.run(hours=12)
    lines = smgw(world.inner.system).wan
    passed = lines.total(lambda one: one.record_bytes) / world.spec.gateways
    world.measure("bytes on a gateway's line in twelve hours", passed, unit="B")
    more = tap.more_heating(world.truth)
    world.measure("area: more heating than usual", float(more.evidence["area under the curve"]))
    assert not more.achieved, more.why
    world.measure("longest wait for a time to speak", max(one.longest_wait_ns for one in lines.lines) / NS_PER_S, "s")
    for variant, on, padding in (
        (OPENED, X, S), (RULES, X, S), (DEMAND, X, S), (WOKEN, S, S), (WHICH, X, S),
    ):  # fmt: skip
        verdicts = {"on": on, "padding alone": padding, "dummies alone": S, "off": S}
        world.expect(tap, variant, **{name: (N, N, verdict) for name, verdict in verdicts.items()})


def _let_things_happen(world: World) -> None:
    """At drawn quarter hours of each gateway, amid them: housings are opened, rule sets and calls sent, values asked
    for. What is drawn is the same in every run of a seed."""
    draw = world.seeds.child("what happens at gateways")

    def happens(what: str, gateway: int, quarter: int) -> bool:
        return draw.one_below(what, 100, gateway, quarter) < OF_HUNDRED

    for gateway in range(world.spec.gateways):
        for quarter in range(QUARTERS):
            if happens("opened", gateway, quarter):
                world.fault(GatewayDisturbed(gateway=gateway, after_s=quarter * 900.0 + 300.0))
        world.clock.process(_administrator(world, gateway, happens))


def _administrator(world: World, gateway: int, happens: Callable[[str, int, int], bool]) -> Steps:
    system, asked = smgw(world.system), 0
    start_s = int(world.calendar.start.timestamp())
    for quarter in range(QUARTERS):
        yield world.clock.timeout(100 * NS_PER_S)
        if happens("call", gateway, quarter):
            system.calls.call(gateway)
        yield world.clock.timeout(100 * NS_PER_S)
        if happens("rules", gateway, quarter):
            system.send_rules(gateway, Order(SUPPLIER, system.settings.taf))
        yield world.clock.timeout(100 * NS_PER_S)
        if asked < 5 and happens("demand", gateway, quarter):
            asked += 1
            system.send_rules(gateway, Order(SUPPLIER, 6, start_s + quarter * 900))
        yield world.clock.timeout(600 * NS_PER_S)
