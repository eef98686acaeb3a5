"""What encryption does not hide, or hides only as long as its keys and numbers do."""

from attacks.leaked_key import LeakedKey
from attacks.reach import Place
from attacks.repeats import Repeats
from bench.scenario import N, S, Stage, X, scenario


@scenario(world="courtyard-fast", threats=["L04"], settings={"endpoint.kind": "memory"})
def test_equal_ciphertext_tells_who_did_not_heat(world: Stage) -> None:
    """At 40 s the access number, and with it mode 5's IV, comes again within three hours. The units stand in the first
    block and no time does, so an equal first block says that nothing was consumed in between. In mode 7 nothing
    repeats. Control: all meters in mode 5."""
    repeats = world.attack(Repeats())
    world.run(hours=4)
    world.expect(repeats, '"no consumption" recognised', on=(N, S, X), off=(N, S, N))


@scenario(world="terrace-60", threats=["L06"])
def test_one_meters_key_opens_that_meter_and_no_other(world: Stage) -> None:
    """One meter of each mode and maker is taken apart. Control: each group of meters shares one key, as a maker's
    default key makes it, and the leak opens the group."""
    leaked = world.attack(LeakedKey(), place=Place(metres=3.0))
    world.run(minutes=15)
    world.expect(leaked, "other meters read", on=(N, X, X), off=(N, S, S))
