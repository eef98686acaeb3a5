"""An attacker with skill against mode 5: what he chooses lands, by tries that somebody can count."""

from attacks.chosen_splice import CHOSEN, COMPLAINT, ChosenSplice
from attacks.reach import Place
from bench.rig.scenario import D, N, S, Stage, X, scenario
from sim.meters.sent_values import Truth as Sent
from wmbus.dates import encode_g

BETWEEN = Place(metres=1.0, power_dbm=-18.0, ear=Place(metres=-15.0), mouth=Place(metres=1.0, power_dbm=0.0))


@scenario(
    world="terrace-60",
    threats=["L14", "L16"],
    not_for={"smgw": "it is about meters whose telegrams are not authenticated, which it does not attach"},
)
def test_what_is_spliced_onto_mode_5_lands_by_tries_that_are_told_of(world: Stage) -> None:
    """Blocks appended behind noise that a text record swallows, one try in five. In mode 7 the MAC stops each.
    In mode 5 `strict` refuses the second answer to what the meter says itself, so units cannot be chosen; a complaint
    of tampering, which the type never sends, is believed, and the tries before it raise the alarm freshness. Control:
    not strict, where the last answer stands, and without that alarm."""
    splice = world.attack(ChosenSplice(display=lambda meter: _display(world, meter)), place=BETWEEN)
    world.service(at_least=0.85, because="the jammer beside the gateway also hits frames that overlap with the chosen")
    world.run(minutes=40)
    world.expect(splice, CHOSEN, threats=["L14"], because=("", "bad records", "bad mac"),
                 on=(N, X, X), off=(N, S, X))  # fmt: skip
    world.expect(splice, COMPLAINT, threats=["L16"], because=("", "", "bad mac"), on=(N, D, X), off=(N, S, X))


def _display(world: Stage, meter: str) -> bytes:
    """The first block of plaintext of a Techem radio 4, from what its display shows now."""
    fleet = world.inner.fleet
    number = fleet.find(meter)
    last: Sent | None = next(
        (fleet.truth(number, k) for k in range(10_000) if fleet.start_ns(number, k + 1) > world.inner.now_ns), None
    )
    assert last is not None and last.units is not None and last.set_date_units is not None
    units, at_set_date = (value.to_bytes(3, "little") for value in (last.units, last.set_date_units))
    return b"\x2f\x2f\x03\x6e" + units + b"\x43\x6e" + at_set_date + b"\x42\x6c" + encode_g(last.set_date)
