"""What leaves a smart meter gateway is what its administrator says."""

from attacks.smgw_rule import PROFILE, SmgwRule
from bench.rig.scenario import D, N, S, Stage, scenario


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0, "system.consumers_look_s": 3_600.0},
    not_for={"keyless": "everything leaves its houses anyway"},
)
def test_a_false_rule_set_lets_a_load_profile_leave(world: Stage) -> None:
    """A rule set of TAF 7 in place of the contract's is obeyed, and stands in every consumer's log before a value
    leaves. Who looks there every hour knows within it. Control: nobody looks."""
    rule = world.attack(SmgwRule())
    world.run(hours=3)
    world.expect(rule, PROFILE, within_s=4_200.0, on=(N, N, D), off=(N, N, S))
