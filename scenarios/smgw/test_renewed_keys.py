"""A smart meter gateway's keys are renewed while its values go on."""

from attacks.smgw_former_key import SESSIONS, VALUES, SmgwFormerKey
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.events import ContainerRefused, KeysRenewed
from sim.faults.administrator_lost import AdministratorLost
from sim.systems._smgw_running import smgw
from sim.truth.delivered_values import expected, wrong_values


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its gateways' certificates are a broker's: wan/test_device_keys.py"},
)
def test_a_key_that_was_renewed_opens_nothing_any_more(world: Stage) -> None:
    """From the moment on at which nothing waits under the old keys, these are on the list: no session, and no value.
    Control: nobody looks at lists, and the key of before is as good as ever."""
    former = world.attack(SmgwFormerKey())
    world.run(hours=2)
    smgw(world.inner.system).renewals.order(0)
    world.run(hours=4)
    world.expect(former, SESSIONS, because="list-revoked", on=(N, N, X), off=(N, N, S))
    world.expect(former, VALUES, because="list-revoked", on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.taf": 7, "system.wired": 2},
    not_for={"keyless": "its gateways' certificates are a broker's: wan/test_device_keys.py"},
)
def test_renewed_keys_cost_no_value(world: Stage) -> None:
    """Containers of two hours wait under the old key when new ones are made, each value signed for itself. All of them
    arrive, what comes later is signed by the new key, and the old one is taken back when its last container is there.
    One gateway is renewed a second time."""
    world.run(hours=1)
    lost = world.fault(AdministratorLost())
    world.run(hours=2)
    system = smgw(world.inner.system)
    waiting = sum(len(gateway.waiting) for gateway in system.gateways)
    for number in range(len(system.gateways)):
        system.renewals.order(number)
    lost.heal()
    world.run(hours=1)
    system.renewals.order(0)
    world.run(hours=2)
    world.measure("containers that waited under the old keys", waiting).at_least(2 * len(system.gateways))
    told = [one.what for one in world.history.of(KeysRenewed)]
    renewed = len(system.gateways) + 1
    world.measure("times that keys were certified", told.count("certified")).at_least(renewed)
    world.measure("times that those before were taken back", told.count("superseded")).at_least(renewed)
    world.measure("containers refused", len(world.history.of(ContainerRefused))).at_most(0)
    assert wrong_values(world.truth) == []
    world.measure("values the supplier must have", len(expected(world.truth))).at_least(1_000)
