"""report.html: one self-contained page a run, from its run.json and its histories.

It is read in this order: what came out, all verdicts at a glance, each with its control and cause, what was left out;
then each scenario with its claims, each claim with its evidence and a trace of the first events behind it, then each
world's history. Every step is a link, so that a verdict can be followed to event time, telegram fingerprint and reason
of refusal, which are found again word for word in events.jsonl.

The page loads nothing; its one script, page.js, filters what is there, and without it the page is whole. Everything in
it may stem from a hostile sender (a meter's name, a reason, a telegram), so the template escapes all, and bytes stand
in it as hex digits; only SVG drawn by plots/, where matplotlib has escaped every text, goes in as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from markupsafe import Markup

from reports import by_hand, capture, page, palette, pictures, plots, shots
from reports import claims as talk
from reports.event_digest import Entry, Story
from reports.findings import Finding, Observation, findings, named_threats
from reports.pictures import Picture
from reports.run_model import Claim, Run, Scenario, World, read_run, seeds_of
from reports.shots import ShotView
from reports.threat_list import Threat, threats, told_unlike, unlike
from reports.wording import ALARM_RULES, MEANINGS, NOTICED_IS, OFF, ON, letter_of, mode_text, tallied

LISTED_EVENTS: Final = 40
LISTED_REFUSALS: Final = 24
GOAL_OF: Final = {
    "tampering": "integrity", "denial of service": "availability", "information disclosure": "confidentiality",
    "spoofing": "authenticity", "elevation of privilege": "authenticity",
}  # fmt: skip
"""Kinds of STRIDE -> the talk's protection goals."""
TRACED: Final = (("attack", 3), ("tampering", 1), ("fault", 2), ("refused", 3), ("session", 2), ("alarm", 2))
GLYPHS: Final = {"PREVENTED": "✓", "DETECTED": "◉", "TOLERATED": "≈", "SUCCEEDED": "✗", "INCONCLUSIVE": "?"}
SESSIONS_LISTED: Final = 60
Matrix = list[tuple[str, str, list[list["ClaimView"]]]]


@dataclass(slots=True)
class WorldView:
    """One world with its history and pictures."""

    anchor: str
    world: World
    story: Story
    timeline: Markup | None = None
    refused: Markup | None = None
    losses: Markup | None = None
    unplotted: bool = False
    events: list[Entry] = field(default_factory=list)
    events_more: int = 0
    refusals: list[Entry] = field(default_factory=list)
    refusals_more: int = 0
    captured: list[capture.Extent] = field(default_factory=list)


@dataclass(slots=True)
class ClaimView:
    """One claim; `worlds` are those whose history shows it, `trace` the first events there, `shots` what was sent."""

    anchor: str
    number: int
    claim: Claim
    scenario: Scenario
    worlds: list[WorldView]
    trace: list[Entry]
    traced: WorldView | None
    shots: list[ShotView] = field(default_factory=list)
    told: ClaimView | None = None  # the claim above that shows the same trace already

    @property
    def is_control(self) -> bool:
        """Of a configuration that is weak on purpose: success is what it is for."""
        return self.claim.defences in OFF

    @property
    def directory(self) -> str:
        """Of its world, below the run's."""
        return next((world.directory for world in self.scenario.worlds if world.variant == self.claim.defences), "")

    @property
    def counterpart(self) -> ClaimView | None:
        """The control's claim of the same attack, variant and mode, where it is shown by sessions."""
        same = (self.claim.attack, self.claim.variant, self.claim.security)
        for one in self.scenario.claims:
            if one is not self.claim and one.defences in OFF and (one.attack, one.variant, one.security) == same:
                return ClaimView("", 0, one, self.scenario, [], [], None) if one.sessions else None
        return None

    @property
    def borrowed(self) -> bool:
        return Observation(self.number, self.scenario, self.claim).borrowed and not self.is_control


@dataclass(slots=True)
class ScenarioView:
    anchor: str
    scenario: Scenario
    claims: list[ClaimView]
    worlds: list[WorldView]
    pictures: list[Markup] = field(default_factory=list)


@dataclass(slots=True)
class ThreatView:
    """A threat that the run names, what was found, and the claims that speak of it. `threat` None: misspelt."""

    id: str
    threat: Threat | None
    findings: list[Finding]
    claims: list[ClaimView]

    @property
    def beside_hypothesis(self) -> str:
        """Where this run finds something else than was expected before any, and why."""
        if self.threat is None:
            return ""
        found = [(view.claim.security, letter_of(view.claim)) for view in self.claims if view.claim.defences in ON]
        hypothesis = self.threat.hypothesis
        return told_unlike(hypothesis, unlike(hypothesis, found), self.threat.differs)


