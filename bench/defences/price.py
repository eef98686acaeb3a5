"""What a set of defences costs: genuine telegrams that a portal with it refuses, where nobody attacks and not all is
well.

Each condition is a world of its own, run once; its messages are taken by the portal of each set. A clock that is off,
bundles that wait and messages that are late are what gateways and networks do; "odd telegrams" are genuine ones with a
record said twice or with bytes behind the encrypted blocks, as firmware in the field sends them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from attacks.parts.forgery import with_tail
from bench.defences.trace import Take, Tapped, with_other_portal
from bench.rig.scenario import Stage, load_world
from sim.core.clock import NS_PER_S, ns
from sim.core.vocabulary import Security
from sim.meters.two_way import CLOCK_RECORD, UNITS_RECORD
from sim.recording.log import Played
from sim.recording.replayed_meters import Playing
from wmbus.dates import encode_f
from wmbus.link import Address
from wmbus.telegram import build

WORLD: Final = "terrace-60"
MINUTES: Final = 90
_KEY: Final = bytes(range(16))
_ODD_METERS: Final = 6


class Condition(NamedTuple):
    """`before`: what is done to the world before it runs; it may put meters of the profile on the air, which then are
    what is counted. `held_s`: between these instants nothing reaches the portal, and everything at the second one."""

    settings: Mapping[str, Any]
    before: Callable[[Stage, Security], Playing | None] = lambda _stage, _profile: None
    held_s: tuple[float, float] = (0.0, 0.0)


class Cost(NamedTuple):
    """Genuine telegrams that gateways received, and those of them that were refused."""

    received: int
    refused: int

    def __str__(self) -> str:
        return f"{self.refused} of {self.received}"


def _odd(stage: Stage, profile: Security) -> Playing:
    """Units said twice, the same; and where no MAC covers it units again in clear behind the ciphertext."""
    sent: list[Played] = []
    for k in range(4):
        for number in range(_ODD_METERS):
            at_s = 600 * k + 20 * number
            clock = stage.inner.calendar.at(ns(60.0 + at_s)).replace(tzinfo=None, second=0)
            units = UNITS_RECORD + (100 * number + k).to_bytes(3, "little")
            behind = number % 2 == 0 and profile == "mode5"
            records = units + (b"" if behind else units) + CLOCK_RECORD + encode_f(clock)
            meter = Address("QDS", f"{77_700_000 + number}", 0x36, 8)
            frame = build(meter, k, 0, records, security=profile, key=_KEY, counter=100 + k)
            sent.append(Played(len(sent), at_s * NS_PER_S, -70.0, with_tail(frame, units) if behind else frame))
    playing = stage.inner.play(sent, delay_s=60.0)
    playing.enrol(dict.fromkeys(playing.addresses, _KEY))
    return playing


CONDITIONS: Final[dict[str, Condition]] = {
    "all is well": Condition({}),
    "a gateway's clock 400 s off": Condition({"gateway.clock_offset_s": 400.0}),
    "bundles an hour old": Condition({"gateway.bundle_age_s": 3_600.0}),
    "delivered up to 50 min late": Condition({}, held_s=(1_200.0, 4_200.0)),
    "odd field telegrams": Condition({}, _odd),
}


def _held(takes: Sequence[Take], from_ns: int, until_ns: int) -> list[Take]:
    """The same messages; those of [from, until) all at its end."""
    before = [take for take in takes if take[1] < from_ns]
    late = [message for messages, at_ns in takes if from_ns <= at_ns < until_ns for message in messages]
    after = [take for take in takes if take[1] >= until_ns]
    return [*before, *([(late, until_ns)] if late else []), *after]


class Priced:
    """One condition, run once for a profile. Close it."""

    def __init__(self, condition: Condition, profile: Security, directory: Path, *, seed: int) -> None:
        spec = load_world(WORLD)
        for key, value in condition.settings.items():
            spec = spec.with_setting(key, value)
        self._profile = profile
        self._known: dict[frozenset[str], Cost] = {}
        self.stage = Tapped(spec, seed, directory, "clean")
        self._playing = condition.before(self.stage, profile)
        self.stage.run(minutes=MINUTES)
        self.stage.takes = _held(self.stage.takes, *map(ns, condition.held_s))

    def cost(self, on: frozenset[str]) -> Cost:
        """Asked again, it is remembered."""
        if on not in self._known:
            self._known[on] = with_other_portal(self.stage, on, self._ask)
        return self._known[on]

    def _ask(self) -> Cost:
        if self._playing is not None:
            came = Counter(one.came for one in self._playing.outcomes())
            return Cost(came["stored"] + came["refused"], came["refused"])
        truth = self.stage.inner.truth
        received = sum(truth.security(one) == self._profile for one in truth.sent())
        missing = [one for one in truth.missing() if truth.security(one) == self._profile]
        return Cost(received, sum(bool(truth.refused_as(one.mark)) for one in missing))

    def close(self) -> None:
        self.stage.close()
