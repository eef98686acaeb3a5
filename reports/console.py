"""The summary of a run in a terminal: verdicts as a matrix (attack and variant, defences, security modes), in colour
where a terminal looks, plain elsewhere (CI, a pipe).

A verdict is one letter, as in the threat list; what does not hold is told with its scenario, below. `verbose` gives
each verdict a line that begins with the word that matters, so that `grep ^SUCCEEDED` works. Text from the run is never
taken as markup or as terminal control: a name that holds either is shown, not obeyed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from reports.run_model import Claim, Run, Scenario, seeds_of
from reports.wording import LETTERS, OFF, claim_name, letter_of, plain, tallied, value_text
from sim.core.vocabulary import SECURITIES

if TYPE_CHECKING:
    from rich.text import Text

VERDICT_STYLES: Final = {"PREVENTED": "green", "DETECTED": "blue", "TOLERATED": "cyan", "SUCCEEDED": "red",
                         "INCONCLUSIVE": "yellow"}  # fmt: skip
OUTCOME_STYLES: Final = {"passed": "green", "failed": "red", "error": "red", "inconclusive": "yellow",
                         "interrupted": "yellow", "skipped": "dim"}  # fmt: skip
LEGEND: Final = "in modes 0, 5, 7: " + ", ".join(f"{letter} {name.lower()}" for name, letter in LETTERS.items()) + (
    ", ? inconclusive, - not applicable, ! not as expected")  # fmt: skip
_VARIANT_CHARS: Final = 56
_SEEDS_SHOWN: Final = 8


class Row(NamedTuple):
    """One variant under every set of defences; `cells`: defences -> claims in the order of SECURITIES."""

    attack: str
    variant: str
    cells: dict[str, list[Claim | None]]


def print_run(
    run: Run, *, file: IO[str] | None = None, rich: bool | None = None, report: Path | None = None,
    verbose: bool = False,
) -> None:  # fmt: skip
    """The summary of a run, to stdout unless `file` is given; `rich` None asks whether that is a terminal."""
    file = file or sys.stdout
    coloured = file.isatty() if rich is None else rich
    lines = [*matrix(run), *_told(run, verbose=verbose), *((line, "") for line in _closing(run, report))]
    if coloured:
        _coloured(lines, file)
        return
    for line, _ in lines:
        print(plain(line), file=file)


def rows_of(claims: Iterable[Claim]) -> list[Row]:
    """The matrix's rows in the order of the claims. Several scenarios, or seeds, that try the same thing stand under
    each other."""
    rows: list[Row] = []
    for claim in claims:
        if claim.security not in SECURITIES:
            continue
        at = SECURITIES.index(claim.security)
        for row in rows:
            if row[:2] == (claim.attack, claim.variant):
                cell = row.cells.setdefault(claim.defences, [None] * len(SECURITIES))
                if cell[at] is None:
                    cell[at] = claim
                    break
        else:
            cells: dict[str, list[Claim | None]] = {claim.defences: [None] * len(SECURITIES)}
            cells[claim.defences][at] = claim
            rows.append(Row(claim.attack, claim.variant, cells))
    return rows


def matrix(run: Run) -> Iterator[tuple[str, str]]:
    """(line, style) of the matrix."""
    last = ""
    for scenario in run.scenarios:
        for row in rows_of(scenario.claims):
            head = f"{row.attack}{seed_of(run, scenario)}"
            if head != last:
                yield head, "bold"
                last = head
            claims = [claim for cell in row.cells.values() for claim in cell if claim is not None]
            yield f"  {row.variant:<{_VARIANT_CHARS}} {_cells(row)}", "" if all(c.holds for c in claims) else "red"
    if last:
        yield LEGEND, "dim"


def _cells(row: Row) -> str:
    """"on X X X   off S S S"; the control last."""
    ordered = sorted(row.cells, key=lambda defences: defences in OFF)
    return "   ".join(f"{defences} {' '.join(map(letter_of, row.cells[defences]))}" for defences in ordered)


def _told(run: Run, *, verbose: bool) -> Iterator[tuple[str, str]]:
    """(line, style) of each verdict that has no place in the matrix, or of all."""
    for scenario, claim in run.claims:
        if verbose or claim.security not in SECURITIES:
            yield _claim_line(scenario, claim), VERDICT_STYLES.get(claim.verdict, "")


def _coloured(lines: Iterable[tuple[str, str]], file: IO[str]) -> None:
    from rich.console import Console

    console = Console(file=file, force_terminal=True)
    for line, style in lines:
        console.print(_text(line, style or OUTCOME_STYLES.get(line.partition(":")[0].lower(), "")), soft_wrap=True)


def _claim_line(scenario: Scenario, claim: Claim) -> str:
    remarks = [f"expected {claim.expected}"] if claim.expected not in ("", claim.verdict) else []
    remarks += [f"control {claim.control}"] if claim.control else []
    noted = f" ({', '.join(remarks)})" if remarks else ""
    return f"{claim.verdict:<13} {claim_name(claim)}{noted}: {claim.why}  [{scenario.id}]"


def _closing(run: Run, report: Path | None) -> list[str]:
    """Scenario lines, then what remains to be said."""
    lines = []
    for scenario in run.scenarios:
        title = f"{scenario.title or scenario.id}{seed_of(run, scenario)}"
        lines.append(f"{scenario.outcome.upper()}: {title} ({scenario.duration_s:.1f} s)")
        if scenario.outcome not in ("passed", "skipped"):
            again = f"again: {scenario.replay}" if scenario.replay else ""
            said = [line for line in scenario.message.splitlines() if line != again]
            lines += [f"  {line}" for line in (*said, again) if line]
        lines += [f"  {m.name} = {value_text(m.value)} {m.unit}, limit {m.limit}: outside"
                  for m in scenario.measures if not m.ok]  # fmt: skip
        lines += [f"  {m.name}: {m.value:.2f} {m.unit}" for m in scenario.measures if m.unit == "USD"]
    lines += [f"left out: {item}" for item in run.left_out]
    lines += [f"note: {note}" for note in run.notes]
    holding = sum(claim.holds for _, claim in run.claims)
    listed = "; ".join(
        f"{whose} " + ", ".join(f"{verdicts[name]} {name}" for name in VERDICT_STYLES if verdicts[name])
        for whose, verdicts in tallied(claim for _, claim in run.claims).items()
    )
    if listed:
        lines.append(f"{holding} of {len(run.claims)} verdicts as expected: {listed}")
    lines.append(f"{run.outcome}: {run.name}, {_named(sorted(seeds_of(run)), run.seed)}, {run.duration_s:.1f} s")
    if report is not None:
        lines.append(f"report: {report}")
    return lines


def seed_of(run: Run, scenario: Scenario) -> str:
    """The seed of a scenario that the run has with several, to be put behind its name."""
    several = len({one.seed for one in run.scenarios if one.id == scenario.id}) > 1
    return f", seed {scenario.seed}" if several else ""


def _named(seeds: Sequence[int], only: int) -> str:
    if len(seeds) < 2:
        return f"seed {only}"
    shown = ", ".join(map(str, seeds[:_SEEDS_SHOWN]))
    return f"seeds {shown}" if len(seeds) <= _SEEDS_SHOWN else f"seeds {shown} ... ({len(seeds)} seeds)"


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(plain(text), style=style)
