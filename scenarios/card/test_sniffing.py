"""Card 1, sniffing. The talk's claim: possible, but ineffective."""

from attacks.sniff import Sniff
from bench.rig.scenario import N, S, Stage, X, here, scenario


@scenario(world="estate-1000", threats=["L01", "L02"])
def test_sniffing_recovers_no_encrypted_value(world: Stage) -> None:
    """A receiver in the courtyard decodes what it can. Units of meters in mode 5 and 7 stay hidden; which meter sends
    when, and the status byte, are open in every mode. Control: the same fleet without encryption."""
    sniff = world.attack(Sniff())
    world.run(hours=2)
    world.expect(sniff, "values", threats=["L01"], on=(S, X, X), off=(S, N, N), smgw=here(on=X))
    world.expect(sniff, "who and when", threats=["L02"], on=(S, S, S), off=(S, N, N), smgw=here(on=S))
    world.measure("telegrams heard by the attacker", sniff.survey.telegrams).at_least(500)
