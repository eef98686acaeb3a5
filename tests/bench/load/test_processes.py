"""Whose processor time is whose: a process that works beside one that sleeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.load import processes
from bench.load.processes import Watch, _Seen, children
from sim.core.clock import wall_sleep

WORKS_S = 0.5
WORK = f"""
begun_s = time.process_time()
while time.process_time() - begun_s < {WORKS_S}:
    pass
"""
AROUND = """
import sys, time
print("ready", flush=True)
sys.stdin.readline()
{}
print("done", flush=True)
sys.stdin.readline()
"""


@contextmanager
def beside(code: str) -> Iterator[subprocess.Popen[str]]:
    """A program that begins and ends at a line, and stays until it is let go."""
    words = [sys.executable, "-c", AROUND.format(code)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.stdin.close()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def test_each_group_has_the_processor_time_of_its_own_processes() -> None:
    with beside(WORK) as working, beside("") as sleeping:
        watch = Watch({"works": [working.pid], "sleeps": [sleeping.pid], "both": [working.pid, sleeping.pid]})
        go(sleeping)
        go(working)
        spent_s, used = watch.spent_s(), watch.used()
    assert spent_s["works"] > 4 * spent_s["sleeps"] and spent_s["both"] == spent_s["works"] + spent_s["sleeps"]
    assert spent_s["works"] == pytest.approx(WORKS_S, abs=0.1)  # /proc counts in hundredths
    assert used["works"].core > 4 * used["sleeps"].core and used["works"].memory_bytes > 1 << 20


def test_a_process_that_waits_for_a_core_did_not_sleep() -> None:
    assert processes._awake_s(_Seen(0.0, 1.0, 2.0, 0), _Seen(10.0, 4.0, 8.0, 0)) == 9.0


def test_one_that_is_gone_is_known_until_it_was_seen_last() -> None:
    with beside(WORK) as working:
        watch = Watch({"works": [working.pid]})
        go(working)
        watch.look()
    while Path(f"/proc/{working.pid}").exists():
        wall_sleep(0.01)
    assert watch.spent_s()["works"] > 0 and children(working.pid) == []
