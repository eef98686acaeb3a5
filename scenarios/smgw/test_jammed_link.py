"""A meter's link to its smart meter gateway is jammed while the tariff zone changes."""

from datetime import datetime

from attacks.smgw_link_jam import NO_TARIFF, READINGS, TARIFF, SmgwLinkJam, error_registers
from bench.rig.scenario import D, N, S, Stage, X, scenario


@scenario(
    world="terrace-60",
    settings={
        "system.kind": "smgw", "start": datetime.fromisoformat("2026-01-12T17:30:00"), "site.outdoor_mean_c": -15.0,
        "system.delivery_s": 10_800.0,
    },
    not_for={"keyless": "nothing is tariffed in its houses, a jammed link is a gap there: card/test_jamming.py"},
)  # fmt: skip
def test_what_no_zone_rules_is_billed_in_no_tariff(world: Stage) -> None:
    """The period is 19:00 to 22:00 local time, its zone changes at 21:00. A gap inside the first zone is in that zone's
    register when the meter is heard again; what was counted from 20:40 to 21:20 is in the register 63, and in no
    tariff. Both gaps are noticed, and no other meter has anything in that register. Control: a gateway without it, and
    no alarms."""
    jam = world.attack(SmgwLinkJam(within_s=3_600.0, over_s=7_800.0))
    world.run(hours=4)
    world.expect(jam, READINGS, threats=["L26"], on=(N, N, D), off=(N, N, S))
    world.expect(jam, TARIFF, because=NO_TARIFF, least=3, on=(N, N, X), off=(N, N, S),
                 few_because="few meters are jammed, and some of them used nothing")  # fmt: skip
    if world.staged and world.defences == "on":
        must = error_registers(world.truth)
        has = {
            (one.meter, one.taf, one.obis, one.from_s, one.until_s): one.amount
            for one in world.inner.system.delivered() if one.tariff == 63 and one.amount
        }  # fmt: skip
        world.measure("registers 63 that are not as the ledger has them", len(must.items() ^ has.items())).at_most(0)
        world.measure("of meters that nobody jammed", len({key[0] for key in has} - set(jam.targets))).at_most(0)
        world.measure("meters with consumption in the register 63", len(has)).at_least(3)
