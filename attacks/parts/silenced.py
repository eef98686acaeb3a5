"""Who falls silent with a noise, and who is heard through it: a strong signal beside a weak jammer wins now and then.
No attack by itself.

An alarm about silence is due three intervals after the last telegram that came. So the noise is held to its alarm by
those meters of which nothing came in its first three intervals; of another the same alarm comes rightly later.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.truth.ground_truth import Truth

INTERVALS = 3


def silenced(truth: Truth, meters: Iterable[int], from_ns: int) -> tuple[str, ...]:
    """The meters of these of which no telegram sent in the first three intervals became a reading."""
    fleet = truth.world.fleet
    quiet = []
    for meter in meters:
        until_ns = from_ns + INTERVALS * int(fleet.population.period_ns[meter])
        if all(one.reading is None for one in truth.sent(from_ns, until_ns, meter=meter)):
            quiet.append(str(fleet.address(meter)))
    return tuple(quiet)
