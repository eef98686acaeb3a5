"""Card 2, replay: a captured telegram again, on a gateway that reads it itself.

It has succeeded when an old value comes out after a newer one: nobody behind this gateway can tell. The control is the
capture itself: the same bytes were read when they were new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attacks import replay
from attacks.attack import Outcome
from attacks.parts.forgery import with_access_number
from bench.desk.card.meters import Meter, say, shoot
from bench.desk.stand import Stand

_AT_ONCE_S: Final = 10.0
OTHERS: Final = 12
WRAP: Final = 256
RESTART: Final = "after a restart of the gateway"

Prepare = Callable[[Stand, list[Meter]], None]
"""What passes between the capture and the replay."""


def _at_once(stand: Stand, meters: list[Meter]) -> None:
    say(stand, meters)
    stand.turn(_AT_ONCE_S)


def _after_others(stand: Stand, meters: list[Meter]) -> None:
    say(stand, meters, times=OTHERS)


def _after_wrap(stand: Stand, meters: list[Meter]) -> None:
    say(stand, meters, times=WRAP - 1)


def _restarted(stand: Stand, meters: list[Meter]) -> None:
    say(stand, meters, times=OTHERS)
    with stand.power_cut():
        stand.turn(0.5)
    say(stand, meters)


VARIANTS: Final[dict[str, Prepare]] = {
    replay.AT_ONCE: _at_once,
    replay.OTHERS: _after_others,
    replay.WRAP: _after_wrap,
    replay.ACC: _after_others,
    RESTART: _restarted,
}


def play(stand: Stand, variant: str, meters: list[Meter]) -> tuple[Outcome, list[Outcome]]:
    """What came of it, and its control. Raises Undecided."""
    say(stand, meters)
    captured = [meter.sent[-1] for meter in meters]
    VARIANTS[variant](stand, meters)
    frames = {
        meter.id: with_access_number(old.frame, meter.acc) if variant == replay.ACC else old.frame
        for meter, old in zip(meters, captured, strict=True)
    }
    came = shoot(stand, frames)
    achieved = sum(any(round(one) == old.litres for one in came[old.meter]) for old in captured)
    if not achieved:
        say(stand, meters)  # it works, so silence was its answer
    security = meters[0].security
    why = "an old value came out as the newest" if achieved else "no old value came out"
    control = Outcome(variant, security, len(meters), len(meters), why="read when they were new")
    return Outcome(variant, security, len(meters), achieved, why=why), [] if variant == replay.ACC else [control]
