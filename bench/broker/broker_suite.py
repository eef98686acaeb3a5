"""The attack on a broker: every row on the one broker that there is, one after another; table, JUnit, SARIF, page.

    PASS             the attack did not work, and a control shows that it would have been seen
    FAIL             it worked; the sentence says what came of it, `evidence` how that was seen
    NOT APPLICABLE   what it needs was not given, or cannot be: the sentence names it
    INCONCLUSIVE     neither was shown, with the way out

Where no broker answers at all, every row is INCONCLUSIVE for the same one reason.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench import row_suite, run_directory
from bench.broker import config_place
from bench.broker.broker_stand import BrokerStand, NoBroker, met, version_of
from bench.broker.broker_target import Broker, Target
from bench.broker.rows.port import BROKER_ROWS, BrokerRow, NotApplicable
from bench.row_suite import Answer, Failed, Outcome, Undecided, counted, outcome_of_attack, row_json
from sim.core.clock import wall_s
from sim.core.quoting import named, shown
from sim.endpoint.one_session import Refused, Silent
from sim.endpoint.tls_connect import ConnectFailed
from sim.endpoint.tls_hello import NoTls

_AWS: Final = ".amazonaws.com"
_OTHER_WORDS: Final = "in Mosquitto's words, since this broker does not say that it is one: "


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a row. `line`: of the configuration that was given, 0 where none was."""

    row: BrokerRow
    answer: Answer
    words: str
    remedy: str
    line: int
    duration_s: float
    evidence: dict[str, Any] = field(default_factory=dict)


def rows_named(names: Sequence[str]) -> list[BrokerRow]:
    """All unless named, in the order that they ask for and then of their ids. Raises CannotRun."""
    return sorted(row_suite.rows_named(BROKER_ROWS, names), key=lambda row: (row.order, row.id))


class Attack:
    """`say(finding, done, all)`: told of each row. `broker`: what it is, in words. Raises CannotRun for a
    configuration that cannot be read."""

    def __init__(
        self, target: Target, rows: Sequence[BrokerRow], directory: Path,
        say: Callable[[Finding, int, int], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        self.target, self.rows, self.directory, self._say = target, rows, directory, say
        self._settings = config_place.settings(target.config) if target.config is not None else []
        self.findings: list[Finding] = []
        self.broker, self.kind = "unknown", target.broker
        self.no_broker = ""

    def run(self) -> None:
        tls = True
        try:
            stand = met(self.target, self.directory)
            tls = stand.tls
            self.broker, self.kind = _known(stand, self.kind)
        except NoBroker as error:
            self.no_broker = str(error)
        for row in self.rows:
            self.findings.append(self._played(row, tls))
            self._say(self.findings[-1], len(self.findings), len(self.rows))

    def _played(self, row: BrokerRow, tls: bool) -> Finding:
        begun_s = wall_s()
        folder = self.directory / row.id
        folder.mkdir(exist_ok=True)
        stand = BrokerStand(self.target, folder, tls=tls)
        answer: Answer = "INCONCLUSIVE"
        words = self.no_broker
        if not words:
            answer, words = _answer(row, stand)
        line = config_place.line_of(self._settings, row.remedy.settings) if self.target.config is not None else 0
        remedy = self._remedy(row) if answer == "FAIL" else ""
        made = Finding(row, answer, shown(words), remedy, line, round(wall_s() - begun_s, 2), stand.evidence)
        body = {"row": row.id, "answer": answer, "words": made.words, "remedy": remedy, "evidence": made.evidence}
        run_directory.write_json(folder / "row.json", body, reserve=self.directory)
        return made

    def _remedy(self, row: BrokerRow) -> str:
        if self.kind == "aws" and row.remedy.aws:
            return row.remedy.aws
        return row.remedy.mosquitto if self.kind == "mosquitto" else _OTHER_WORDS + row.remedy.mosquitto

    # --- what came of it ------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Outcome:
        return outcome_of_attack(one.answer for one in self.findings)

    def as_json(self, started: datetime, command: str, *, interrupted: bool = False) -> dict[str, Any]:
        """run.json."""
        target = self.target
        rows = [
            row_json(
                at, f"broker/{target.words}::{one.row.id}", one.answer, title=one.row.title,
                doc=BROKER_ROWS.page(one.row.id), message=one.words, duration_s=one.duration_s,
                replay=f"{command} --rows {one.row.id}", threats=list(one.row.threats), row=one.row.id,
                evidence=one.row.id, seen=one.evidence, remedy=one.remedy, help=self._remedy(one.row), line=one.line,
            )
            for at, one in enumerate(self.findings)
        ]  # fmt: skip
        return row_suite.run_json(
            self, started, rows, title=f"Attack on the broker at {target.words}", command=command,
            outcome="interrupted" if interrupted else self.outcome,
            left_out=[f"{one.row.id}: {one.words}" for one in self.findings if one.answer == "NOT APPLICABLE"],
            check={
                "broker": target.words, "kind": self.kind or "other", "says": named(self.broker),
                "config": str(target.config) if target.config is not None else "", "times": 1,
                "claims": _given(target), "answers": counted(one.answer for one in self.findings),
                "no_broker": self.no_broker,
            },
        )  # fmt: skip


def _answer(row: BrokerRow, stand: BrokerStand) -> tuple[Answer, str]:
    try:
        if why := next((why for need in row.needs if (why := need(stand))), ""):
            return "NOT APPLICABLE", why
        return "PASS", row.play(stand)
    except Failed as error:
        return "FAIL", str(error)
    except NotApplicable as error:
        return "NOT APPLICABLE", str(error)
    except Undecided as error:
        return "INCONCLUSIVE", str(error)
    except (Refused, Silent, ConnectFailed, NoTls) as error:
        return "INCONCLUSIVE", f"the broker answers no more as it did: {error}; see that it still runs"


def _known(stand: BrokerStand, kind: Broker | None) -> tuple[str, Broker]:
    """What it is, in words, and whose configuration has words for it."""
    said = version_of(stand)
    if kind is not None:
        return said or kind, kind
    if said.startswith("mosquitto"):
        return said, "mosquitto"
    return (said or "it does not say", "aws" if stand.target.name.endswith(_AWS) else "other")


def _given(target: Target) -> dict[str, Any]:
    """What was tried with, for the page; never a password."""
    kept: dict[str, Any] = {
        one.name: getattr(target, one.name)
        for one in dataclasses.fields(target)
        if one.name
        in ("name", "topic", "deadline_s", "patience_s", "system_s", "flood", "queue", "largest_bytes", "connections")
    }
    kept["first"] = target.first.client_id
    kept["second"] = target.second.client_id if target.second is not None else ""
    kept["ca"] = str(target.authorities) if target.authorities is not None else ""
    kept["revoke"] = shlex.join(target.revoke)
    return kept
