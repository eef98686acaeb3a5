"""Custody on the disk: numbers never come back, bytes never change, power cuts take nothing that was stored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sim.gateway.outbox import Outbox, OutboxError

ROOT = Path(__file__).parents[3]


def body(sequence: int) -> bytes:
    return f"bundle {sequence}".encode()


def test_what_is_stored_waits_in_order_until_acknowledged(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    assert [outbox.store(body) for _ in range(3)] == [(n, body(n)) for n in (1, 2, 3)]
    outbox.acknowledged([2])
    assert outbox.waiting() == [(1, body(1)), (3, body(3))]
    outbox.close()
    assert Outbox(tmp_path / "o.db").waiting() == [(1, body(1)), (3, body(3))]


def test_a_number_is_never_used_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    for _ in range(5):
        outbox.store(body)
    outbox.acknowledged(range(1, 6))
    outbox.close()
    outbox = Outbox(tmp_path / "o.db")
    assert outbox.waiting() == []
    assert outbox.store(body)[0] == 6
    outbox.quarantine(6, "why")
    outbox.close()
    assert Outbox(tmp_path / "o.db").store(body)[0] == 7


def test_a_power_cut_forgets_deletions_and_nothing_else(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    outbox.store(body)
    outbox.acknowledged([1])
    outbox.power_cut()
    outbox = Outbox(tmp_path / "o.db")
    assert outbox.waiting() == [(1, body(1))], "sent again, and dropped by the portal"
    outbox.acknowledged([1])
    outbox.store(body)
    outbox.power_cut()
    outbox = Outbox(tmp_path / "o.db")
    assert outbox.waiting() == [(2, body(2))], "deleted with the commit of 2"
    outbox.store(body)
    outbox.acknowledged([2])
    outbox.power_cut()
    assert Outbox(tmp_path / "o.db").waiting() == [(2, body(2)), (3, body(3))], "3 was stored before, not after"


def test_sigkill_in_the_middle_of_storing_loses_nothing_synced(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from sim.gateway.outbox import Outbox
        outbox = Outbox(Path({str(tmp_path / "o.db")!r}))
        while True:
            for _ in range(3):
                sequence, _ = outbox.store(lambda n: b"x" * 5_000 + str(n).encode())
            outbox.sync()
            print(sequence, flush=True)
    """)
    said = 0
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(100):
            said = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read().split()  # numbers it had said before it died; the last may be cut short
        said = max(said, *(int(number) for number in rest[:-1]), 0)
        child.wait()
        child.stdout.close()
    outbox = Outbox(tmp_path / "o.db")
    stored = [sequence for sequence, _ in outbox.waiting()]
    assert stored == list(range(1, len(stored) + 1)) and len(stored) >= said >= 900
    assert all(payload.endswith(str(sequence).encode()) for sequence, payload in outbox.waiting())


def test_quarantine_keeps_the_bytes_and_gives_them_back(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    outbox.store(body)
    outbox.store(body)
    outbox.quarantine(1, "too big")
    assert outbox.waiting() == [(2, body(2))]
    [kept] = Outbox.quarantined(outbox)
    assert (kept.sequence, kept.payload, kept.reason) == (1, body(1), "too big")
    outbox.release(1)
    assert outbox.waiting() == [(1, body(1)), (2, body(2))] and not outbox.quarantined()


def test_a_late_acknowledgement_empties_the_quarantine(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    outbox.store(body)
    outbox.quarantine(1, "seemed lost")
    outbox.acknowledged([1])
    outbox.close()
    assert not Outbox(tmp_path / "o.db").quarantined()


def test_a_full_disk_is_named_and_takes_nothing(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    outbox.store(lambda _: b"x" * 5_000)
    outbox.sync()
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages + 1}")
    outbox.store(lambda _: b"y" * 50_000)
    for _ in range(2):
        with pytest.raises(OutboxError, match=r"o\.db: cannot store a bundle.*full.*free some space"):
            outbox.sync()
        assert [sequence for sequence, _ in outbox.waiting()] == [1, 2]
    outbox._db.execute("PRAGMA max_page_count = 100000")
    assert outbox.store(lambda number: b"z%d" % number) == (3, b"z3")
    outbox.power_cut()
    assert [sequence for sequence, _ in Outbox(tmp_path / "o.db").waiting()] == [1, 2, 3]


def test_a_deletion_that_met_a_full_disk_is_not_forgotten(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db")
    outbox.store(body)
    outbox.acknowledged([1])
    outbox.sync()
    outbox._db.execute("PRAGMA max_page_count = 1")
    outbox.store(lambda _: b"y" * 50_000)
    with pytest.raises(OutboxError):
        outbox.sync()
    outbox._db.execute("PRAGMA max_page_count = 100000")
    outbox.close()
    assert [sequence for sequence, _ in Outbox(tmp_path / "o.db").waiting()] == [2]


@pytest.mark.parametrize("content", [b"this is no database, although it is long enough to be one" * 100])
def test_a_file_that_is_no_outbox_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "o.db").write_bytes(content)
    with pytest.raises(OutboxError, match=r"o\.db: cannot open"):
        Outbox(tmp_path / "o.db")
    with pytest.raises(OutboxError, match="cannot create it: No such file"):
        Outbox(tmp_path / "no such folder" / "o.db")


def test_it_is_written_ahead_and_synced(tmp_path: Path) -> None:
    """What the two rules at the top of the file stand on: asked of SQLite, not of our settings."""
    outbox = Outbox(tmp_path / "o.db")
    outbox.power_on()
    asked = [outbox._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert asked == ["wal", 2]
    assert outbox._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    outbox.store(body)
    outbox.sync()
    assert (tmp_path / "o.db-wal").stat().st_size > 0


def test_power_ons_are_counted_across_cuts(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        outbox = Outbox(tmp_path / "o.db")
        assert outbox.power_on() == expected
        outbox.power_cut()
