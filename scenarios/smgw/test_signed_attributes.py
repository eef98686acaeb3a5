"""What a gateway signs are attributes about the content, and a receiver has to read them."""

from attacks.smgw_strip import EXCHANGED, STRIPPED, SmgwStrip
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "nothing is signed that way"},
)
def test_a_signature_without_its_attributes_proves_nothing(world: Stage) -> None:
    """The supplier wants signed attributes, and that they say what the content is. Control: a lax one, for whom a
    signature that verifies is enough."""
    strip = world.attack(SmgwStrip())
    world.run(hours=2.5)
    world.expect(strip, STRIPPED, because="no-signed-attributes", on=(N, N, X), off=(N, N, S))
    world.expect(strip, EXCHANGED, because="message-digest", on=(N, N, X), off=(N, N, S))
