"""What the tests of `frame` share: two published telegrams, and the command in a process of its own each time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sim.meters.meter_type import kinds
from tests.bench.command_line import PATIENCE_S, TRACE, Rig

TECHEM = kinds()["techem-radio-4"].examples[0]
QUNDIS = kinds()["qundis-q-caloric"].examples[0].telegram.lower()
FRAME = bytes.fromhex(TECHEM.telegram)
KEY = str(TECHEM.key)
VECTORS = Path(__file__).parents[2] / "vectors" / "telegrams.jsonl"


def fed(rig: Rig, text: bytes, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """`frame ...` with these bytes on standard input."""
    command = [sys.executable, "-m", "bench", "frame", *map(str, words)]
    done = subprocess.run(
        command, input=text, cwd=rig.folder, env=rig.environment(), capture_output=True, timeout=PATIENCE_S
    )
    assert TRACE.encode() not in done.stderr, done.stderr
    return done


def answers(rig: Rig, lines: Iterable[bytes], *words: str) -> list[dict[str, Any]]:
    done = fed(rig, b"\n".join(lines) + b"\n", *words)
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]


def refused(rig: Rig, *words: str | Path) -> str:
    done = rig.run("frame", *words)
    assert (done.returncode, done.stdout) == (2, ""), done
    return str(done.stderr)
