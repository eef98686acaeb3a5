"""What the thief of the portal's disk can read."""

from attacks.reach import Place
from attacks.stolen_keys import DISK, WITH_KEK, StolenKeys
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="terrace-60",
    threats=["P01"],
    settings={"portal.key_partitions": "flat"},
    defences={"undivided": {"portal.key_partitions": "house"}},
    not_for={"smgw": "there is no portal that has all keys: smgw/test_stolen_gateway_disk.py"},
)
def test_a_stolen_disk_opens_what_its_stolen_keys_bound(world: Stage) -> None:
    """The air is recorded for a quarter of an hour, then the portal's disk is copied. Keys that lie wrapped, under keys
    that lie elsewhere, open nothing. With one partition's key-encryption key the meters of that flat are open, for the
    past too, and no other; undivided keys ("undivided": one house) fall together. Control: keys in clear, every meter
    is open."""
    theft = world.attack(StolenKeys(), place=Place(metres=3.0))
    world.run(minutes=20)
    world.expect(theft, DISK, on=(N, X, X), undivided=(N, X, X), off=(N, S, S))
    world.expect(theft, WITH_KEK, on=(N, X, X), undivided=(N, S, S), off=(N, S, S))
    if world.staged and world.defences != "clean":
        theft.outcomes(world.truth)
        world.measure("share of meters open with one key-encryption key", theft.opened_share)
        assert (0.0 < theft.opened_share <= 0.2) == (world.defences == "on")
