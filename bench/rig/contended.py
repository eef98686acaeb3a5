"""What shows an attack that sends no telegram: the sessions that it fought for, as clients and the broker saw them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attacks.attack import Outcome
from sim.core.clock import NS_PER_S

LOG: Final = "endpoint/broker.log"
LINES: Final = 200
"""So many of the broker's lines are kept of a claim."""


def session_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """As they stand in run.json, in the order in which they happened."""
    return [
        {
            "whose": one.whose,
            "client": one.client,
            "state": one.state,
            "reason": one.reason,
            "wall_ns": one.wall_ns,
            "time_ns": one.time_ns,
        }
        for one in outcome.sessions
    ]


def broker_lines(outcome: Outcome, directory: Path) -> list[str]:
    """Those of the broker's own log that name one of the clients in the seconds of these sessions; [] where no broker
    writes one. `directory`: the world's."""
    path = directory / LOG
    if not outcome.sessions or not path.is_file():
        return []
    instants_s = [one.wall_ns // NS_PER_S for one in outcome.sessions]
    clients = {one.client for one in outcome.sessions}
    found = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for at_s, line in _timed(file):
            if min(instants_s) <= at_s <= max(instants_s) + 1 and any(client in line for client in clients):
                found.append(line)
    return found[:LINES]


def _timed(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(seconds since 1970, line) of lines that begin with an instant of local time, as Mosquitto is told to."""
    for line in lines:
        stamp, _, _ = line.partition(": ")
        try:
            at = datetime.fromisoformat(stamp).astimezone(UTC)
        except ValueError:
            continue
        yield int(at.timestamp()), line.rstrip("\n")
