"""Worlds of a dozen meters and a few minutes, for tests of whatever runs worlds: three security modes, one gateway."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sim.systems import keyless as systems_keyless
from sim.systems.keyless import Keyless
from sim.world import World
from sim.world_spec import WorldSpec, load

TOML = """
title = "Twelve meters on one staircase"
start = 2026-01-12T08:00:00
window_s = 60.0

[[fleet]]
name = "clear"
type = "qundis-q-caloric"
count = 4
security = "none"
interval_s = 20.0

[[fleet]]
name = "mode 5"
type = "qundis-q-caloric"
count = 4
security = "mode5"
interval_s = 20.0

[[fleet]]
name = "mode 7"
type = "qundis-q-caloric"
count = 4
security = "mode7"
interval_s = 20.0

[[gateway]]
name = "gw"
count = 2
bundle_age_s = 30.0

[endpoint]
kind = "memory"
"""

assert tomllib.loads(TOML)


def write(folder: Path, *, name: str = "dozen") -> Path:
    """The world as a file in `folder`."""
    path = folder / f"{name}.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def dozen(folder: Path, **settings: object) -> WorldSpec:
    """The world as data; settings as `portal__checks=[]` for "portal.checks"."""
    spec = load(write(folder))
    for key, value in settings.items():
        spec = spec.with_setting(key.replace("__", "."), value)
    return spec


def keyless(world: World) -> Keyless:
    """The world's system, where a test looks into it."""
    return systems_keyless.keyless(world.system)
