"""Standing between meters and their gateway on the air: a jammer beside the gateway, a receiver beside the meters. No
attack by itself; holding back, tunnelling and altering use it.

A jammer that begins when it has read a header destroys the frame where the jammer is loud, at the gateway. A receiver
out of its reach and near the meters takes the same frame whole. So the attacker has what the gateway never got, and the
portal finds every number and every time in it new.
"""

from __future__ import annotations

from collections.abc import Callable

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
