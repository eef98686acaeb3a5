"""The threat list against what runs have shown: `./wmbench threats`.

threats.toml holds the list as data: what each threat is, what stops it, whose job that is, and which claims of the
talk and which threat names of the BSI protection profile speak of it. Here it is joined with the verdicts of run.json
files.
A threat that no scenario names is "not covered", and a threat whose scenarios have not run has "no verdict yet": both
are said aloud, because a matrix that only shows what was tried looks complete. It never claims conformity.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

from reports import threat_list
from reports.run_model import Claim, from_json
from reports.wording import letter_of, mode_text, plain

THREATS: Final = Path(__file__).parent / "threats.toml"
NOT_COVERED: Final = "not covered"
NO_VERDICT: Final = "no verdict yet"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim as a run found it."""

    run: str  # when the run started
    scenario: str
    attack: str
    variant: str
    security: str
    defences: str
    verdict: str
    expected: str
    control: str

    @property
    def holds(self) -> bool:
        """It is the verdict that the scenario expects."""
        return Claim(verdict=self.verdict, expected=self.expected).holds

    @property
    def letter(self) -> str:
        """As in the threat list; "?" for inconclusive, "!" behind what was not expected."""
        return letter_of(Claim(verdict=self.verdict, expected=self.expected))


@dataclass(slots=True)
class ThreatRow:
    """`scenarios` name the threat, run or not; `verdicts` are of the newest run that has any for a scenario, of each of
    its seeds. `hypothesis`: security mode -> letters that were expected before anything was run; `differs`: why runs
    find others. `what_if`: changed settings -> verdicts of the newest run under them, which say nothing of the world as
    its file has it."""

    id: str
    title: str
    area: str
    stopped_by: str
    answered_by: list[str]
    bsi: list[str]
    claims: list[str]
    hypothesis: dict[str, str] = field(default_factory=dict)
    differs: str = ""
    scenarios: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)  # scenario id -> outcome
    what_if: dict[str, list[Verdict]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """ "not covered", "no verdict yet", or counts of verdicts (of outcomes where a scenario only measures)."""
        if not self.scenarios:
            return NOT_COVERED
        counts = Counter(verdict.verdict for verdict in self.verdicts)
        if not counts:
            counts = Counter(outcome for outcome in self.outcomes.values() if outcome != "skipped")
        if not counts:
            return NO_VERDICT
        wrong = sum(not verdict.holds for verdict in self.verdicts)
        text = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        return f"{text}; {wrong} not as expected" if wrong else text

    @property
    def by_variant(self) -> list[tuple[str, dict[str, str]]]:
        """(attack and variant, security mode -> letter), in the order of the runs. Several scenarios (or seeds) that
        try the same thing share a row here, so letters that differ stand side by side."""
        return _by_variant(self.verdicts)

    @property
    def unlike(self) -> dict[str, list[str]]:
        """Security mode -> letters of runs that the hypothesis has not for it."""
        found = (
            (mode, letter)
            for _, letters in self.by_variant
            for mode, measured in letters.items()
            for letter in measured.split("/")
        )
        return threat_list.unlike(self.hypothesis, found)

    @property
    def beside_hypothesis(self) -> str:
        """Where runs find something else than was expected, and why; "" where they do not, or none was run."""
        return threat_list.told_unlike(self.hypothesis, self.unlike, self.differs)

    @property
    def what_ifs(self) -> list[tuple[str, str, dict[str, str]]]:
        """(changed settings, attack and variant, security mode -> letter). What the scenario expects is of the world as
        it stands, so nothing here is wrong."""
        return [
            (settings, variant, {mode: letters.replace("!", "") for mode, letters in modes.items()})
            for settings, verdicts in self.what_if.items()
            for variant, modes in _by_variant(verdicts)
        ]

    def as_json(self) -> dict[str, Any]:
        variants = [{"variant": variant, "modes": letters} for variant, letters in self.by_variant]
        beside = {"unlike": self.unlike, "beside_hypothesis": self.beside_hypothesis}
        return {**asdict(self), "status": self.status, "by_variant": variants, **beside}


def load_threats(path: Path = THREATS) -> list[dict[str, Any]]:
    """The [[threat]] tables, each with the titles of the talk's claims and the BSI names that speak of it."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    threats: list[dict[str, Any]] = table["threat"]
    for threat in threats:
        threat["claims"] = [claim["title"] for claim in table["claim"] if threat["id"] in claim["threats"]]
        threat["bsi"] = [name["name"] for name in table["bsi"] if threat["id"] in name["threats"]]
    return threats


FULL: Final = ("on", "all", "")


def threat_matrix(
    run_json_list: Iterable[dict[str, Any]],
    threats: Sequence[dict[str, Any]] | None = None,
    declared: Mapping[str, Sequence[str]] | None = None,
) -> list[ThreatRow]:
    """Rows in the order of the list. `declared` gives the threats of scenarios that may not have run yet (scenario
    id -> threat ids); where it is given, scenarios that it does not name (somebody's own file, a test's) are left out.
    A threat id that the list does not know gets a row of its own, so that a misspelt one shows."""
    rows = {threat["id"]: _row(threat) for threat in (load_threats() if threats is None else threats)}
    for scenario_id, ids in (declared or {}).items():
        for threat_id in ids:
            _name(rows, threat_id, scenario_id)
    for body in sorted(run_json_list, key=lambda body: str(body.get("started", ""))):
        run = from_json(body)
        begun: set[tuple[str, str]] = set()  # (threat, scenario) of this run: its further seeds stand beside the first
        changed = {str(entry.get("id")): _settings(entry) for entry in body.get("scenarios", [])}
        for scenario in run.scenarios:
            if declared is not None and scenario.id not in declared:
                continue
            verdicts = [
                (c.threats, Verdict(run.started, scenario.id, c.attack, c.variant, c.security, c.defences, c.verdict,
                                    c.expected, c.control))
                for c in scenario.claims
                if c.defences in FULL  # a control or a single check says nothing about the system as it is
            ]  # fmt: skip
            for threat_id in scenario.threats:
                row = _name(rows, threat_id, scenario.id)
                speaking = [verdict for threats, verdict in verdicts if not threats or threat_id in threats]
                what_if = changed.get(scenario.id, "")
                if what_if:
                    before = row.what_if.get(what_if, [])
                    row.what_if[what_if] = _replaced(before, scenario.id, speaking, begun, threat_id)
                    continue
                row.outcomes[scenario.id] = scenario.outcome
                if speaking:
                    row.verdicts = _replaced(row.verdicts, scenario.id, speaking, begun, threat_id)
    return list(rows.values())


def _replaced(
    before: list[Verdict], scenario: str, speaking: list[Verdict], begun: set[tuple[str, str]], threat: str
) -> list[Verdict]:
    """With a scenario's verdicts in the place of those of older runs."""
    kept = before if (threat, scenario) in begun else [v for v in before if v.scenario != scenario]
    begun.add((threat, scenario))
    return kept + speaking


def print_matrix(rows: Sequence[ThreatRow], *, file: IO[str] | None = None, rich: bool | None = None) -> None:
    """One threat a line, below it one line for each variant tried with its verdict in each security mode: a table in
    a terminal, tab-separated plain lines elsewhere; `rich` None asks which it is."""
    file = file or sys.stdout
    if not (file.isatty() if rich is None else rich):
        for row in rows:
            print(plain(f"{row.id}\t{row.status}\t{row.title}\t{' '.join(row.scenarios)}"), file=file)
            for variant, letters in row.by_variant:
                print(plain(f"\t{_modes(letters)}\t{variant}"), file=file)
            if row.beside_hypothesis:
                print(plain(f"\tunlike what was expected: {row.beside_hypothesis}"), file=file)
            for settings, variant, letters in row.what_ifs:
                print(plain(f"\t{_modes(letters)}\t{variant}\twhat if {settings}"), file=file)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(pad_edge=False, box=None, header_style="dim")
    for head in ("id", "threat", "what stops it", "answered by", "status"):
        table.add_column(head, overflow="fold")
    for row in rows:
        style = "dim" if row.status == NOT_COVERED else "" if row.verdicts else "yellow"
        cells = (row.id, row.title, row.stopped_by, ", ".join(row.answered_by), row.status)
        table.add_row(*(Text(plain(cell), style=style) for cell in cells))
        for variant, letters in row.by_variant:
            table.add_row("", *(Text(plain(cell), style="dim") for cell in (f"  {variant}", "", "", _modes(letters))))
        if row.beside_hypothesis:
            said = Text(plain(f"  unlike what was expected: {row.beside_hypothesis}"), style="dim")
            table.add_row("", said, "", "", "")
        for settings, variant, letters in row.what_ifs:
            told = (f"  {variant}", f"what if {settings}", "", _modes(letters))
            table.add_row("", *(Text(plain(cell), style="dim italic") for cell in told))
    Console(file=file, force_terminal=True).print(table)


def _by_variant(verdicts: Iterable[Verdict]) -> list[tuple[str, dict[str, str]]]:
    found: dict[str, dict[str, str]] = {}
    for verdict in verdicts:
        letters = found.setdefault(", ".join(filter(None, (verdict.attack, verdict.variant))), {})
        known = letters.get(verdict.security, "")
        if verdict.letter not in known.split("/"):
            letters[verdict.security] = "/".join(filter(None, (known, verdict.letter)))
    return list(found.items())


def _settings(entry: Mapping[str, Any]) -> str:
    """What a run changed in a scenario's world: its `what_if`; of an older run, from the command that repeats it."""
    said = entry.get("what_if")
    if isinstance(said, list):
        return ", ".join(map(str, said))
    words = str(entry.get("replay", "")).split()
    return ", ".join(value for word, value in pairwise(words) if word == "--set")


def _modes(letters: Mapping[str, str]) -> str:
    return ", ".join(f"{mode_text(mode)} {letter}" for mode, letter in letters.items())


def _name(rows: dict[str, ThreatRow], threat_id: str, scenario: str) -> ThreatRow:
    if threat_id not in rows:
        rows[threat_id] = _row({"id": threat_id, "title": "not in the threat list", "area": "unknown"})
    row = rows[threat_id]
    if scenario not in row.scenarios:
        row.scenarios.append(scenario)
    return row


def _row(threat: Mapping[str, Any]) -> ThreatRow:
    return ThreatRow(
        threat["id"], threat["title"], threat["area"], threat.get("stopped_by", ""),
        list(threat.get("answered_by", [])), list(threat.get("bsi", [])), list(threat.get("claims", [])),
        dict(threat.get("hypothesis", {})), threat.get("differs", ""),
    )  # fmt: skip
