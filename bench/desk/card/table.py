"""All cells of the card on a gateway that gives values: played one after the other on one start of it, and decided.

SUCCEEDED and PREVENTED are decided as in a scenario (bench.rig.verdict): nothing is PREVENTED whose control did not
succeed. NOT APPLICABLE says why a cell has no answer at such a gateway; INCONCLUSIVE, what is missing.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from attacks.attack import Outcome
from bench.desk.card import changes, evidence, onlookers, replays
from bench.desk.card.meters import Meter, Meters
from bench.desk.depth import Depth
from bench.desk.rows.port import Failed, Undecided, decodes, power, tls
from bench.desk.stand import Stand
from bench.rig.verdict import Terms, decide
from bench.run_errors import CannotRun
from sim.core.vocabulary import SECURITIES, SERVER_CERTIFICATES, Security
from sim.desk import keyed
from sim.desk.box import BoxError
from sim.desk.inventory import GatewayEntry
from sim.endpoint.port import EndpointError

NOT_APPLICABLE: Final = "NOT APPLICABLE"
INCONCLUSIVE: Final = "INCONCLUSIVE"
ANSWERS: Final = ("SUCCEEDED", "PREVENTED", INCONCLUSIVE, NOT_APPLICABLE)
METERS_EACH: Final = 3
CARD_DEPTH: Final = Depth(patience_s=10.0)
_HELLO_METERS: Final = 20

Played = tuple[Outcome, list[Outcome]]
Play = Callable[[Stand, list[Meter]], Played]


@dataclass(frozen=True, slots=True)
class Cell:
    """One attack's variant on meters of one security mode. `least`: shots that must arrive. `why_not`: why it has no
    answer."""

    card: str
    variant: str
    security: Security | str
    threats: tuple[str, ...]
    play: Play | None = None
    least: int = METERS_EACH
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a cell. `control`: what shows that the attack can succeed. `evidence`: its file, below the card's
    directory."""

    card: str
    variant: str
    security: str
    threats: tuple[str, ...]
    verdict: str
    reached: int
    achieved: int
    why: str
    control: str = ""
    evidence: str = ""


def cells(entry: GatewayEntry) -> list[Cell]:
    """In the card's order."""
    made = [Cell("sniffing", "values on the air", one, ("L01",), why_not=_ON_AIR) for one in SECURITIES]
    unpublished = "" if onlookers.publishes_values(entry) else "its values come over no broker"
    for one in SECURITIES:
        made.append(Cell("sniffing", onlookers.AT_THE_BROKER, one, ("W01",), onlookers.read_at_the_broker,
                         why_not=unpublished))  # fmt: skip
    for one in SECURITIES:
        no_key = "a meter in clear has no key" if one == "none" else ""
        made.append(Cell("sniffing", onlookers.ITS_FILES, one, ("G01",), onlookers.keys_in_its_files, why_not=no_key))
    for variant in replays.VARIANTS:
        why = power(entry) if variant == replays.RESTART else ""
        made += [Cell("replay", variant, one, ("L08", "L09"), _variant(replays.play, variant), why_not=why)
                 for one in SECURITIES]  # fmt: skip
    for variant in changes.VARIANTS:
        for one in SECURITIES:
            made.append(Cell("alteration", variant, one, ("L13", "L20"), _variant(changes.play, variant)))
    made.append(Cell("jamming", "readings", "", ("L25", "L26"), why_not=_JAMMED))
    for certificate in SERVER_CERTIFICATES:
        made.append(Cell("man in the middle", certificate, "", ("W01", "W02", "W03"),
                         _variant(onlookers.on_the_path, certificate), least=1, why_not=tls(entry)))  # fmt: skip
    for one in SECURITIES:
        made.append(Cell("cloned gateway", onlookers.FORGED, one, ("G03",), onlookers.forged_with_its_certificate,
                         why_not=unpublished or tls(entry)))  # fmt: skip
    made += [Cell("cloned gateway", "backfill of recordings", one, ("G02",), why_not=_NO_RECORDINGS)
             for one in SECURITIES]  # fmt: skip
    return made


_ON_AIR: Final = "decided between meter and air, whatever gateway hears it: see card/test_sniffing"
_JAMMED: Final = "whether silence is noticed is the portal's alarm, and behind this gateway there is no portal of ours"
_NO_RECORDINGS: Final = "it sends values and no telegrams, so there are none to send again; what is forged stands above"


