"""Logs on a gateway's disk: they outlive the program, a row that a thief takes away shows, and a full one does as its
rule says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.core.seeds import Seeds
from sim.pki.slot_keys import verifies
from sim.smart_metering.gateway_logs import GatewayLogs, rows_in, signed_in
from sim.smgw.logs.hash_chain import ends_in, verify
from sim.smgw.logs.log_entries import CALIBRATION, SYSTEM, Entry, Level, LogEvent, consumer
from sim.smgw.logs.log_limits import LogLimit
from sim.smgw.module.in_world import InWorldModule
from sim.smgw.refusals import RuleError
from tests.forked import die, exit_code

LOG = consumer("flat 1/2 *")


def entry(at_s: int, text: str = "row") -> Entry:
    return Entry(at_s, Level.INFORMATION, LogEvent.VALUES_SENT, "supplier", "gw", 0, text)


def module() -> InWorldModule:
    made = InWorldModule(Seeds(3), "gw")
    made.make_key("SIG")
    return made


def opened(folder: Path, limit: LogLimit | None = None) -> GatewayLogs:
    more = {} if limit is None else {"limits": lambda log: LogLimit(1_000, 0) if log == SYSTEM else limit}
    return GatewayLogs(folder, "gw", lambda said: module().sign("SIG", said), 1_000, **more)


def system(logs: GatewayLogs) -> list[str]:
    return [row.entry.text for row in logs.rows(SYSTEM)]


def test_rows_are_there_again_and_the_ends_are_signed_by_the_module(tmp_path: Path) -> None:
    logs = opened(tmp_path)
    for at_s in range(3):
        logs.write(LOG, entry(at_s))
    logs.seal(10)
    again = opened(tmp_path)
    again.write(LOG, entry(9))
    assert [row.number for row in again.rows(LOG)] == [1, 2, 3, 4] and system(again) == []
    signed = again.signed()
    assert signed is not None
    assert verifies(_public(), signed.statement, signed.signature)
    assert verify(again.rows(LOG), ends_in(signed.statement, "gw")[LOG]) == []


def _public() -> bytes:
    return InWorldModule(Seeds(3), "gw").make_key("SIG")


def test_a_deleted_row_shows_with_its_number(tmp_path: Path) -> None:
    logs = opened(tmp_path)
    for at_s in range(5):
        logs.write(LOG, entry(at_s))
    logs.seal(10)
    (path,) = tmp_path.glob("*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    for gone in (2, 5):
        path.write_bytes(b"".join(lines[: gone - 1] + lines[gone:]))
        again = opened(tmp_path)
        assert f"the log '{LOG}': row {gone}: is missing" in system(again)
        assert again.write(LOG, entry(11)).number == 6, "no number is given twice"
        path.write_bytes(b"".join(lines))
    path.unlink()
    assert sum("is missing" in text for text in system(opened(tmp_path))) >= 5


def test_a_torn_row_and_lines_that_are_none_cost_themselves_alone(tmp_path: Path) -> None:
    logs = opened(tmp_path)
    for at_s in range(3):
        logs.write(LOG, entry(at_s))
    logs.seal(10)
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + b'[4, "')
    again = opened(tmp_path)
    assert system(again) == [f"the log '{LOG}': row 4: was torn in writing, and is cut off"]
    assert again.write(LOG, entry(4)).number == 4
    path.write_bytes(whole.replace(b"[2,", b"(2,"))
    assert f"the log '{LOG}': row 2: is missing" in system(opened(tmp_path))
    (tmp_path / "ends.json").write_text("{", "utf-8")
    assert any("no signed ends" in text for text in system(opened(tmp_path)))
    with pytest.raises(RuleError, match="no signed ends"):
        signed_in(tmp_path)


def test_a_full_log_rolls_and_its_base_stays_signed(tmp_path: Path) -> None:
    logs = opened(tmp_path, LogLimit(20, 0))
    for at_s in range(30):
        logs.write(LOG, entry(at_s))
    logs.seal(40)
    rows = logs.rows(LOG)
    assert rows[-1].number == 30 and 10 < rows[0].number <= 13
    signed = logs.signed()
    assert signed is not None
    ends = ends_in(signed.statement, "gw")[LOG]
    assert ends.base.number == rows[0].number - 1 and verify(rows, ends) == []
    assert [str(one) for one in verify(rows[1:], ends)] == [f"row {rows[0].number}: is missing"]
    assert system(opened(tmp_path, LogLimit(20, 0))) == []


def test_a_full_log_that_never_rolls_refuses_and_says_so(tmp_path: Path) -> None:
    logs = opened(tmp_path, LogLimit(3, None))
    for at_s in range(3):
        assert logs.has_room(CALIBRATION, at_s)
        logs.write(CALIBRATION, entry(at_s))
    assert not logs.has_room(CALIBRATION, 10**9)
    with pytest.raises(RuleError, match="log-full"):
        logs.write(CALIBRATION, entry(4))
    assert len(logs.rows(CALIBRATION)) == 3 and "full" in system(logs)[0]


def dying(folder: Path) -> None:
    logs = opened(folder)
    for at_s in range(200):
        logs.write(LOG, entry(at_s))
        if at_s == 150:
            logs.seal(at_s)
    die()


def test_a_killed_program_leaves_every_row(tmp_path: Path) -> None:
    assert exit_code(dying, tmp_path) == -9
    logs = opened(tmp_path)
    assert len(logs.rows(LOG)) == 200 and system(logs) == []
    (path,) = [one for one in tmp_path.glob("*.jsonl") if "system" not in one.name]
    assert len(rows_in(path.read_bytes())) == 200
