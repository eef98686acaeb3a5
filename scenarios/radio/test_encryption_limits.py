"""What encryption does not hide, or hides only as long as its keys and numbers do."""

from attacks.clear_tail import Tails
from attacks.iv_reuse import Repeats
from attacks.leaked_key import LeakedKey
from attacks.parts import forgery
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.clock import NS_PER_S
from sim.recording.log import Played
from wmbus.link import Address
from wmbus.telegram import build


@scenario(
    world="courtyard-fast", threats=["L04"], settings={"endpoint.kind": "memory"},
    not_for={"smgw": "whoever listens hears the same frames, whatever stands behind the air"},
)
def test_equal_ciphertext_tells_who_did_not_heat(world: Stage) -> None:
    """At 40 s the access number, and with it mode 5's IV, comes again within three hours. The units stand in the first
    block and no time does, so an equal first block says that nothing was consumed in between. In mode 7 nothing
    repeats. Control: all meters in mode 5."""
    repeats = world.attack(Repeats())
    world.run(hours=4)
    world.expect(repeats, '"no consumption" recognised', on=(N, S, X), off=(N, S, N))


@scenario(
    world="terrace-60", threats=["L06"],
    not_for={"smgw": "whoever listens hears the same frames, whatever stands behind the air"},
)
def test_one_meters_key_opens_that_meter_and_no_other(world: Stage) -> None:
    """One meter of each mode and maker is taken apart. Control: each group of meters shares one key, as a maker's
    default key makes it, and the leak opens the group."""
    leaked = world.attack(LeakedKey(), place=Place(metres=3.0))
    world.run(minutes=15)
    world.expect(leaked, "other meters read", on=(N, X, X), off=(N, S, S))


@scenario(
    world="terrace-60", threats=["L03"], defences={"sealed": {}},
    not_for={"smgw": "whoever listens hears the same frames, whatever stands behind the air"},
)
def test_what_stands_behind_the_encrypted_blocks_is_read(world: Stage) -> None:
    """Five meters that say mode 5 and encrypt one block of their telegram, as firmware in the field does; the units
    stand behind it. Any listener reads every one. The portal refuses them for the clear tail, which hides nothing
    and shows the operator which meters it is; not strict, it takes them. Control ("sealed"): the same meters encrypt
    all blocks, and the same listener reads nothing."""
    key = bytes(range(16))
    meters = [Address("QDS", f"{77_000_000 + number}", 0x36, 8) for number in range(5)]
    sealed = world.defences == "sealed"
    sent = {
        _sealed(meter, acc, 1_000 * number + 7 * acc, key, whole=sealed): 1_000 * number + 7 * acc
        for acc in range(6)
        for number, meter in enumerate(meters)
    }
    tails = world.attack(Tails(sent), place=Place(metres=3.0))
    played = [Played(line, 10 * NS_PER_S * line, -70.0, frame) for line, frame in enumerate(sent)]
    world.inner.play(played).enrol(dict.fromkeys(meters, key))
    world.run(minutes=15)
    world.expect(
        tails, "units read behind the encrypted blocks", on=(N, S, N), sealed=(N, X, N), off=(N, S, N)
    )
    reasons = {reason for frame in sent for reason in world.truth.refused(frame)}
    assert reasons == {"clear tail"}


def _sealed(meter: Address, acc: int, units: int, key: bytes, *, whole: bool) -> bytes:
    """One encrypted block with the set date in it, and the units behind it: encrypted as well, or in clear."""
    inside = bytes.fromhex("436e000000426c7f2c0f00000000")  # with 2F2F before it, sixteen bytes
    record = forgery.HCA_RECORD + units.to_bytes(3, "little")
    if whole:
        return build(meter, acc, 0, inside + record, security="mode5", key=key)
    return forgery.with_tail(build(meter, acc, 0, inside, security="mode5", key=key), record)
