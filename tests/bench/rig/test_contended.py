"""What the broker's own log says of contended sessions: the lines of their client, in their seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from attacks.attack import Outcome
from bench.rig.contended import LINES, broker_lines, session_rows
from sim.core.clock import NS_PER_S, stamp_ns
from sim.core.events import SessionChanged


def stamped(at_s: int, words: str) -> str:
    """As Mosquitto writes it: local time, without a zone."""
    return f"{datetime.fromtimestamp(at_s, UTC).astimezone().replace(tzinfo=None).isoformat()}: {words}\n"


def test_lines_of_another_time_or_client_are_no_part_of_it(tmp_path: Path) -> None:
    at_s = stamp_ns() // NS_PER_S
    log = tmp_path / "endpoint" / "broker.log"
    log.parent.mkdir()
    log.write_text(
        stamped(at_s - 1, "New client gw-0001 before") + stamped(at_s, "gw-0001 closing old") + "no instant: gw-0001\n"
        + stamped(at_s + 1, "New client gw-0002") + stamped(at_s + 2, "gw-0001 again") + stamped(at_s + 4, "gw-0001")
    )  # fmt: skip
    sessions = tuple(
        SessionChanged(7, "gw-0001", state, "", (at_s + late_s) * NS_PER_S, "owner")
        for state, late_s in (("dropped", 0), ("connected", 2))
    )
    outcome = Outcome("v", "mode5", 1, 1, sessions=sessions)
    words = [line.partition(": ")[2] for line in broker_lines(outcome, tmp_path)]
    assert words == ["gw-0001 closing old", "gw-0001 again"]
    assert session_rows(outcome)[1]["wall_ns"] == (at_s + 2) * NS_PER_S
    assert broker_lines(Outcome("v", "mode5", 1, 1), tmp_path) == []
    assert broker_lines(outcome, tmp_path / "embedded") == []
    log.write_text(stamped(at_s, "gw-0001") * (LINES + 1))
    assert len(broker_lines(outcome, tmp_path)) == LINES
