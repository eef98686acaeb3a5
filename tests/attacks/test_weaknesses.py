"""The control of an attack takes defences away by name. A list of those that stay would switch off each check and alarm
that is added later, where nobody looks."""

from __future__ import annotations

import pytest

from attacks.attack import attacks
from sim.core.settings import Without
from sim.systems.port import SYSTEMS


@pytest.mark.parametrize("id_", attacks())
def test_a_control_names_what_it_takes_away(id_: str) -> None:
    for system in SYSTEMS.parts():
        weakness = attacks()[id_].record.weakness_for(system)
        for key in ("portal.alarms", "portal.checks"):
            names = weakness.get(key, [])
            assert isinstance(names, Without) or not names, f"{key} = {names!r}: write without(...), or [] for none"
