"""What a check is: is this telegram new? One file of `sim/portal/checks/` a check, found by folder.

A check is plain functions over whole numbers. `verdict` says whether a telegram passes, `took` what is to be remembered
of one that was taken; both are compiled for arrays by `freshness`, and the same source is callable as it stands. So
they keep to what numba compiles: numbers, named tuples of them, and one ring of bytes.

    verdict(sight, meter, past, ring, limits) -> int      PASSED, LATE, or 2 + the place of a reason in `reasons`
    took(sight, meter, past, ring, limits) -> State       after an accepted telegram, or a late one

    sight   the telegram: a Sight           ring     bytes for sim.portal.window, of which the meter's are in its row
    meter   what was agreed: a Meter        limits   the check's own Limits, from the portal's settings
    past    what the check remembers of this meter: its own State, whose defaults are a meter never heard

Times are world nanoseconds, cut off at 73 years from the world's beginning, so that differences fit 64 bits.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from sim.core.broken_files import at_line, line_in, words_of
from sim.core.parts import Folder, PartError
from sim.portal import reasons
from sim.portal.check_source import returns_bool

NONE: Final = -(1 << 62)
"""Of a number in a telegram or a state: there is none."""
UNKNOWN: Final = -1
"""Of `sends_time`: nobody said; to be learned."""
PASSED: Final = 0
LATE: Final = 1
"""Genuine as far as can be told, and too old to be news."""
HARMLESS, STALE, FORGED = "harmless", "stale", "forged"
"""What a reason says of whoever sent the telegram; stale and forged ones make the freshness alarm."""
_ASKED: Final = ("sight", "meter", "past", "ring", "limits")
_PARAMETERS: Final = {
    "verdict": _ASKED, "took": _ASKED, "detail": ("why", "sight", "meter", "past", "limits", "names"),
}  # fmt: skip
"""Of each function that every check has."""


class Sight(NamedTuple):
    """One telegram at one gateway. `gateway`: its number; `received_ns` by the gateway's clock, `now_ns` by the
    portal's; `acc` the access number; `counter` only where a verified MAC covers it; `shown_ns` the meter's own time,
    which it shows in whole minutes; `expected`: the installer heard this meter with this gateway."""

    gateway: int
    received_ns: int
    now_ns: int
    acc: int
    counter: int
    shown_ns: int
    expected: bool


class Meter(NamedTuple):
    """What was agreed for a meter. `row`: where it stands; `silent_ns`: its longest planned pause; `sends_time`: 1, 0
    or UNKNOWN."""

    row: int
    interval_ns: int
    silent_ns: int
    sends_time: int


class Names(NamedTuple):
    """What a refusal's words need beside the numbers: the gateway that heard it, and those that may."""

    gateway: str
    bound: tuple[str, ...]


class Nothing(NamedTuple):
    """A state or limits without a number: a placeholder, since numba has no empty named tuple; it is not stored."""

    nothing: int = 0


class NoSettings:
    """A check without settings."""


def no_limits(_settings: object) -> Nothing:
    return Nothing()


