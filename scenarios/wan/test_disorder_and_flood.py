"""What a broker or a stolen certificate can pour over the portal, and a clock that somebody else sets."""

from attacks.broker_disorder import ALARMED, CAME_BEFORE, EQUAL, TWICE, BrokerDisorder
from attacks.overfill import BEYOND, Flood
from attacks.wrong_clock import FIRST, LATER, OWN_TIME, WrongClock
from bench.rig.scenario import D, S, Stage, T, X, scenario


@scenario(
    world="terrace-60", threats=["W12"],
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_duplicates_and_disorder_change_nothing(world: Stage) -> None:
    """Every message twice, backwards, again later, some a window late. Nothing is stored twice, nothing is missing, and
    nobody is called a twin. Control: a portal that takes a bundle that came before for another one."""
    broker = world.attack(BrokerDisorder())
    world.run(minutes=30)
    if world.defences == "on":
        assert world.truth.missing() == []
        assert world.truth.alarms(["twin", "gap", "freshness", "clock"]) == []
    world.expect(broker, TWICE, because=CAME_BEFORE, on=(X, X, X), off=(S, S, S))
    world.expect(broker, ALARMED, because=EQUAL, on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["W11"],
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_flood_is_kept_to_its_sender_s_quota(world: Stage) -> None:
    """Fifteen hundred messages that are no bundles, in a gateway's name. Control: a portal that keeps them all."""
    flood = world.attack(Flood())
    world.run(minutes=20)
    if world.defences == "on":
        assert world.truth.missing() == []
    world.expect(flood, BEYOND, on=(T, T, T), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["G05"],
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_clock_that_somebody_sets_is_named_and_righted(world: Stage) -> None:
    """One gateway's clock is set twenty minutes ahead. What its meters say under their MACs disagrees in the first
    window, which costs telegrams; from then on they are judged by the meters' time, and an alarm names the gateway.
    Control: the gateway's time is believed, and nobody looks."""
    clock = world.attack(WrongClock())
    world.run(minutes=45)
    world.expect(clock, FIRST, on=(D, D, D), off=(S, S, S))
    world.expect(clock, LATER, because=OWN_TIME, on=(X, X, X), off=(S, S, S))
