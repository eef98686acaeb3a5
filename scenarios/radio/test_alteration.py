"""Telegrams changed on their way: which switch of the portal stops which surgery."""

from attacks.alter import Alter
from attacks.reach import Place
from bench.rig.scenario import N, S, Stage, X, scenario

BETWEEN = Place(metres=1.0, power_dbm=-18.0, ear=Place(metres=-15.0), mouth=Place(metres=1.0, power_dbm=0.0))


@scenario(
    world="terrace-60",
    threats=["L13", "L14", "L15", "L16", "L17", "L20", "L21"],
    defences={
        "not_strict": {"portal.strict": False},
        "by_id": {"portal.whole_address": False},
        "not_pinned": {"portal.pin_profile": False},
    },
    not_for={"smgw": "it is about meters whose telegrams are not authenticated, which it does not attach"},
)
def test_only_a_mac_or_one_switch_each_stops_an_alteration(world: Stage) -> None:
    """The genuine telegram never reaches the gateway, so freshness has nothing to say. In mode 7 the MAC stops all that
    changes contents; the profile stops leaving it out (a MAC of two bytes would take 65 536 tries, and is not tried).
    `strict` stops what is appended in clear, in mode 0 as a second answer (an attacker that overwrites the units there
    is not stopped: see the cloned gateway). In mode 5 the whole address stops the swapped version; a flipped bit behind
    the first block and, as in mode 0, a cleared status byte pass, with everything on. Where the time was cut away, `ts`
    stops it too. What no MAC covers passes in every mode, and nothing is decided by it. Control: strict, profile, whole
    address and ts off; the named runs switch off one of them."""
    attack = world.attack(Alter(), place=BETWEEN)
    world.service(at_least=0.9, because="the jammer beside the gateway also hits frames that overlap with the chosen")
    world.run(minutes=20)
    for meter in range(30):
        world.inner.tamper(meter, "removed")
    world.run(minutes=40)
    world.expect(attack, "a record in clear appended", threats=["L15"],
                 because=("bad records", "clear tail", "bad mac"),
                 on=(X, X, X), not_strict=(S, S, X), by_id=(X, X, X), not_pinned=(X, X, X), off=(S, S, X))  # fmt: skip
    world.expect(attack, "N lowered, cut, units and time in clear appended", threats=["L16"],
                 because=("", "clear tail", "bad mac"),
                 on=(N, X, X), not_strict=(N, S, X), by_id=(N, X, X), not_pinned=(N, X, X), off=(N, S, X))  # fmt: skip
    world.expect(attack, "N lowered, cut, units in clear appended", threats=["L16"],
                 because=("", "clear tail | no time", "bad mac"),
                 on=(N, X, X), not_strict=(N, X, X), by_id=(N, X, X), not_pinned=(N, X, X), off=(N, S, X))  # fmt: skip
    world.expect(attack, "a bit flipped behind the first block", threats=["L14"], because=("", "", "bad mac"),
                 on=(N, S, X), not_strict=(N, S, X), by_id=(N, S, X), not_pinned=(N, S, X), off=(N, S, X))  # fmt: skip
    world.expect(attack, "another version announced: stored", threats=["L21"], because="known id, other address",
                 on=(X, X, X), not_strict=(X, X, X), by_id=(S, S, S), not_pinned=(X, X, X), off=(S, S, S))  # fmt: skip
    world.expect(attack, "another version announced: value changed", threats=["L13"],
                 because="known id, other address | nothing the attacker wanted was stored",
                 on=(X, X, X), not_strict=(X, X, X), by_id=(X, S, X), not_pinned=(X, X, X), off=(X, S, X))  # fmt: skip
    world.expect(attack, "another C field: stored", threats=["L21"],
                 on=(S, S, S), not_strict=(S, S, S), by_id=(S, S, S), not_pinned=(S, S, S), off=(S, S, S))  # fmt: skip
    world.expect(attack, "another communication control: stored", threats=["L21"],
                 on=(N, N, S), not_strict=(N, N, S), by_id=(N, N, S), not_pinned=(N, N, S), off=(N, N, S))  # fmt: skip
    world.expect(attack, "MAC left out, status changed", threats=["L20"], because="profile",
                 on=(N, N, X), not_strict=(N, N, X), by_id=(N, N, X), not_pinned=(N, N, S), off=(N, N, S))  # fmt: skip
    world.expect(attack, "tamper bit of the status byte cleared", threats=["L17"], because=("", "", "bad mac"),
                 on=(S, S, X), not_strict=(S, S, X), by_id=(S, S, X), not_pinned=(S, S, X), off=(S, S, X))  # fmt: skip
