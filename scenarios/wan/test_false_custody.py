"""A gateway deletes on the portal's word alone: who stands on the path cannot give it."""

from attacks.false_custody import FOREIGN, OWN, UNNOTICED, FalseCustody
from attacks.number_thief import EMPTY, OTHER_CONTENT, NumberThief
from bench.rig.scenario import D, S, Stage, X, scenario
from sim.core.events import AcknowledgementRefused

BECAUSE = f"unknown ca | {FOREIGN}"
FEW = "a refused handshake is not tried often"


@scenario(
    world="terrace-60",
    threats=["W01", "G06"],
    settings={"endpoint.kind": "mosquitto"},
    defences={"unverified": {"gateway.verify_server": False}},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_nobody_else_acknowledges_a_bundle(world: Stage) -> None:
    """For twenty minutes a TLS server on the path plays the broker to one gateway, with a certificate of its own CA,
    and acknowledges each bundle with its number and digest. A gateway that verifies the server gives it nothing. One
    that does not ("unverified") hands the bundles over, refuses the acknowledgements, keeps everything and tells the
    portal, which raises an alarm about it. Control: it does not verify acknowledgements either: telegrams are gone."""
    custody = world.attack(FalseCustody())
    world.run(minutes=50)
    if world.defences == "on":
        assert world.truth.alarms(["custody"]) == []
    world.measure("acknowledgements refused", len(world.history.of(AcknowledgementRefused)))
    world.expect(custody, OWN, because=BECAUSE, least=1, few_because=FEW,
                 on=(X, X, X), unverified=(X, X, X), off=(S, S, S))  # fmt: skip
    world.expect(custody, UNNOTICED, because="unknown ca", least=1, few_because=FEW,
                 on=(X, X, X), unverified=(D, D, D), off=(S, S, S))  # fmt: skip


@scenario(
    world="terrace-60", threats=["G01", "G06"], settings={"endpoint.kind": "mosquitto", "gateway.bundle_age_s": 10.0},
    not_for={"smgw": "its gateways send no bundles that a portal acknowledges"},
)
def test_an_acknowledged_number_is_no_content(world: Stage) -> None:
    """A gateway is kept off the network for 25 minutes; the thief of its certificate publishes empty bundles under
    the numbers that wait. The portal commits and signs these, and the gateway, back again, finds that they are not what
    it has: everything arrives, and the portal says that two devices use one name. Control: a gateway that deletes by
    number."""
    thief = world.attack(NumberThief())
    world.run(minutes=50)
    twins = {alarm.subject for alarm in world.truth.alarms(["twin"])}
    assert twins == (set() if world.defences == "clean" else {world.inner.gateways[0].id})
    world.expect(thief, EMPTY, because=OTHER_CONTENT, on=(X, X, X), off=(S, S, S))
