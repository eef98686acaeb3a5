"""The summary of a run in a terminal: the verdict table in colour, or plain lines without a terminal (CI, a pipe).

Plain lines begin with the word that matters, so that `grep ^SUCCEEDED` works. Text from the run is never taken as
markup or as terminal control: a name that holds either is shown, not obeyed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from reports.run_model import Claim, Run, Scenario, read_run
from reports.wording import claim_name, mode_text, plain, tallied, value_text

if TYPE_CHECKING:
    from rich.text import Text

WIDE_CHARS: Final = 120
VERDICT_STYLES: Final = {"PREVENTED": "green", "DETECTED": "blue", "TOLERATED": "cyan", "SUCCEEDED": "red",
                         "INCONCLUSIVE": "yellow"}  # fmt: skip
OUTCOME_STYLES: Final = {"passed": "green", "failed": "red", "error": "red", "inconclusive": "yellow",
                         "interrupted": "yellow", "skipped": "dim"}  # fmt: skip


def print_summary(run_directory: Path, *, file: IO[str] | None = None, rich: bool | None = None) -> None:
    """The summary of a run directory. Raises RunError."""
    print_run(read_run(run_directory), file=file, rich=rich)


def print_run(run: Run, *, file: IO[str] | None = None, rich: bool | None = None, report: Path | None = None) -> None:
    """The summary of a run, to stdout unless `file` is given; `rich` None asks whether that is a terminal."""
    file = file or sys.stdout
    if file.isatty() if rich is None else rich:
        _rich_run(run, file, report)
        return
    for scenario, claim in run.claims:
        print(plain(_claim_line(scenario, claim)), file=file)
    for line in _closing(run, report):
        print(plain(line), file=file)


def _rich_run(run: Run, file: IO[str], report: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=file, force_terminal=True)
    if run.claims:
        table = Table(pad_edge=False, box=None, header_style="dim")
        heads = ["attack", "variant", "security", "defences", "verdict", "control", "why"]
        if console.width < WIDE_CHARS:  # the page has the rest; a folded table is unreadable
            heads = heads[:5]
        for head in heads:
            table.add_column(head, no_wrap=head in ("security", "verdict"))
        last = ("", "")
        for _, claim in run.claims:
            same, last = (claim.attack, claim.variant) == last, (claim.attack, claim.variant)
            style = VERDICT_STYLES.get(claim.verdict, "")
            verdict = _text(claim.verdict, style if claim.holds else f"reverse bold {style}")
            if claim.expected and claim.expected != claim.verdict:
                verdict.append(f" ≠ {plain(claim.expected)}", "red")
            names = ("", "") if same else (claim.attack, claim.variant)
            cells = (
                _text(names[0], "bold"), _text(names[1]), _text(mode_text(claim.security)), _text(claim.defences),
                verdict, _text(claim.control, "dim"), _text(claim.why, "dim"),
            )  # fmt: skip
            table.add_row(*cells[: len(heads)])
        console.print(table)
        console.print()
    for line in _closing(run, report):
        style = OUTCOME_STYLES.get(line.partition(":")[0].lower(), "")
        console.print(_text(line, style), soft_wrap=True)


def _claim_line(scenario: Scenario, claim: Claim) -> str:
    remarks = [f"expected {claim.expected}"] if claim.expected not in ("", claim.verdict) else []
    remarks += [f"control {claim.control}"] if claim.control else []
    noted = f" ({', '.join(remarks)})" if remarks else ""
    return f"{claim.verdict:<13} {claim_name(claim)}{noted}: {claim.why}  [{scenario.id}]"


def _closing(run: Run, report: Path | None) -> list[str]:
    """Scenario lines, then what remains to be said."""
    lines = []
    for scenario in run.scenarios:
        lines.append(f"{scenario.outcome.upper()}: {scenario.title or scenario.id} ({scenario.duration_s:.1f} s)")
        if scenario.outcome not in ("passed", "skipped"):
            lines += [f"  {line}" for line in (*scenario.message.splitlines(), f"replay: {scenario.replay}") if line]
        lines += [f"  {m.name} = {value_text(m.value)} {m.unit}, limit {m.limit}: outside"
                  for m in scenario.measures if not m.ok]  # fmt: skip
    lines += [f"left out: {item}" for item in run.left_out]
    lines += [f"note: {note}" for note in run.notes]
    holding = sum(claim.holds for _, claim in run.claims)
    listed = "; ".join(
        f"{whose} " + ", ".join(f"{verdicts[name]} {name}" for name in VERDICT_STYLES if verdicts[name])
        for whose, verdicts in tallied(claim for _, claim in run.claims).items()
    )
    if listed:
        lines.append(f"{holding} of {len(run.claims)} verdicts as expected: {listed}")
    lines.append(f"{run.outcome}: {run.name}, seed {run.seed}, {run.duration_s:.1f} s")
    if report is not None:
        lines.append(f"report: {report}")
    return lines


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(plain(text), style=style)
