"""Card 3, jamming. The talk's claim: the damage is limited."""

from attacks.jam import Jam
from attacks.reach import Place
from bench.rig.scenario import D, S, Stage, T, here, scenario


@scenario(world="estate-1000", threats=["L25", "L26"], settings={"site.outdoor_mean_c": 0.0})
def test_jamming_is_noticed_and_billing_survives_it(world: Stage) -> None:
    """Readings are lost while a jammer sends, in every security mode; the portal notices, and the bill is right because
    telegrams carry the value at the set date afterwards. The noise lies over midnight of 31 December, in the cold, so
    that many meters go on counting unheard. Control: no alarms, and bills made of the last reading."""
    jam = world.attack(
        Jam(from_s=2_700, until_s=6_300, noise_from_s=6_400, noise_until_s=15_300), place=Place(power_dbm=20.0)
    )
    world.run(hours=7)
    world.expect(jam, "reactive on one meter: readings", threats=["L26"], on=(D, D, D), off=(S, S, S),
                 smgw=here(on=D))  # fmt: skip
    world.expect(jam, "continuous: readings", threats=["L25"], on=(D, D, D), off=(S, S, S),
                 smgw=here(on=D))  # fmt: skip
    world.expect(jam, "continuous: billing at the set date", threats=["L25"], on=(T, T, T), off=(S, S, S),
                 smgw=here(on=T))  # fmt: skip
