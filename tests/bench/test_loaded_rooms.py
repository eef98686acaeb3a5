"""What a command loads: the rooms that it needs, and none of those that only others do. Each costs every scenario's
process and every command's start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.command_line import Rig
from tests.bench.rig.test_plugin import PREVENTED, staged

ONLY_SMGW = ("sim.smart_metering.smart_gateway", "sim.smart_metering.administrator", "sim.smart_metering.lmn.wired_bus",
             "sim.smgw.module", "sim.systems._smgw_running", "sim.systems._smgw_grid", "sim.truth.released_values",
             "attacks.reach_smgw", "attacks.reach_homes")  # fmt: skip
FOR_PLANNERS = ("scipy", "pyarrow", "dask", "sim.city.stored_readings", "bench.load", "bench.sweep")
ELSEWHERE = ("asyncio", "psycopg", "scapy", "bench.desk", "bench.fuzz", "bench.receiver")

LEAVE_NAMES = """
import atexit, sys
from pathlib import Path

atexit.register(lambda: Path("loaded.txt").write_text("\\n".join(sorted(sys.modules))))
"""


def loaded(folder: Path) -> set[str]:
    return set((folder / "loaded.txt").read_text().split())


def found(names: set[str], rooms: tuple[str, ...]) -> list[str]:
    return sorted(name for name in names for room in rooms if name == room or name.startswith(room + "."))


def test_a_keyless_scenario_loads_nothing_of_another_system(rig: Rig) -> None:
    path = rig.scenarios(LEAVE_NAMES + staged("prevented", "world, on=(3, 0)", PREVENTED))
    done = rig.run("run", path)
    assert done.returncode == 0, done.stderr
    names = loaded(rig.folder)
    assert {"sim.world", "sim.systems.keyless", "bench.rig.checks.of_the_system", "attacks.reach"} <= names
    assert found(names, (*ONLY_SMGW, *FOR_PLANNERS, *ELSEWHERE)) == []


@pytest.mark.parametrize("words", [("--help",), ("list", "scenarios")], ids=" ".join)
def test_a_command_that_runs_nothing_loads_no_arrays_and_draws_nothing(rig: Rig, words: tuple[str, ...]) -> None:
    code = f"import runpy; sys.argv[1:] = {list(words)!r}; runpy.run_module('bench', run_name='__main__')"
    rig.python(LEAVE_NAMES + code)
    names = loaded(rig.folder)
    assert "bench.cli.main" in names
    assert found(names, ("numba", "matplotlib", "jinja2", *ONLY_SMGW, *FOR_PLANNERS, *ELSEWHERE)) == []


@pytest.mark.parametrize(
    ("program", "without"),
    [("sim.gateway.process", ("numpy", "sim.radio.receiver_profile")),
     ("sim.endpoint.aws.companion", ("numpy", "cryptography"))],
)  # fmt: skip
def test_a_program_that_many_are_started_of_loads_what_it_needs(
    rig: Rig, program: str, without: tuple[str, ...]
) -> None:
    rig.python(LEAVE_NAMES + f"import {program}")
    names = loaded(rig.folder)
    assert program in names
    assert found(names, without) == []


def test_what_is_loaded_is_seen(rig: Rig) -> None:
    rig.python(LEAVE_NAMES + "import sim.systems._smgw_running, asyncio.events")
    names = loaded(rig.folder)
    assert found(names, ONLY_SMGW)
    assert {"asyncio", "asyncio.events"} <= set(found(names, ELSEWHERE))
    assert not found({"sim.smgw", "asyncio_of_another"}, (*ONLY_SMGW, *ELSEWHERE))


