"""Standing between meters and their gateway on the air: a jammer beside the gateway, a receiver beside the meters. No
attack by itself; holding back, tunnelling, altering and splicing are an `InBetween`.

A jammer that begins when it has read a header destroys the frame where the jammer is loud, at the gateway. A receiver
out of its reach and near the meters takes the same frame whole. So the attacker has what the gateway never got, and the
portal finds every number and every time in it new.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from attacks.attack import Steps
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.clock import NS_PER_MS
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Spoken

OWN_HEADER_NS = 5 * NS_PER_MS  # a header is read within this of the frame's beginning: these are our own


class Shadow:
    """`begin` chooses the meters that are loudest at the attacker's receiver and keeps them from the gateway; each of
    their telegrams goes to `taken` instead, once. `speak` is how this attacker sends, so that it neither jams nor takes
    its own frames."""

    def __init__(self, taken: Callable[[Known, Heard], object]) -> None:
        self.survey = Survey()
        self._taken = taken
        self._wires: set[bytes] = set()
        self._own: set[bytes] = set()
        self._spoke_ns = -OWN_HEADER_NS

    def listen(self, reach: Reach) -> None:
        """Survey the meters from now on."""
        reach.listen(self._heard)

    def begin(self, reach: Reach, *, each: int, makers: tuple[str, ...]) -> None:
        """`each`: meters of every security mode and maker."""
        for security in SECURITIES:
            for maker in makers:
                for known in self.survey.loudest(security, makers=(maker,), least=2)[:each]:
                    self._wires.add(known.recordings[-1].telegram[2:10])
                    reach.note("jam", f"from now on every frame of {known.address} ({security})")
        reach.on_header(lambda header: header[2:10] in self._wires and reach.now_ns - self._spoke_ns > OWN_HEADER_NS)

    def speak(self, reach: Reach, telegram: bytes) -> Spoken:
        """Send a frame that this attacker itself does not jam."""
        self._own.add(telegram)
        self._spoke_ns = reach.now_ns
        spoken: Spoken = reach.speak(telegram)
        return spoken

    def end(self) -> None:
        """The meters speak for themselves again."""
        self._wires.clear()

    def _heard(self, heard: Heard) -> None:
        if heard.telegram in self._own:
            return
        known = self.survey.note(heard)
        if known is not None and heard.telegram[2:10] in self._wires:
            self._taken(known, heard)


@dataclass
class InBetween(ABC):
    """An attack that learns until `learn_s`, and from then until `until_s` has each telegram of the chosen meters
    instead of the gateway: `targets_each` of every security mode and maker. `timeless`: makers of types that send no
    time."""

    learn_s: float = 600.0
    until_s: float = 3_000.0
    targets_each: int = 2
    makers: tuple[str, ...] = ("QDS",)
    timeless: tuple[str, ...] = ()
    began_ns: int = field(init=False, default=0)
    shadow: Shadow = field(init=False)

    @abstractmethod
    def deliver(self, reach: Reach, known: Known, heard: Heard) -> Steps | None:
        """What becomes of a telegram that was taken; None: nothing."""

    def run(self, reach: Reach) -> Steps:
        self.shadow = shadow = Shadow(lambda known, heard: self._take(reach, known, heard))
        shadow.listen(reach)
        yield reach.wait_until(self.learn_s)
        self.began_ns = reach.now_ns
        shadow.begin(reach, each=self.targets_each, makers=self.makers + self.timeless)
        yield reach.wait_until(self.until_s)
        shadow.end()

    def _take(self, reach: Reach, known: Known, heard: Heard) -> None:
        if (steps := self.deliver(reach, known, heard)) is not None:
            reach.go(steps)
