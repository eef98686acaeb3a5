"""What the thief of a gateway that decrypts can read, and what the thief of its supplier's key can."""

from attacks.smgw_disk import KEYS, READINGS, SmgwDisk
from attacks.smgw_supplier import READINGS as PROFILE
from attacks.smgw_supplier import REGISTERS, SmgwSupplierKey
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.smgw.module.port import SLOTS
from sim.systems._smgw_running import smgw


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its gateways have no keys and no values: wan/test_gateway_memory.py"},
)
def test_a_gateways_disk_holds_its_meters_keys_and_readings(world: Stage) -> None:
    """A gateway that decrypts has the keys for it. Its copied disk opens the meters that are paired with it, for the
    past too, and no others; the keys that sign are not on it."""
    disk = world.attack(SmgwDisk())
    world.run(hours=2.5)
    world.expect(disk, KEYS, on=(N, N, S), off=(N, N, S))
    world.expect(disk, READINGS, on=(N, N, S), off=(N, N, S))
    if world.staged and world.defences == "on":
        system = smgw(world.inner.system)
        module = system.gateways[0].module
        assert all(slot in repr(module) for slot in SLOTS), "it has the keys of its seal and of its operational triple"
        share = len(disk.keys) / len(system.registry)
        world.measure("share of attached meters whose keys one gateway's disk holds", share).at_most(0.5)


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its receiver holds all meters' keys: portal/test_stolen_disk.py"},
)
def test_a_suppliers_key_opens_what_was_sent_to_him(world: Stage) -> None:
    """The key opens registers, for as long as somebody recorded the WAN, and no reading: none was ever sent. Control: a
    contract under TAF 7, which sends them."""
    thief = world.attack(SmgwSupplierKey())
    world.run(hours=4)
    world.expect(thief, PROFILE, because="none was ever sent to him", on=(N, N, X), off=(N, N, S))
    world.expect(thief, REGISTERS, on=(N, N, S), off=(N, N, S))
