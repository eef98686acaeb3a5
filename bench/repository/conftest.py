"""Lets plain pytest find wmbench: where WMBENCH_HOME says, or `home` in wmbench.toml beside this file."""

import importlib.util
import os
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SETTINGS = HERE / "wmbench.toml"
HOME = Path(os.environ.get("WMBENCH_HOME") or HERE / tomllib.loads(SETTINGS.read_text()).get("home", "")).resolve()
if not (HOME / "bench" / "rig" / "plugin.py").is_file():
    pytest.exit(f"there is no wmbench at {HOME}: correct home in {SETTINGS}, or set WMBENCH_HOME", returncode=4)
os.environ["WMBENCH_OWN"] = str(HERE)
sys.path.insert(0, str(HOME))
PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
if importlib.util.find_spec("simpy") is None:  # another environment than the bench's: its packages come after yours
    sys.path.append(str(HOME / ".venv" / "lib" / PYTHON / "site-packages"))
    if importlib.util.find_spec("simpy") is None:
        pytest.exit(f"{PYTHON} here has not wmbench's packages: use ./wmbench pytest, same words", returncode=4)

pytest_plugins = ["bench.rig.plugin"]
