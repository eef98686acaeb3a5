"""Worlds of a dozen meters and a few minutes, for tests of whatever runs worlds: three security modes, one gateway."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_HOUR
from sim.smart_metering.lmn.wired_store import WiredStore
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


def smart(folder: Path, **settings: object) -> WorldSpec:
    """The same under smart meter gateways, on a cold day, so that somebody heats."""
    usual: dict[str, object] = {"window_s": 900.0, "fleet__interval_s": 300.0, "site__outdoor_mean_c": -15.0}
    return dozen(folder, system__kind="smgw", **{**usual, **settings})


def smart_world(folder: Path, hours: int, **settings: object) -> World:
    """After so many hours; to be closed."""
    folder.mkdir(exist_ok=True)
    world = World(smart(folder, **settings), 1, folder / "world")
    world.run(hours * NS_PER_HOUR)
    return world


def keyless(world: World) -> Keyless:
    """The world's system, where a test looks into it."""
    return systems_keyless.keyless(world.system)


def another_number(patch: pytest.MonkeyPatch) -> None:
    """A defect: a gateway stores one more than a wired or two-way meter said."""
    genuine = WiredStore.put
    more = lambda row: row._replace(entry=row.entry._replace(value=row.entry.value + 1))  # noqa: E731
    patch.setattr(WiredStore, "put", lambda store, rows: genuine(store, [more(row) for row in rows]))
