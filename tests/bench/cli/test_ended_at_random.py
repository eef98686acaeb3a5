"""SIGTERM at any moment after the start ends a run: thirty moments at night, three by day. Each run would take hours,
so that one which ended by itself is not taken for one that was ended."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.exit_codes import INTERRUPTED_EXIT
from bench.run_directory import ROOT
from tests.bench.cli.test_main import none_left
from tests.bench.command_line import PATIENCE_S, Rig
from tests.night import NIGHT

HOURS = '''
from bench.rig.scenario import Stage, scenario

@scenario(world="terrace-60", settings={"endpoint.kind": "mosquitto"}, needs=["kill"])
def test_for_ever(world: Stage) -> None:
    world.run(days=4_000)
'''
WITHIN_EXEC = """
import runpy
import bench.cli.main

def main(argv):
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return 130

bench.cli.main.main = main
runpy.run_module("bench", run_name="__main__")
"""
LAST_S = 6.0


@pytest.mark.parametrize("attempt", range(30 if NIGHT else 3))
@pytest.mark.acceptance
def test_sigterm_ends_a_run_whenever_it_comes(rig: Rig, attempt: int) -> None:
    process = rig.start("run", rig.scenarios(HOURS), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.Random(attempt).uniform(0.2, LAST_S))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) in (130, -signal.SIGTERM)  # by itself, or before it could listen
    assert none_left(rig.folder)


def test_an_interruption_within_an_exec_ends_with_the_same_code(tmp_path: Path) -> None:
    """As one that comes while a dataclass is made: left alone, Python ends by SIGINT in place of the code."""
    (tmp_path / "interrupted.py").write_text(WITHIN_EXEC)
    paths = os.pathsep.join((str(tmp_path), str(ROOT)))
    ended = subprocess.run([sys.executable, "-m", "interrupted"], env={**os.environ, "PYTHONPATH": paths}, check=False)
    assert ended.returncode == INTERRUPTED_EXIT