def write_report(
    run_directory: Path, *, png: bool = False, run: Run | None = None,
    sent: Mapping[int, list[ShotView]] | None = None, ahead: Mapping[tuple[str, int], list[Picture]] | None = None,
) -> Path:  # fmt: skip
    """Write report.html and plots/*.svg (and .png) into the run directory; a page that stands there stays until the
    new one is whole. `run`, `sent`: what is in it, and `shots.all_views` of it, where they are at hand; `ahead`: what
    `pictures.drawn_ahead` says. Raises RunError when there is no run, OSError when the disk is full."""
    run = run or read_run(run_directory)
    sent = shots.all_views(run) if sent is None else sent
    ahead = ahead or {}
    scenarios = []
    for number, scenario in enumerate(run.scenarios, start=1):
        drawn = None if png else ahead.get((scenario.id, scenario.seed))
        scenarios.append(_scenario(run, number, scenario, sent, drawn, png))
    told: dict[tuple[str, tuple[Entry, ...]], ClaimView] = {}
    for number, claim in enumerate((item for view in scenarios for item in view.claims), start=1):
        claim.number, claim.anchor = number, f"c{number}"
        if claim.traced is not None:
            first = told.setdefault((claim.traced.anchor, tuple(claim.trace)), claim)
            claim.told = None if first is claim else first
    return page.write(run_directory, render(run, scenarios))


def render(run: Run, scenarios: list[ScenarioView]) -> str:
    claims = [claim for view in scenarios for claim in view.claims]
    stated = talk.judge(run.scenarios)
    return page.environment().get_template("report.html.j2").render(
        run=run, seeds=seeds_of(run), scenarios=scenarios, claims=claims,
        matrix=outcome_matrix(claims), glyphs=GLYPHS, on_or_off=OFF + ON,
        verdict_colours=palette.VERDICTS, group_colours=palette.GROUPS,
        tallies=tallied(view.claim for view in claims),
        holding=sum(view.claim.holds for view in claims),
        outcomes=Counter(scenario.outcome for scenario in run.scenarios),
        threat_views=_threats(run, claims), shots_in_full=shots.IN_FULL, shots_listed=shots.LISTED,
        rows_shown=shots.ROWS_SHOWN,
        by_hand=by_hand.steps,
        session_steps=by_hand.session_steps, alarm_rule=ALARM_RULES.get, meanings=MEANINGS, noticed_is=NOTICED_IS,
        sessions_listed=SESSIONS_LISTED,
        talk_claims=[told for told in stated if told.figures and told.state != talk.UNMEASURED],
        talk_first=all(told.state != talk.UNMEASURED for told in stated), goals=_goals(claims),
        measures=[measure for scenario in run.scenarios for measure in scenario.measures],
    )  # fmt: skip


def _goals(claims: Iterable[ClaimView]) -> dict[tuple[str, str], str]:
    """(attack, variant) -> its protection goal, of the rows before which the goal changes."""
    first: dict[tuple[str, str], str] = {}
    for view in claims:
        first.setdefault((view.claim.attack, view.claim.variant), goal_of(view))
    seen: set[str] = set()
    heads = {}
    for row, goal in sorted(first.items(), key=lambda one: talk.GOALS.index(one[1])):
        if goal not in seen:
            heads[row] = goal
        seen.add(goal)
    return heads


def outcome_matrix(claims: Iterable[ClaimView]) -> tuple[list[str], Matrix]:
    """Column heads (security, then defences off and on for each) and rows (attack, variant, one list of claims a
    column), arranged by the protection goal that each threatens. A claim with only some defences on stands in the "on"
    column and is labelled there."""
    claims = sorted(claims, key=lambda view: talk.GOALS.index(goal_of(view)))
    heads = ["mode 0", "mode 5", "mode 7"]
    heads += sorted({mode_text(view.claim.security) for view in claims} - set(heads))
    rows: dict[tuple[str, str], list[list[ClaimView]]] = {}
    for view in claims:
        cells = rows.setdefault((view.claim.attack, view.claim.variant), [[] for _ in range(2 * len(heads))])
        cells[2 * heads.index(mode_text(view.claim.security)) + (view.claim.defences not in OFF)].append(view)
    return heads, [(attack, variant, cells) for (attack, variant), cells in rows.items()]


def goal_of(view: ClaimView) -> str:
    """The protection goal that a verdict is about: of the first threat that it names and the list knows."""
    known = (threats().get(id_) for id_ in view.claim.threats or view.scenario.threats)
    return next((GOAL_OF[threat.stride[0]] for threat in known if threat is not None), talk.GOALS[0])


