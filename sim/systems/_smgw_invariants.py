"""What must hold in a world of smart meter gateways without an attacker: each a sentence, and who says what is wrong.

The truth is worked out in sim/truth from fleet, houses and air; it is loaded when such a world is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sim.truth import radio_values, wired_values
from sim.truth.delivered_labels import wrong_labels
from sim.truth.delivered_values import wrong_values
from sim.truth.released_values import finer_than_allowed

if TYPE_CHECKING:
    from sim.world import World

_SHOWN: Final = 3


def delivered_true(world: World) -> list[str]:
    """A final receiver has each register and reading that it must have, with the amount that follows from what gateways
    received, and no others; each by its own gateway, under its tariff, and signed where it is to be."""
    return _told(wrong_values(world.truth) or wrong_labels(world))


def leaves_as_allowed(world: World) -> list[str]:
    """Nothing leaves a gateway that is finer than its receiver's contract allows."""
    return _told(finer_than_allowed(world))


def wired_true(world: World) -> list[str]:
    """A gateway has each value of its wired meters up to the last time it met them, as the house counted it, and no
    others."""
    return _told(wired_values.wrong_rows(world) if wired_values.wired_count(world) else ())


def radio_true(world: World) -> list[str]:
    """A gateway has each value of its radio meters of security profile C that reached it, as the meter counted it, and
    no others."""
    return _told(radio_values.wrong_rows(world) if radio_values.radio_count(world) else ())


def _told(wrong: Sequence[object]) -> list[str]:
    return [f"{len(wrong)} values; {'; '.join(map(str, wrong[:_SHOWN]))}"] if wrong else []


INVARIANTS: Final[dict[str, Callable[[World], list[str]]]] = {
    "delivered values are what the meters counted": delivered_true,
    "what leaves is no finer than allowed": leaves_as_allowed,
    "wired meters' values are what the houses counted": wired_true,
    "values of radio meters of profile C are what the houses counted": radio_true,
}
