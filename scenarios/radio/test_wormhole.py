"""Telegrams tunnelled to another gateway: bytes, counter and time are right, only the place is not."""

from attacks.reach import Place
from attacks.wormhole import Wormhole
from bench.rig.scenario import S, Stage, X, scenario

TUNNEL = Place(metres=1.0, power_dbm=-18.0, ear=Place(metres=-15.0), mouth=Place(beside=1, metres=2.0, power_dbm=0.0))


@scenario(
    world="terrace-60", threats=["L12"],
    not_for={"smgw": "a meter is paired with one gateway, and others do not look at it"},
)
def test_a_meter_is_not_read_through_a_gateway_that_cannot_hear_it(world: Stage) -> None:
    """Every telegram of some meters is kept from their gateway and spoken 0.2 s later beside a gateway that the
    installer never heard them with. Only `bind` refuses it. Control: all checks but that one."""
    attack = world.attack(Wormhole(), place=TUNNEL)
    world.run(minutes=50)
    world.expect(attack, "live, through a gateway that cannot hear the meter", because="foreign gateway",
                 on=(X, X, X), off=(S, S, S))  # fmt: skip