def _scenario(
    run: Run, number: int, scenario: Scenario, sent: Mapping[int, list[ShotView]], drawn: list[Picture] | None,
    png: bool,
) -> ScenarioView:  # fmt: skip
    anchor = f"s{number}"
    worlds = [
        _world(run, f"{anchor}w{index}", world, pictures.story_of(run.directory, world),
               plotted=index <= pictures.PLOTTED_WORLDS)
        for index, world in enumerate(scenario.worlds, start=1)
    ]  # fmt: skip
    claims = [_claim(claim, scenario, worlds, sent.get(id(claim), [])) for claim in scenario.claims]
    view = ScenarioView(anchor, scenario, claims, worlds)
    folder = run.directory / "plots"
    if scenario.worlds or scenario.claims:
        folder.mkdir(exist_ok=True)
    if drawn is None:
        stories = [one.story for one in worlds]
        drawn = pictures.of_scenario(scenario, stories, png=folder if png else None, head=anchor)
    for picture in drawn:
        _place(view, picture, folder)
    return view


def _place(view: ScenarioView, picture: Picture, folder: Path) -> None:
    """Into the page, and into a file of its own."""
    text = plots.placed(picture.svg, f"{view.anchor}{picture.place}", picture.said)
    plots.write_svg(text, folder / f"{view.anchor}{picture.stem}.svg")
    of_world = re.fullmatch(r"w([0-9]+)-(timeline|refused|losses)", picture.place)
    if of_world is None:
        view.pictures.append(Markup(text))
    else:
        setattr(view.worlds[int(of_world[1]) - 1], of_world[2], Markup(text))


def _world(run: Run, anchor: str, world: World, story: Story, *, plotted: bool) -> WorldView:
    view = WorldView(anchor, world, story, unplotted=not plotted)
    view.captured = shots.extents_of(run.directory, world)
    happened = ("attack", "tampering", "fault", "session", "alarm")
    entries, refusals = story.entries(*happened), story.entries("refused")
    view.events, view.events_more = entries[:LISTED_EVENTS], story.more(*happened) + len(entries[LISTED_EVENTS:])
    view.refusals = refusals[:LISTED_REFUSALS]
    view.refusals_more = story.more("refused") + len(refusals[LISTED_REFUSALS:])
    return view


def _threats(run: Run, claims: list[ClaimView]) -> list[ThreatView]:
    found = findings(run)
    return [
        ThreatView(id_, threats().get(id_), [f for f in found if f.threat == id_],
                   [view for view in claims if id_ in (view.claim.threats or view.scenario.threats)])
        for id_ in named_threats(run)
    ]  # fmt: skip


def _claim(claim: Claim, scenario: Scenario, worlds: list[WorldView], sent: list[ShotView]) -> ClaimView:
    """Find the histories that show a claim: the worlds whose variant names most of it, or all subjects; then the
    controls. A claim with the defences off may be shown by the control itself."""
    best = max((_likeness(claim, view.world) for view in worlds), default=0)
    own = [view for view in worlds if (_likeness(claim, view.world) == best if best else view.world.role == "subject")]
    own = [view for view in own if _acts(view.story, claim.attack)] or own
    controls = [view for view in worlds if view.world.role != "subject" and view not in own]
    trace = _trace(own[0].story, claim, {one.mark for one in sent}) if own else []
    return ClaimView("", 0, claim, scenario, own + controls, trace, own[0] if own else None, sent)


def _likeness(claim: Claim, world: World) -> int:
    """How much of a claim a world's variant names: its own variant counts most, then security, then defences."""
    named = f" {re.sub('[^a-z0-9]+', ' ', world.variant.lower())} "
    parts = ((claim.variant, 4), (claim.security, 2), (claim.defences, 1))
    words = ((f" {re.sub('[^a-z0-9]+', ' ', part.lower()).strip()} ", weight) for part, weight in parts if part)
    return sum(weight for word, weight in words if word in named)


def _acts(story: Story, attack: str) -> bool:
    return any(label.startswith(f"{attack}: ") for group, label in story.lanes if group == "attack")


def _trace(story: Story, claim: Claim, marks: Collection[str] = ()) -> list[Entry]:
    """The first events that matter to a claim: what its attack did in this variant, and what followed its first act.
    Of refusals those of its shots (`marks`: their fingerprints), else those of the meters that its acts name; where it
    has shots, refusals and alarms of other meters are left out."""
    acts = [entry for entry in story.entries("attack") if entry.subject == claim.attack] or story.entries("attack")
    for word in (claim.variant, claim.security):
        acts = [act for act in acts if word and word in act.detail] or acts
    since = acts[0].time_ns if acts else 0
    trace: list[Entry] = []
    meters = {entry.subject for entry in story.entries("refused") if entry.telegram in marks}
    for group, count in TRACED:
        found = acts if group == "attack" else [e for e in story.entries(group) if e.time_ns >= since]
        if group == "refused":
            of_shots = [entry for entry in found if entry.telegram in marks]
            named = {entry.subject for entry in found if any(entry.subject in act.detail for act in acts)}
            found = of_shots or ([] if marks else [entry for entry in found if entry.subject in named] or found)
        if group in ("alarm", "attack") and marks and meters:
            found = [entry for entry in found if entry.subject in meters or any(one in entry.detail for one in meters)]
        trace += found[:count]
    return sorted(trace, key=lambda entry: entry.time_ns)
