"""The wired meter bus of a smart meter gateway: who has clips on it, and what a cut of it costs."""

from attacks.smgw_bus import CHANGES, NO_SML, READS, TLS, SmgwBus
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.faults.wired_bus_cut import WiredBusCut
from sim.truth.delivered_values import expected, wrong_values
from sim.truth.wired_values import last_met_s, wrong_rows


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.wired": 3},
    not_for={"keyless": "it has no wired meters"},
)
def test_who_has_clips_on_the_bus_reads_and_changes_nothing(world: Stage) -> None:
    """Sessions between meters and gateway are TLS; a turned bit ends one, and the value is fetched afterwards. Control:
    without TLS registers stand on the wire, and a changed one is billed."""
    clips = world.attack(SmgwBus())
    world.run(hours=3)
    world.expect(clips, READS, because=NO_SML, on=(N, N, X), off=(N, N, S))
    world.expect(clips, CHANGES, because=TLS, on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.wired": 3, "system.taf": 7},
    not_for={"keyless": "it has no wired meters"},
)
def test_a_cut_bus_costs_no_value(world: Stage) -> None:
    """Three hours without a frame. The meters keep their rows, the gateway asks for them, and the periods that waited
    leave whole: each quarter hour of the cut is delivered, as the house counted it."""
    world.run(hours=1)
    cut = world.fault(WiredBusCut())
    world.run(hours=3)
    met_s = last_met_s(world.inner, 0)
    cut.heal()
    world.run(hours=1)
    later_s = last_met_s(world.inner, 0)
    assert met_s is not None and later_s is not None
    world.measure("hours that were missing", (later_s - met_s) / 3_600).at_least(3.9)
    assert wrong_values(world.truth) == []
    assert wrong_rows(world.inner) == []
    wired = [key for key in expected(world.truth) if key[0].startswith("1WMB")]
    world.measure("wired meters' values the supplier must have", len(wired)).at_least(2 * 3 * 2 * 20)
