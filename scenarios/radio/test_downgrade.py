"""A telegram that says of itself that it is not encrypted: it is the receiver that must know better."""

from attacks.downgrade import FORMS, Downgrade
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="terrace-60", threats=["L19"],
    not_for={"smgw": "it is about meters whose telegrams are not authenticated, which it does not attach"},
)
def test_a_meter_that_encrypts_is_not_believed_in_clear(world: Stage) -> None:
    """A telegram in clear, with the present time and the access number expected next, in four forms. Only the profile
    pinned for the meter refuses it; the other checks find nothing wrong. Control: the portal honours what each telegram
    says about itself, everything else is on."""
    attack = world.attack(Downgrade(), place=Place(metres=3.0))
    world.run(minutes=40)
    for form in FORMS:
        world.expect(attack, form, because="profile", on=(N, X, X), off=(N, S, S))
