"""Telegrams that are sent to make others look old, and telegrams of meters that do not exist."""

from attacks.ghosts import Ghosts, bundled_bytes
from attacks.poison import Poison
from attacks.reach import Place, reach_for
from bench.rig.scenario import D, N, S, Stage, X, scenario
from sim.core.clock import ns
from sim.world import World
from sim.world_spec import WorldSpec


@scenario(
    world="terrace-60", threats=["L23"],
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_genuine_telegrams_are_not_made_to_look_old(world: Stage) -> None:
    """After each telegram of a meter the same bytes again, under numbers and minutes that come next: what the portal
    takes of them makes the genuine one look old. In mode 7 nothing forged is taken. In mode 5 the time inside stops it;
    where none is inside, and in clear telegrams whose clock can be rewritten too, genuine telegrams are refused, and
    the portal says so. Control: the access number alone."""
    poison = world.attack(Poison(), place=Place(metres=3.0))
    world.run(hours=1)
    world.expect(poison, "genuine telegrams refused", because="every genuine telegram was taken",
                 on=(D, X, X), off=(D, D, X))  # fmt: skip
    world.expect(poison, "no time inside: genuine telegrams refused", because="every genuine telegram was taken",
                 on=(N, D, X), off=(N, D, X))  # fmt: skip


@scenario(
    world="terrace-60", threats=["L27"],
    not_for={"smgw": "it varies checks that its gateways have not; their counter is in card/test_replay.py"},
)
def test_ghost_meters_cost_traffic_and_make_no_meter(world: Stage) -> None:
    """Four telegrams a second of meters that do not exist, for ten minutes. The gateways carry them all, because
    nothing at a gateway distinguishes them from meters; the portal refuses each and no reading comes of it. There is no
    defence to switch off, so the controls are two other worlds: without ghosts, and with ghosts on a channel to which
    neither meters nor gateways are tuned. In both the gateways carry what meters send and no more."""
    ghosts = world.attack(Ghosts(), place=Place(metres=3.0))
    world.run(minutes=30)
    world.expect(ghosts, "carried at our cost", on=(S, S, S), off=(S, S, S))
    assert not [row for row in world.truth.readings if row.meter.startswith("GHO")]
    if world.defences != "on":
        return
    start_ns, end_ns = ns(ghosts.from_s), ns(ghosts.until_s)
    cost = bundled_bytes(world.truth, start_ns, end_ns)
    on_c1 = world.spec.with_setting("fleet.link", "C1").with_setting("gateway.links", ["C1"])
    quiet, apart = (
        _without_them(world, "quiet", world.spec, Ghosts(from_s=7_200.0, until_s=7_800.0)),
        _without_them(world, "another channel", on_c1, Ghosts()),
    )
    assert apart <= 1.1 * quiet, "ghosts that no gateway is tuned to cost nothing"
    world.measure("bytes carried, times those without ghosts", cost / quiet).at_least(2.0)


def _without_them(world: Stage, name: str, spec: WorldSpec, ghosts: Ghosts) -> int:
    """Bytes that gateways bundled while ghosts speak in the scenario, in a world in which they are not heard."""
    with World(spec, world.seed, world.directory / name) as other:
        other.clock.process(ghosts.run(reach_for(Ghosts.record, other, Place(metres=3.0))))
        other.run(ns(1_800.0))
        assert not any(outcome.achieved for outcome in ghosts.outcomes(other.truth))
        assert other.truth.received > 500
        return bundled_bytes(other.truth, ns(Ghosts.from_s), ns(Ghosts.until_s))
