"""Card 4 for the BSI's system: whoever relays containers, or stands on the way under an authority that is trusted."""

from attacks.smgw_relay import CHANGES, READS, SEALED, SmgwRelay
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    defences={"careless": {"system.verify_content": False}},
    not_for={"keyless": "its messages are not sealed a second time: card/test_man_in_the_middle.py"},
)
def test_who_relays_containers_reads_and_changes_nothing(world: Stage) -> None:
    """Content is sealed for the supplier before it is signed, so no TLS has to hold for it. "careless": the supplier
    checks nothing, and a turned bit is another number. Control: that, and nothing is sealed."""
    relay = world.attack(SmgwRelay())
    world.run(hours=3.5)
    world.expect(relay, READS, because=SEALED, on=(N, N, X), careless=(N, N, X), off=(N, N, S))
    world.expect(relay, CHANGES, because="message-digest", on=(N, N, X), careless=(N, N, S), off=(N, N, S))
