"""AES-CTR in the extended link layer: what it hides while its session numbers are new, and what it never protects.

The meters are five of each kind, made here: "mode 5" counts those that encrypt in the extended link layer alone, "mode
7" those whose transport layer is in mode 7 as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attacks.chosen_bits import CHOSEN, ChosenBits
from attacks.keystream import IDLE, READ, Keystream
from attacks.parts import forgery
from attacks.parts.ell_session import sealed_in_ell, session_number
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.clock import NS_PER_S
from sim.recording.log import Played
from wmbus.dates import encode_f
from wmbus.link import Address

KEY = bytes(range(16))
METERS = [Address("QDS", f"{78_000_000 + number}", 0x36, 8) for number in range(10)]
TELEGRAMS = 6
EVERY_S = 12
FIRST_S = 60.0


def _security(meter: int) -> str:
    return "mode7" if meter % 2 else "mode5"


def _units(meter: int, k: int) -> int:
    """Every other meter stands still."""
    return 1_000 * meter + (k * 7 if meter % 4 < 2 else 0)


def _recording(start: datetime, *, again: int) -> list[tuple[Played, int, int, datetime]]:
    """(what is sent, meter, its units, its clock); session numbers begin anew after `again` telegrams."""
    sent = []
    for k in range(TELEGRAMS):
        for meter, address in enumerate(METERS):
            at_s = EVERY_S * (k * len(METERS) + meter)
            clock = (start + timedelta(seconds=FIRST_S + at_s)).replace(second=0)
            records = (
                forgery.HCA_RECORD + _units(meter, k).to_bytes(3, "little") + forgery.CLOCK_RECORD + encode_f(clock)
            )
            counter = 50 + k if _security(meter) == "mode7" else None
            frame = sealed_in_ell(address, k, records, KEY, session_number(k % again), counter=counter)
            line = Played(len(sent), at_s * NS_PER_S, -70.0, frame)
            sent.append((line, meter, _units(meter, k), clock))
    return sent


def _play(world: Stage, recording: list[tuple[Played, int, int, datetime]]) -> None:
    playing = world.inner.play([line for line, *_ in recording], delay_s=FIRST_S)
    playing.enrol(dict.fromkeys(METERS, KEY))


@scenario(
    world="terrace-60", threats=["L07"], defences={"never again": {}},
    not_for={"smgw": "it is about meters whose telegrams are not authenticated, which it does not attach"},
)
def test_a_session_number_that_comes_again_opens_two_telegrams(world: Stage) -> None:
    """Session numbers of these meters begin anew after three telegrams, as after a new battery. Equal units are seen in
    the ciphertext, and who read the display at the first has the value of the second. With mode 7 inside, nothing is.
    Control ("never again"): the same meters with session numbers that never repeat, and nothing is read of either."""
    start = world.spec.start
    recording = _recording(start, again=TELEGRAMS if world.defences == "never again" else TELEGRAMS // 2)
    sent = {line.telegram: units for line, _, units, _ in recording}
    security = {line.telegram: _security(meter) for line, meter, _, _ in recording}
    shown = {line.telegram: units for line, _, units, _ in recording[: len(METERS)]}
    keystream = world.attack(Keystream(shown, sent, security), place=Place(metres=3.0))
    _play(world, recording)
    world.run(minutes=15)
    world.expect(keystream, READ, on=(N, S, X), off=(N, S, X), **{"never again": (N, X, X)})
    world.expect(keystream, IDLE, on=(N, S, X), off=(N, S, X), **{"never again": (N, X, X)})


@scenario(
    world="terrace-60", threats=["L18"],
    not_for={"smgw": "it is about meters whose telegrams are not authenticated, which it does not attach"},
)
def test_a_link_layer_without_a_mac_says_what_anybody_likes(world: Stage) -> None:
    """The display was read at each meter's fourth telegram: its units are turned into others, clock and numbers moved
    on. The portal agreed on no encryption of the link layer with any meter, so it refuses them, genuine ones too, and
    the operator sees which meters they are. Control: a portal that honours what a telegram says; it reads the genuine
    ones rightly and the forged ones just so, but where mode 7 is inside."""
    recording = _recording(world.spec.start, again=TELEGRAMS)
    chosen = recording[3 * len(METERS) : 4 * len(METERS)]
    security = {line.telegram: _security(meter) for line, meter, _, _ in recording}
    bits = world.attack(
        ChosenBits({line.telegram: (units, clock) for line, _, units, clock in chosen}, security),
        place=Place(metres=3.0),
    )
    _play(world, recording)
    world.run(minutes=15)
    world.expect(bits, CHOSEN, because=("", "profile", "profile | bad mac"), on=(N, X, X), off=(N, S, X))
    if world.defences == "off":
        read = {(row.meter, row.units) for row in world.truth.readings}
        of_those = {(str(METERS[meter]), units) for _, meter, units, _ in recording}
        assert len(of_those & read) >= 0.9 * len(of_those), "a portal that takes them reads the genuine ones"
