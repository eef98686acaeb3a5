"""wmbus opens nothing, waits for nothing and starts nothing: importing it loads code, and code alone."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.run_directory import ROOT

_IMPORT = """
import importlib, json, pkgutil, sys
CODE = (".py", ".pyc", ".so")
seen, heavy = [], ("numba", "llvmlite", "numpy", "simpy", "sim", "arrays")
def hook(event, arguments):
    if event == "open" and not str(arguments[0]).endswith(CODE):
        seen.append(f"open {arguments[0]}")
    elif event.startswith(("socket.", "subprocess.", "fcntl.", "os.fork", "_thread.start", "time.sleep", "os.mkdir")):
        seen.append(event)
wanted = json.loads(sys.argv[1])
import _thread, ssl  # what cryptography loads of Python's own is not ours
import cryptography.hazmat.bindings._rust, cryptography.hazmat.primitives.ciphers.algorithms
sys.addaudithook(hook)
for name in wanted:
    importlib.import_module(name)
print(json.dumps([seen, sorted(name for name in heavy if name in sys.modules)]))
"""
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "wmbus").rglob("*.py")
)  # fmt: skip
SAMPLES = "wmbus.phy"  # chips and samples are arrays: numpy, and still no compiler


def imported(*names: str) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, json.dumps(names)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_importing_all_of_it_does_nothing_else() -> None:
    samples = [name for name in MODULES if name.startswith(SAMPLES)]
    assert len(samples) >= 4
    assert imported(*(name for name in MODULES if name not in samples)) == [[], []]
    assert imported(*samples)[1] == ["numpy"]


def test_what_it_looks_for_is_found() -> None:
    assert imported("arrays.ciphers_compiled")[1] == ["arrays", "llvmlite", "numba", "numpy"]
