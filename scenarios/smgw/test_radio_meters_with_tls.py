"""Radio meters of security profile C (mode 13, TLS in fragments): what somebody with a transmitter gets of them."""

from attacks.smgw_fragments import REPLAYED, TLS, SmgwFragments
from attacks.smgw_mode_downgrade import AGREED, MODE_0, STRIPPED, SmgwModeDowngrade
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.faults.gateway_power_cut import PowerCut
from sim.truth.delivered_values import wrong_values
from sim.truth.radio_values import wrong_rows


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.wireless": 2},
    not_for={"keyless": "its meters hold no sessions"},
)
def test_replayed_fragments_end_a_session_and_bring_no_value(world: Stage) -> None:
    """Old frames under the access numbers that the gateway asks for: a record of TLS is good once, so the session ends,
    and the meter's next cycle begins another. Control: the same messages without TLS are stored as new values."""
    replay = world.attack(SmgwFragments())
    world.run(hours=1.5)
    world.expect(replay, REPLAYED, because=TLS, on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.wireless": 2},
    not_for={"keyless": "its meters hold no sessions"},
)
def test_a_meter_that_agreed_on_tls_is_believed_in_nothing_less(world: Stage) -> None:
    """Telegrams in mode 0, and such as say mode 13 and carry plain records. Control: a gateway that takes a telegram's
    own word for its protection."""
    downgrade = world.attack(SmgwModeDowngrade())
    world.run(hours=1)
    world.expect(downgrade, MODE_0, because=AGREED, on=(N, N, X), off=(N, N, S))
    world.expect(downgrade, STRIPPED, because=AGREED, on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.wireless": 2, "system.taf": 7},
    not_for={"keyless": "its meters hold no sessions"},
)
def test_a_power_cut_costs_a_handshake_and_no_value_that_was_taken(world: Stage) -> None:
    """Sessions are gone with the gateway's power, rows are not: each meter's next demand is answered with a handshake,
    and what leaves is what reached the gateway."""
    world.run(hours=1)
    world.fault(PowerCut(gateway=0, duration_s=1_800.0))
    world.run(hours=1)
    assert wrong_rows(world.inner) == []
    assert wrong_values(world.truth) == []
    meters = world.inner.system.radio_meters.meters[0]  # type: ignore[attr-defined]  # of the system smgw
    world.measure("handshakes of a meter", max(meter.sessions.counts["full"] for meter in meters)).at_least(2)
