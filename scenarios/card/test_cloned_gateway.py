"""Card 5, a cloned gateway. The talk's claim: useless without the meters' keys."""

from attacks.clone import Clone
from bench.rig.scenario import D, N, S, Stage, X, scenario


@scenario(
    world="estate-1000", threats=["G01", "G02", "G03"],
    not_for={"smgw": "its gateways have no session that a clone could take over: smgw/test_cloned_gateway.py"},
)
def test_a_cloned_gateway_gains_nothing_against_mode_7(world: Stage) -> None:
    """A stolen gateway certificate is used from elsewhere. It always costs availability (both displace each other,
    and the portal notices). Old recordings are refused as they are; in mode 5 one that has no time inside is stored
    under a fresh access number, with what that garbles in the first block, since no MAC covers it. Without meter keys
    it changes nothing in mode 7; in mode 5 it can alter what is not authenticated (the status byte), in mode 0
    everything. Control: no checks, no alarms."""
    clone = world.attack(Clone(makers=("VIP", "QDS"), timeless=("TCH",)))
    world.run(hours=4.5)
    world.expect(clone, "live takeover of the client id", threats=["G01"], on=(D, D, D), off=(S, S, S))
    world.expect(clone, "backfill of recordings", threats=["G02"],
                 because=("replayed access number", "replayed access number", "replayed counter"),
                 on=(X, X, X), off=(S, S, S))  # fmt: skip
    world.expect(clone, "backfill, no time inside, fresh access number", threats=["G02"], because="bad mac",
                 on=(N, S, X), off=(N, S, X))  # fmt: skip
    world.expect(clone, "forged without meter keys, sent first", threats=["G03"], because="bad mac",
                 on=(S, S, X), off=(S, S, X))  # fmt: skip
    world.expect(clone, "units replaced without meter keys", threats=["G03"], because=("", "clear tail", "bad mac"),
                 on=(S, X, X), off=(S, S, X))  # fmt: skip
