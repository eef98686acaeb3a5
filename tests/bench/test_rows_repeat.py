"""Rows on real sockets do not differ from one time to the next, on a machine whose cores are busy: three times by day,
twenty by night."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.broker.broker_suite import Attack, rows_named
from tests.bench.broker.configured import Broker, running
from tests.bench.product.test_attack_portal import entry
from tests.bench.product.test_attack_portal import played as played_portal
from tests.night import NIGHT

TIMES = 20 if NIGHT else 3
BY_DAY = ("client-id", "flooding", "foreign-read", "resets", "retained-poison", "revoked")


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """A loop a core that does nothing, beside the test."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def retained(broker: Broker) -> None:
    """A defect, so that a row that fails is repeated as well."""
    broker.settings["retain_available"] = "true"


@pytest.mark.acceptance
def test_rows_on_a_broker_say_the_same_each_time(tmp_path: Path) -> None:
    came: Counter[tuple[tuple[str, str, str], ...]] = Counter()
    rows = rows_named(() if NIGHT else BY_DAY)
    for turn in range(TIMES):
        with busy(), running(tmp_path / f"b{turn}", retained) as broker:
            (tmp_path / f"r{turn}").mkdir()
            attack = Attack(broker.target(), rows, tmp_path / f"r{turn}")
            attack.run()
        came[tuple((one.row.id, one.answer, re.sub(r"\d+", "#", one.words)) for one in attack.findings)] += 1
    assert len(came) == 1, "\n".join(str(set(said) - set.intersection(*map(set, came))) for said in came)
    [(said, times)] = came.items()
    assert times == TIMES and len(said) == len(rows)
    assert {id_ for id_, answer, _ in said if answer == "FAIL"} == {"retained-poison"}
    assert "INCONCLUSIVE" not in {answer for _, answer, _ in said}


def test_rows_on_a_portal_say_the_same_each_time(tmp_path: Path) -> None:
    came: Counter[tuple[tuple[str, str, str], ...]] = Counter()
    for turn in range(TIMES):
        folder = tmp_path / str(turn)
        folder.mkdir()
        with busy():
            attack = played_portal(entry(folder, "replay"), folder / "runs", "replay-at-once", "cut", patience_s=60.0)
        came[tuple((one.id, one.answer, one.words) for one in attack.judged)] += 1
    [(said, times)] = came.items()
    assert times == TIMES and {answer for _, answer, _ in said} == {"PASS", "FAIL"}
