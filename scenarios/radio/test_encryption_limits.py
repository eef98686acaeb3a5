"""What encryption does not hide, or hides only as long as its keys and numbers do."""

from attacks.clear_tail import TAIL, Tails
from attacks.iv_reuse import Repeats
from attacks.leaked_key import LeakedKey
from attacks.parts import forgery
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.clock import NS_PER_S
from sim.core.vocabulary import SECURITIES, Security
from sim.recording.log import Played
from wmbus.link import Address
from wmbus.sender import profile_b, seal
from wmbus.telegram import build, parse


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
    """Five meters a mode; those of modes 5 and 7 encrypt one block of their telegram, as firmware in the field does,
    and the units stand behind it; those of mode 0 encrypt none. Any listener reads every one: a MAC hides nothing.
    In mode 5 the portal refuses clear tails, which hides nothing either and shows the operator which meters it is; in
    mode 7 the MAC covers them, they are readings, and nobody is told. Control ("sealed"): the same meters encrypt all
    blocks, and the same listener reads nothing."""
    key = bytes(range(16))
    meters = {
        Address("QDS", f"{77_000_000 + 100 * place + number}", 0x36, 8): security
        for place, security in enumerate(SECURITIES)
        for number in range(5)
    }
    sealed = world.defences == "sealed"
    sent = {
        _partly(meter, security, acc, units, key, whole=sealed): units
        for acc in range(6)
        for number, (meter, security) in enumerate(meters.items())
        for units in (1_000 * number + 7 * acc,)
        if security != "none" or not sealed
    }
    tails = world.attack(Tails(sent), place=Place(metres=3.0))
    played = [Played(line, 10 * NS_PER_S * line, -70.0, frame) for line, frame in enumerate(sent)]
    world.inner.play(played).enrol({meter: key for meter, security in meters.items() if security != "none"})
    world.run(minutes=18)
    world.expect(tails, TAIL, on=(S, S, S), sealed=(N, X, X), off=(S, S, S))
    if world.defences == "on":
        reasons = {security: set[str]() for security in SECURITIES}
        for frame in sent:
            reasons[parse(frame).security].update(world.truth.refused(frame))
        assert reasons == {"none": set(), "mode5": {"clear tail"}, "mode7": set()}


def _partly(meter: Address, security: Security, acc: int, units: int, key: bytes, *, whole: bool) -> bytes:
    """One encrypted block with the set date in it, and the units behind it: encrypted as well, or in clear; in mode 7
    the MAC is over both. In mode 0 all of it is in clear."""
    records = bytes.fromhex("436e000000426c7f2c")
    inside = records + bytes.fromhex("0f00000000")  # with 2F2F before it, sixteen bytes; the maker's own from 0F on
    record = forgery.HCA_RECORD + units.to_bytes(3, "little")
    if security == "none":
        return build(meter, acc, 0, records + record, security="none")
    if security == "mode5" and not whole:
        return forgery.with_tail(build(meter, acc, 0, inside, security="mode5", key=key), record)
    if not whole:
        transport, afl, plaintext = profile_b(acc, 0, records, acc + 1)
        return seal(0x44, meter, plaintext, transport, key=key, afl=afl, clear_tail=record)
    return build(meter, acc, 0, records + record, security=security, key=key, counter=acc + 1)
