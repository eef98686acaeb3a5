"""A smart meter gateway whose certificates are taken back while its session is open."""

from attacks.smgw_revoked import SESSION, VALUES, SmgwRevoked
from bench.rig.scenario import N, S, Stage, T, X, scenario
from sim.systems._smgw_running import smgw


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.session_most_s": 7_200.0},
    not_for={"keyless": "its sessions are with a broker: wan/test_broker_rules.py"},
)
def test_a_session_outlives_its_certificate_until_its_end(world: Stage) -> None:
    """Sessions of this world last two hours, where the guideline allows 48: what is true of the one is of the other.
    The live session goes on, the next one is not opened; the supplier refuses the signer from the list on."""
    revoked = world.attack(SmgwRevoked())
    world.run(hours=2)
    smgw(world.inner.system).take_back(0)
    world.run(hours=4)
    world.expect(revoked, SESSION, because="list-revoked", on=(N, N, T), off=(N, N, S))
    world.expect(revoked, VALUES, because="list-revoked", on=(N, N, X), off=(N, N, S))