@dataclass(frozen=True)
class Check:
    """One check. `order`: checks are asked in the order of these numbers, the first refusal stands. `reasons`: its
    reasons and what each says of the sender. `detail(why, sight, meter, past, limits, names)`: a refusal in words.
    `window`: how many values its ring remembers. `side_by_side`: the meters' values go on alike, so bytes of one place
    lie together. `left_to`: the id of a check that knows better; this one is not asked about a telegram for which that
    one is on and `answers(sight)`. `takes_late`: it remembers late telegrams too. `limits(settings)` gets the portal's
    settings, which include those of the class `settings`. `portal_only`: a gateway that judges its own meters (system
    smgw) does without, since its guideline names the counter alone."""

    id: str
    order: int
    reasons: Mapping[str, str]
    verdict: Callable[[Any, Any, Any, Any, Any], int]
    took: Callable[[Any, Any, Any, Any, Any], Any]
    detail: Callable[[int, Sight, Meter, Any, Any, Names], str]
    state: type[tuple[Any, ...]] = Nothing
    window: int = 0
    side_by_side: bool = False
    limits: Callable[[Any], tuple[int, ...]] = no_limits
    settings: type = NoSettings
    left_to: str = ""
    answers: Callable[[Any], bool] | None = None
    takes_late: bool = True
    portal_only: bool = False
    columns: int = field(init=False)

    def __post_init__(self) -> None:
        """Raises ValueError for what is no check, naming the check and the way out."""
        if not isinstance(self.id, str):
            raise ValueError(f"a check's id is a text, not {self.id!r}; a check begins with id, order, reasons")
        if not isinstance(self.order, int) or isinstance(self.order, bool):
            raise ValueError(
                f"check {self.id}: order is {self.order!r} and no whole number; a check begins with id, order, reasons"
            )
        self._check_reasons()
        for name, wanted in _PARAMETERS.items():
            if isinstance(given := getattr(self, name), type) or not callable(given):
                words = given.__name__ if isinstance(given, type) else repr(given)
                raise ValueError(
                    f"check {self.id}: {name} is {words} and no function; a check has, in this order, id, order, "
                    "reasons, verdict, took, detail, state"
                )
            if not _fits(given, wanted):
                raise ValueError(
                    f"check {self.id}: {name}{inspect.signature(given)} has other parameters than it is called with; "
                    f"write {name}({', '.join(wanted)})"
                )
        if not self.state._fields:  # type: ignore[attr-defined]
            raise ValueError(f"check {self.id}: a state without a field cannot be compiled; leave `state` out")
        none = self.state is Nothing
        object.__setattr__(self, "columns", 0 if none else len(self.state._fields))  # type: ignore[attr-defined]

    def _check_reasons(self) -> None:
        if not isinstance(self.reasons, Mapping) or not self.reasons:
            raise ValueError(
                f"check {self.id}: reasons are {self.reasons!r}; write at least one reason and what it says of the "
                f'sender, as in {{"too fast": STALE}}'
            )
        for reason, says in self.reasons.items():
            if says not in (HARMLESS, STALE, FORGED):
                raise ValueError(
                    f"check {self.id}: reason '{reason}' says {says!r} of the sender; it is one of HARMLESS, STALE, "
                    "FORGED of sim.portal.check"
                )

    def limits_for(self, settings: object) -> tuple[int, ...]:
        """Its limits in a portal with these settings. Raises PartError."""
        file = Path(inspect.getfile(self.limits))
        try:
            made = self.limits(settings)
        except Exception as error:
            place = at_line(file, line_in(file, error))
            raise PartError(f"{place}: check '{self.id}' has no limits: {words_of(error)}") from error
        if not hasattr(made, "_fields") or not all(type(one) is int for one in made):
            raise PartError(f"{file}: check '{self.id}': limits are a NamedTuple of whole numbers, not {made!r}")
        return made


def _lacks(check: Check, _file: str) -> str:
    """What the source of its functions shows, "" when nothing."""
    line = returns_bool(check.verdict)
    if line is None:
        return ""
    return (
        f"line {line}: check '{check.id}': verdict returns True or False, and True is 1, which is LATE; write "
        "return PASSED if ... else 2, where 2 is the first of its reasons"
    )


CHECKS: Final = Folder("sim.portal.checks", "CHECK", "check", Check, _lacks)


def _fits(function: Callable[..., Any], wanted: tuple[str, ...]) -> bool:
    """Can it be called with so many values, and does it take each that it names as these names do in its place?"""
    signature = inspect.signature(function)
    try:
        given = signature.bind(*wanted).arguments
    except TypeError:
        return False
    return all(given[name] == name for name in given if name in wanted)


def unlike(every: Folder[Check]) -> list[Check]:
    """Checks in the order of judgement, each with reasons of its own. Raises PartError."""
    taken = dict.fromkeys(reasons.OF_OPENING, "the portal's opening")
    taken |= dict.fromkeys((reasons.LATE, reasons.REPLAYED_LATE, reasons.QUARANTINED), "the portal")
    found = sorted(every.parts().values(), key=lambda check: (check.order, check.id))
    for check in found:
        for reason in check.reasons:
            if reason in taken:
                raise PartError(
                    f"{every.file(check.id)}: check '{check.id}' refuses as '{reason}', which is a reason of "
                    f"{taken[reason]}; give it words of its own"
                )
            taken[reason] = f"check '{check.id}'"
    return found


def in_order() -> list[Check]:
    """All checks that there are, in the order of judgement. Raises PartError."""
    return unlike(CHECKS)


def check_ids() -> tuple[str, ...]:
    """The names of all checks, in the order of judgement."""
    return tuple(check.id for check in in_order())
