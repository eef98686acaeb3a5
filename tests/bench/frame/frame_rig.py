"""What the tests of `frame` share: two published telegrams, and the command with something on its standard input.

It runs in the test's own process, which saves some seconds of starting in each file; `piped` has a process of its own,
for one test at least of each verb.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sim.meters.meter_type import kinds
from tests.bench.command_line import PATIENCE_S, TRACE, Rig
from tests.bench.conftest import Here

TECHEM = kinds()["techem-radio-4"].examples[0]
QUNDIS = kinds()["qundis-q-caloric"].examples[0].telegram.lower()
FRAME = bytes.fromhex(TECHEM.telegram)
KEY = str(TECHEM.key)
VECTORS = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"


def piped(rig: Rig, text: bytes, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """`frame ...` as a process, with these bytes on standard input."""
    command = [sys.executable, "-m", "bench", "frame", *map(str, words)]
    done = subprocess.run(
        command, input=text, cwd=rig.folder, env=rig.environment(), capture_output=True, timeout=PATIENCE_S
    )
    assert TRACE.encode() not in done.stderr, done.stderr
    return done


def fed(here: Here, text: bytes, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """`frame ...` with these bytes on standard input."""
    return here("frame", *words, stdin=text)


def answers(here: Here, lines: Iterable[bytes | str], *words: str) -> list[dict[str, Any]]:
    given = [line if isinstance(line, bytes) else line.encode() for line in lines]
    done = fed(here, b"\n".join(given) + b"\n", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def refused(here: Here, *words: str | Path) -> str:
    done = here("frame", *words)
    assert (done.returncode, done.stdout) == (2, ""), done
    return str(done.stderr)
