"""What leaves a smart meter gateway is what its administrator says."""

from attacks.smgw_rule import PROFILE, SmgwRule
from bench.rig.scenario import N, S, Stage, scenario


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "everything leaves its houses anyway"},
)
def test_a_false_rule_set_lets_a_load_profile_leave(world: Stage) -> None:
    """A rule set of TAF 7 in place of the contract's is obeyed. What would tell the consumer is a log of his, which
    this model does not have."""
    rule = world.attack(SmgwRule())
    world.run(hours=3)
    world.expect(rule, PROFILE, on=(N, N, S), off=(N, N, S))
