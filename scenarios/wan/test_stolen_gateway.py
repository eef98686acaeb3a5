"""What the thief of a gateway's certificate can do without being loud."""

from attacks.late_bill import LateBill
from attacks.patient_thief import POISONED, PatientThief
from attacks.quiet_clone import QuietClone
from attacks.standing_clone import RESTING, UPTIME, StandingClone
from bench.rig.scenario import D, N, S, Stage, X, scenario
from sim.core.settings import without


@scenario(
    world="terrace-60", threats=["G01", "G03"],
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_clone_that_shows_once_is_noticed(world: Stage) -> None:
    """One login, one bundle of forged clear telegrams, away. Nothing stops it in mode 0; the number of its bundle is
    far from the owner's, and the portal says so. Control: the alarm switched off."""
    clone = world.attack(QuietClone())
    world.run(minutes=40)
    world.expect(clone, "forged in one session, then away", on=(D, N, N), off=(S, N, N))


@scenario(
    world="terrace-60", threats=["G01"], settings={"endpoint.kind": "mosquitto"},
    not_for={"smgw": "its gateways have no session that a clone could take over: smgw/test_cloned_gateway.py"},
)
def test_a_clone_that_stays_takes_the_owners_uptime(world: Stage) -> None:
    """A certificate is no hold on a session: whoever has a copy takes it for as long as he wants. The owner is up for
    less than 99 % of the time, and the portal says that there are two. What was not sent meanwhile is sent afterwards.
    Control: no alarms."""
    clone = world.attack(StandingClone())
    world.run(minutes=20)
    world.expect(clone, UPTIME, on=(D, D, D), off=(S, S, S))
    world.expect(clone, RESTING, on=(D, D, D), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["G02", "L10"], settings={"fleet.interval_s": 900.0},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_what_is_refused_as_late_is_not_billed(world: Stage) -> None:
    """Clear telegrams with other units at the set date, two hours back in time: refused as late, and kept, because
    after an outage they may be the only witness. Where readings tell the set date, these are billed. Control: a portal
    that bills the newest record, whatever became of its telegram."""
    late = world.attack(LateBill())
    world.run(hours=3)
    world.expect(late, "set date units rewritten, two hours late", because="late", on=(X, N, N), off=(S, N, N))


@scenario(
    world="terrace-60", threats=["G03"], settings={"fleet.interval_s": 7_200.0},
    defences={"no_set_date": {"portal.alarms": without("set date")}},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_thief_who_waits_is_below_every_threshold(world: Stage) -> None:
    """One login, one bundle with a likely number, four clear telegrams of the present minute, just before the bill is
    made: their units at the set date are the thief's, and so is the bill. Of a past set date the portal was told
    something else, and says so before the bill; without that alarm ("no_set_date") none comes in time, since the
    owner's own bundle of that number raises one days later. Nothing but encryption stops it. Control: no alarms."""
    thief = world.attack(PatientThief(act_at_s=8 * 3_600.0 - 100.0))
    world.run(hours=8)
    world.expect(thief, POISONED, on=(D, N, N), no_set_date=(S, N, N), off=(S, N, N))


@scenario(
    world="terrace-60", settings={"gateway.clock_offset_s": 400.0},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_a_gateway_with_a_wrong_clock_is_named_and_costs_no_telegram(world: Stage) -> None:
    """Both gateways are 400 s ahead. Meters that send their time under a MAC agree on that, so telegrams are judged by
    the meters' time, and the alarm names the gateways and no meter."""
    world.run(hours=1)
    assert {alarm.subject for alarm in world.truth.alarms(["clock"])} == {g.id for g in world.inner.gateways}
    assert world.truth.alarms(["freshness", "gap", "twin"]) == []
    assert world.truth.missing() == []
    world.measure("readings stored", world.truth.stored).at_least(900)
