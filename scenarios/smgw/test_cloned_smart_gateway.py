"""Card 5 for the BSI's system: a gateway cloned without its security module, and one that is run with it."""

from attacks.smgw_clone import AGAIN, FORGED, SmgwClone
from attacks.smgw_takeover import FORGED as BY_MODULE
from attacks.smgw_takeover import SmgwTakeover
from bench.rig.scenario import N, S, Stage, X, scenario


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "its gateways sign nothing: card/test_cloned_gateway.py"},
)
def test_a_clone_without_the_module_delivers_nothing(world: Stage) -> None:
    """Who has copied everything but the module forges registers and signs them himself, and hands in old containers.
    The supplier refuses both. Control: he looks at neither signature nor age."""
    clone = world.attack(SmgwClone())
    world.run(hours=2.5)
    world.expect(clone, FORGED, because="signature", on=(N, N, X), off=(N, N, S))
    world.expect(clone, AGAIN, because="old", on=(N, N, X), off=(N, N, S))


@scenario(
    world="terrace-60",
    settings={"system.kind": "smgw", "site.outdoor_mean_c": -15.0},
    not_for={"keyless": "what its gateways forward carries the MAC of the meter: card/test_cloned_gateway.py"},
)
def test_whoever_runs_the_processor_delivers_any_register(world: Stage) -> None:
    """The module signs what its gateway gives it. Nothing on the way can tell a forged register from a true one."""
    takeover = world.attack(SmgwTakeover())
    world.run(hours=2.5)
    world.expect(takeover, BY_MODULE, on=(N, N, S), off=(N, N, S))
