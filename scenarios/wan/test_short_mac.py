"""An attacker with a gateway's certificate against a MAC whose length the sender may choose."""

from attacks.reach import Place
from attacks.short_mac import GUESSED, ShortMac
from bench.rig.scenario import D, N, Stage, X, scenario

BETWEEN = Place(metres=1.0, power_dbm=-18.0, ear=Place(metres=-15.0))


@scenario(
    world="terrace-60", threats=["L20"],
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_two_bytes_are_no_mac(world: Stage) -> None:
    """All 65 536 MACs of two bytes for one telegram, whose status was changed. The pinned profile refuses every one.
    Control: a portal that honours the authentication type that a telegram names; it believes exactly one, and has an
    alarm of all the others."""
    guess = world.attack(ShortMac(), place=BETWEEN)
    world.run(minutes=25)
    world.expect(guess, GUESSED, because="profile", on=(N, N, X), off=(N, N, D))
    if world.staged and world.defences == "off":
        [(_, outcome)] = [(one, out) for one, out in world.outcomes() if out.variant == GUESSED]
        assert outcome.achieved == 1, f"{outcome.achieved} of 65 536 MACs fit"
