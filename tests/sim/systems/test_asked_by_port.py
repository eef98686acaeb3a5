"""World, truth, checks, attackers' reach, bench and reports ask a port, and never which system or gateway it is: so a
third one is one file. Whoever looks into the parts of one system takes it by `keyless()` or `smgw()`, which refuse
another by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("sim/truth", "attacks", "bench", "reports")
FILES = ("sim/world.py", "sim/world_spec.py", "sim/lockstep.py", "sim/site_plan.py", "sim/two_way_air.py")
ASKS = re.compile(
    r"isinstance\([^)]*\b(Keyless|KeylessSystem|Smgw|SmgwSystem|SmartGateway|VirtualGateway|BoxGateway)\b"
    r"|\bkind (==|!=|in|not in) \(?[\"'](keyless|smgw)[\"']"
    r"|getattr\([^)]*\bsystem, \""
)


def asking(source: str) -> list[int]:
    """Lines that ask which one it is."""
    return [number for number, line in enumerate(source.splitlines(), 1) if ASKS.search(line)]


@pytest.mark.parametrize(
    "line",
    [
        "if attacked or not isinstance(world.spec.system, SmgwSystem):", "if isinstance(victim, VirtualGateway):",
        'if self.system.kind != "keyless":', 'return int(getattr(world.spec.system, "wired", 0))',
    ],
)  # fmt: skip
def test_a_line_that_asks_is_found(line: str) -> None:
    assert asking(f"x = 1\n{line}\n") == [2]


def test_nobody_asks_which_system_or_gateway_it_is() -> None:
    files = [ROOT / one for one in FILES] + [one for room in ROOMS for one in (ROOT / room).rglob("*.py")]
    assert len(files) > 300
    found = [f"{one.relative_to(ROOT)}:{n}" for one in files for n in asking(one.read_text("utf-8"))]
    assert found == [], "ask the port in sim/systems/port.py or sim/gateway/port.py, and add the verb there"