def _variant(play: Callable[[Stand, str, list[Meter]], Played], variant: str) -> Play:
    return lambda stand, meters: play(stand, variant, meters)


class Card:
    """`chosen`: these cells and not all; `depth.patience_s`: how long nothing may come of a shot before nothing will;
    `say(answered)`: told of each cell when it is decided. Raises CannotRun for a gateway that holds no keys."""

    def __init__(
        self, entry: GatewayEntry, directory: Path, chosen: Sequence[Cell] = (), *, depth: Depth = CARD_DEPTH,
        say: Callable[[Answered], None] = lambda _: None,
    ) -> None:  # fmt: skip
        if why := decodes(entry):
            raise CannotRun(f"{entry.name}: {why}: what the portal makes of its telegrams is judged in a world with "
                            '[[gateway]] kind = "box"')  # fmt: skip
        if not entry.keys.path:
            raise CannotRun(f"{entry.name}: its entry does not say how it is given the meters' keys (keys.path)")
        self.entry, self.directory, self._depth, self._say = entry, directory, depth, say
        self._cells = list(chosen) or cells(entry)
        self.answers: list[Answered] = []
        self._outcomes: list[Outcome] = []

    def run(self) -> None:
        """All cells, on one start of the gateway. Where it does not start, or gives no value of meters in clear, no
        cell is decided, and each says why."""
        made = Meters()
        every = [(cell, self._meters(made, cell)) for cell in self._cells]
        try:
            with Stand(with_keys(self.entry, made.all), self.directory, self._depth) as stand:
                stand.hello()
                for number, (cell, meters) in enumerate(every, start=1):
                    since = evidence.places(stand)
                    answered = self._answered(stand, cell, meters)
                    self._note(dataclasses.replace(answered, evidence=evidence.keep(stand, since, number)))
        except (BoxError, EndpointError, Undecided) as error:
            for cell, _ in every[len(self.answers) :]:
                blank = _blank(cell)
                self._note(blank if cell.why_not else dataclasses.replace(blank, verdict=INCONCLUSIVE, why=str(error)))

    def _note(self, answered: Answered) -> None:
        self.answers.append(answered)
        self._say(answered)

    @staticmethod
    def _meters(made: Meters, cell: Cell) -> list[Meter]:
        if cell.why_not:
            return []
        return made.some(next((one for one in SECURITIES if one == cell.security), "none"), METERS_EACH)

    def _answered(self, stand: Stand, cell: Cell, meters: list[Meter]) -> Answered:
        blank = _blank(cell)
        if cell.why_not or cell.play is None:
            return blank
        try:
            outcome, controls = cell.play(stand, meters)
        except (Undecided, Failed) as error:
            return dataclasses.replace(blank, verdict=INCONCLUSIVE, why=str(error))
        self._outcomes.append(outcome)
        others = [one for one in self._outcomes if one.variant == outcome.variant]
        found = decide(outcome, [*controls, *others], terms=Terms(least=cell.least))
        return dataclasses.replace(
            blank, verdict=str(found.verdict), reached=outcome.reached, achieved=outcome.achieved, why=found.why,
            control=found.control if found.verdict != "SUCCEEDED" else "",
        )  # fmt: skip


def _blank(cell: Cell) -> Answered:
    return Answered(cell.card, cell.variant, cell.security, cell.threats, NOT_APPLICABLE, 0, 0, cell.why_not)


def with_keys(entry: GatewayEntry, meters: Sequence[Meter]) -> GatewayEntry:
    """The same gateway with a file for each of these meters, and for those in clear that a stand says hello with."""
    keys = {f"{70_000_000 + at:08d}": "" for at in range(_HELLO_METERS)}
    keys |= {one.id: one.key.hex() if one.key is not None else "" for one in meters}
    return keyed.with_keys(entry, keys)


# --- the answer ------------------------------------------------------------------------------------------------------


def counted(answers: Sequence[Answered]) -> dict[str, int]:
    found = Counter(one.verdict for one in answers)
    return {answer: found[answer] for answer in ANSWERS}


def as_json(card: Card) -> dict[str, Any]:
    """card.json."""
    return {
        "kind": "card", "version": 1, "title": f"The card on {card.entry.title or card.entry.name}",
        "gateway": card.entry.name, "counts": counted(card.answers),
        "claims": dataclasses.asdict(card.entry.claims),
        "cells": [dataclasses.asdict(one) for one in card.answers],
    }  # fmt: skip
