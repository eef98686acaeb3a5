"""Replay: send a telegram again that was sent before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.decoded_replays import decoder, outcomes_by_values
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.clock import Occurrence
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth, fingerprint

AT_ONCE = "after 10 s"
OTHERS = "after more than ten others"
WRAP = "after a wrap of 256"
ACC = "with a rewritten access number"
RESTART = "after a portal restart"
CLOCK = "with a rewritten clock"
TIMELESS = "no time inside: with a rewritten access number"
ELSEWHERE = "through another gateway"
MONTH = "after a month"
MONTH_TIMELESS = "no time inside: after a month"
MONTH_S = 30 * 86_400.0


@attack(
    id="radio.replay",
    title="Replay a captured telegram",
    threats=["L08", "L09"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856", "T0860"],
    weakness={"portal.checks": [], "portal.strict": False, "portal.pin_profile": False},
    weakness_of={"smgw": {"system.attach": [*SECURITIES]}},
    seen_as="refused: not fresh",
    forms={
        AT_ONCE: form(age_s=(0, 60), behind=(0, 3)),
        OTHERS: form(behind=(10, 250)),
        WRAP: form(behind=(240, 300)),
        ACC: form(changed="access number"),
        RESTART: form(),
        CLOCK: form("mode 0", "access number, clock in clear"),
        TIMELESS: form(changed="access number"),
        ELSEWHERE: form(age_s=(0, 60)),
        MONTH: form(age_s=(29 * 86_400, 32 * 86_400)),
        MONTH_TIMELESS: form(age_s=(29 * 86_400, 32 * 86_400)),
    },
)
@dataclass
class Replay:
    """Listen, choose meters from what was heard, and send their own bytes again.

    "after 10 s" the same telegram at once; "after more than ten others" of the same meter; "after a wrap of 256" when
    the 8-bit access number stands just before where it stood; "with a rewritten access number" an old telegram with the
    number the portal expects next (mode 5: the number is part of the IV and garbles plaintext bytes 8..15); "after a
    portal restart" an old telegram when the portal may have forgotten; "with a rewritten clock" (only clear
    telegrams) old contents under the present time; "no time inside" an old telegram of a type that sends no
    date-time (`timeless`), under the number expected next. The restart is tried on those too: time cannot refuse them,
    only what the portal remembers.
    """

    learn_s: float = 3_700.0
    targets_each: int = 3
    restart_s: float | None = None
    wrap: bool = True
    wrap_among: int = 0
    """So many meters are watched for a wrap, until `targets_each` say something new; 0: as many as those."""
    only: tuple[str, ...] = ()
    """These variants; none: all. A small world has too few meters for all of them."""
    elsewhere: bool = False
    month: bool = False
    makers: tuple[str, ...] = ()
    timeless: tuple[str, ...] = ()
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)
    _cues: dict[str, list[Occurrence]] = field(default_factory=lambda: defaultdict(list))
    _taken: set[str] = field(default_factory=set)
    _late: int = 0

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "recording")
        reach.listen(self._listen)
        yield reach.wait_until(self.learn_s)
        for security in SECURITIES:
            if self.elsewhere or self.month:
                self._by_itself(reach, security)
                continue
            if self.wrap and self._wanted(WRAP):
                for target in self._choose(self.survey.fastest(security), self.wrap_among or self.targets_each):
                    reach.go(self._after_wrap(reach, target))
            plans = [(AT_ONCE, self._at_once), (OTHERS, self._after_others), (ACC, self._new_acc)]
            if self.restart_s is not None:
                plans.append((RESTART, self._after_restart))
            if security == "none":
                plans.append((CLOCK, self._new_clock))
            if self.timeless:
                plans.append((TIMELESS, self._timeless))
            for variant, plan in ((name, plan) for name, plan in plans if self._wanted(name)):
                for target in self._choose(self._candidates(variant, security)):
                    reach.go(plan(reach, target))

    def _wanted(self, variant: str) -> bool:
        return not self.only or variant in self.only

    def _by_itself(self, reach: Reach, security: str) -> None:
        if self.elsewhere:
            for target in self._choose(self.survey.loudest(security, least=2)):
                reach.go(self._at_once(reach, target, ELSEWHERE))
        if self.month:
            for variant, makers in ((MONTH, self.makers), (MONTH_TIMELESS, self.timeless)):
                for target in self._choose(self.survey.loudest(security, makers=makers, least=2)):
                    reach.go(self._after_a_month(reach, target, variant))

    def _candidates(self, variant: str, security: str) -> list[Known]:
        """Loudest first. Without a time inside where the variant asks for it and such a meter is here."""
        known = self.survey.loudest(security, makers=self.timeless, least=2) if self.timeless else []
        if variant == TIMELESS or (variant == RESTART and known):
            return known
        return self.survey.loudest(security, makers=self.makers, least=2)

    def _choose(self, candidates: list[Known], most: int | None = None) -> list[Known]:
        """One meter serves one variant only: an accepted replay would blur the next."""
        chosen = [c for c in candidates if c.address not in self._taken][: most or self.targets_each]
        self._taken.update(c.address for c in chosen)
        return chosen

    def _listen(self, heard: Heard) -> None:
        known = self.survey.note(heard)
        if known is not None and known.address in self._cues:
            for event in self._cues.pop(known.address):
                event.succeed(heard)

    def _next(self, reach: Reach, target: Known) -> Occurrence:
        """The target's next telegram, when it comes."""
        event = reach.event()
        self._cues[target.address].append(event)
        return event

    def _speak(self, reach: Reach, variant: str, target: Known, telegram: bytes, of: bytes = b"") -> None:
        spoken = reach.speak(telegram)
        reach.note("speak", f"{variant}: {target.address}, telegram {fingerprint(telegram)}")
        self.shots.append(Shot(variant, target.security, target.address, spoken, of or telegram))

    # --- the variants -------------------------------------------------------------------------------------------

    def _at_once(self, reach: Reach, target: Known, variant: str = AT_ONCE) -> Steps:
        heard = yield self._next(reach, target)
        yield reach.wait(10.0)
        self._speak(reach, variant, target, heard.telegram)

    def _after_a_month(self, reach: Reach, target: Known, variant: str) -> Steps:
        old = target.recordings[0]
        self._late += 1
        yield reach.wait(MONTH_S + 2.0 * self._late)
        self._speak(reach, variant, target, old.telegram)

    def _after_others(self, reach: Reach, target: Known) -> Steps:
        heard = yield self._next(reach, target)
        for _ in range(11):
            yield self._next(reach, target)
        yield reach.wait(5.0)
        self._speak(reach, OTHERS, target, heard.telegram)

    def _after_wrap(self, reach: Reach, target: Known) -> Steps:
        """When what the meter says under a number is not what it said under it a wrap ago. A copy of what says the same
        would be the meter's own next telegram, too early. One telegram not heard lets nothing slip."""
        while True:
            heard: Heard = yield self._next(reach, target)
            if sum((one.variant, one.security) == (WRAP, target.security) for one in self.shots) >= self.targets_each:
                return
            number = forgery.access_number(heard.telegram)
            past = {forgery.access_number(one.telegram): one.telegram for one in target.recordings[:-128]}
            then = past.get(number)
            old = next((past[n] for n in ((number + step) % 256 for step in range(1, 5)) if n in past), None)
            if then is not None and old is not None and then != heard.telegram:
                break
        yield reach.wait(2.0)
        self._speak(reach, WRAP, target, old)

    def _new_acc(self, reach: Reach, target: Known, variant: str = ACC) -> Steps:
        old = target.recordings[0]
        heard = yield self._next(reach, target)
        yield reach.wait(min(10.0, target.interval_s / 2))  # before the meter itself uses the number
        before, latest = (forgery.access_number(one.telegram) for one in (old, heard))
        acc = forgery.fitting_number(target.maker, before, latest)
        self._speak(reach, variant, target, forgery.with_access_number(old.telegram, acc), old.telegram)

    def _timeless(self, reach: Reach, target: Known) -> Steps:
        return self._new_acc(reach, target, TIMELESS)

    def _after_restart(self, reach: Reach, target: Known) -> Steps:
        assert self.restart_s is not None
        old = target.recordings[-1]
        self._late += 1
        yield reach.wait_until(self.restart_s + 2.0 * self._late)  # one after the other, not all over each other
        self._speak(reach, RESTART, target, old.telegram)

    def _new_clock(self, reach: Reach, target: Known) -> Steps:
        old = target.recordings[0]
        heard = yield self._next(reach, target)
        yield reach.wait(10.0)
        acc = (forgery.access_number(heard.telegram) + 1) % 256
        fresh = forgery.with_access_number(forgery.with_clock_of(old.telegram, heard.telegram, later_minutes=1), acc)
        self._speak(reach, CLOCK, target, fresh, old.telegram)

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        """A copy of what no gateway had received is the first of its kind, and no replay: it does not count. What a
        gateway that decodes makes of encrypted telegrams is seen in the values that it gives."""
        shots = [shot for shot in self.shots if not _is_first(shot, truth)]
        gateway = decoder(truth)
        if gateway is None:
            return outcomes_of(shots, truth)
        opened = [shot for shot in shots if shot.security != "none"]
        forwarded = [shot for shot in shots if shot.security == "none"]
        return [*outcomes_of(forwarded, truth), *outcomes_by_values(opened, truth, gateway)]


def _is_first(shot: Shot, truth: Truth) -> bool:
    sent = shot.spoken
    return sent.telegram == shot.of and not truth.was_received(fingerprint(shot.of), sent.start_ns)
