"""Announcements: what a button press on somebody else's meter may change in the portal's books."""

from attacks.announce import ANNOUNCED, Announce
from attacks.reach import Place
from bench.rig.scenario import S, Stage, X, scenario


@scenario(
    world="terrace-60", threats=["L24"],
    not_for={"smgw": "its meters are paired by hand, and nobody is onboarded by a telegram"},
)
def test_an_announcement_changes_no_book(world: Stage) -> None:
    """Somebody announces known meters as meters that send in clear, and then sends in clear in their names. What was
    registered stays, an alarm names each meter of mode 5 and 7, and the telegrams are refused. A meter that is
    registered in clear is believed in clear: that no onboarding makes worse. Control: a portal that takes the newest
    announcement for the truth; all are believed, and the meters' own telegrams are refused since."""
    announce = world.attack(Announce(), place=Place(metres=3.0))
    world.service(at_least=0.9, because="meters of one address speak twice: some of what others say is lost beside it")
    world.run(minutes=40)
    world.expect(announce, ANNOUNCED, because="profile", on=(S, X, X), off=(S, S, S))
    if world.staged and world.defences == "on":
        for outcome in announce.outcomes(world.truth):
            if outcome.security != "none":
                assert outcome.evidence["meters with an onboarding alarm"] == "3 of 3", outcome
                latency_s = float(outcome.evidence["its latency, s"])
                world.measure(f"onboarding alarm after, {outcome.security}", latency_s, "s").at_most(900.0)
