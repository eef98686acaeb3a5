"""Who can see that somebody is at home, of those who break nothing: a supplier, and an administrator who hands on."""

from attacks.lawful_habits import RECEIVED, RELAYED, LawfulHabits
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="habits-620",
    threats=["P02"],
    settings={
        "fleet.mode 5.count": 1, "fleet.mode 5.security": "mode7", "fleet.clear.count": 1, "system.kind": "smgw",
        "system.taf": 2, "system.delivery_s": 31 * 86_400.0,
    },
    defences={"taf 1": {"system.taf": 1}, "daily": {"system.delivery_s": 86_400.0}},
    not_for={"keyless": "everything leaves its houses: portal/test_who_heats.py"},
)  # fmt: skip
def test_a_supplier_sees_of_a_day_what_its_rule_set_lets_leave(world: Stage) -> None:
    """Under TAF 1 and 2 a supplier has nothing before the month ends. "daily": TAF 2 whose two sums leave each day tell
    a little, which flats heat more by day than by night. The administrator knows when gateways deliver. Control: under
    TAF 7 and without a seal both have quarter hours, and know who heats when."""
    lawful = world.attack(LawfulHabits())
    world.run(hours=24)
    world.expect(lawful, RECEIVED, **{"on": (N, N, X), "taf 1": (N, N, X), "daily": (N, N, S), "off": (N, N, S)})
    world.expect(lawful, RELAYED, **{"on": (N, N, X), "taf 1": (N, N, X), "daily": (N, N, X), "off": (N, N, S)})
