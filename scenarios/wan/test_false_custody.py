"""A gateway deletes on the portal's word alone: who stands on the path cannot give it."""

from attacks.false_custody import OWN, FalseCustody
from attacks.number_thief import EMPTY, NumberThief
from bench.rig.scenario import S, Stage, X, scenario
from sim.core.events import AcknowledgementRefused

BECAUSE = "unknown ca | not the portal's"


@scenario(
    world="terrace-60",
    threats=["W01", "G06"],
    settings={"endpoint.kind": "mosquitto"},
    defences={"unverified": {"gateway.verify_server": False}},
)
def test_nobody_else_acknowledges_a_bundle(world: Stage) -> None:
    """For twenty minutes a TLS server on the path plays the broker to one gateway, with a certificate of its own CA,
    and acknowledges each bundle with its number and digest. A gateway that verifies the server gives it nothing. One
    that does not ("unverified") hands the bundles over, refuses the acknowledgements, keeps everything and tells the
    portal, which raises an alarm about it. Control: it does not verify acknowledgements either: telegrams are gone."""
    custody = world.attack(FalseCustody())
    world.run(minutes=50)
    alarmed = {alarm.subject for alarm in world.truth.alarms(["custody"])}
    victim = world.inner.gateways[0].id
    assert alarmed == ({victim} if world.defences == "unverified" else set())
    refused = [event for event in world.history.of(AcknowledgementRefused) if event.gateway == victim]
    world.measure("acknowledgements refused", len(refused))
    assert len(refused) >= 3 or world.defences != "unverified"
    world.expect(custody, OWN, because=BECAUSE, least=1, few_because="a refused handshake is not tried often",
                 on=(X, X, X), unverified=(X, X, X), off=(S, S, S))  # fmt: skip


@scenario(
    world="terrace-60", threats=["G01", "G06"], settings={"endpoint.kind": "mosquitto", "gateway.bundle_age_s": 10.0}
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
    world.expect(thief, EMPTY, because="not what waits", on=(X, X, X), off=(S, S, S))
