"""World files; a case is the TOML. It is refused in one line that names the file, or it is a world: a small one is then
made and run, and its genuine telegrams become readings.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bench.fuzz import mutations
from bench.fuzz.target import SECRET, Found, TargetKind, plain
from sim.core.clock import ns
from sim.core.seeds import Dice
from sim.core.settings import SpecError
from sim.endpoint.kinds.memory import MemorySpec
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.portal.portal_spec import PortalSpec
from sim.radio.site_spec import SiteSpec
from sim.world import World
from sim.world_spec import WorldSpec, load

_TABLES: Final[Mapping[str, type[Any]]] = {
    "": WorldSpec, "site": SiteSpec, "[fleet": FleetSpec, "[gateway": GatewaySpec, "endpoint": MemorySpec,
    "portal": PortalSpec,
}  # fmt: skip
_ODD: Final = (
    "0", "-1", "1", "2", "1e308", "nan", "inf", "true", '""', '"\\u001b[31m"', "[]", "{}", "2026-01-12T00:00:00",
    "9223372036854775808", "0.0", "3.5", '"sqlite"', '"mode7"', "['T1']", f'"{SECRET}"',
)  # fmt: skip
_SMALL: Final[dict[str, dict[str, str]]] = {
    "": {"title": '"drawn"', "window_s": "60.0"},
    "[fleet": {"name": '"m"', "type": '"vipa-c10"', "count": "2", "interval_s": "60.0"},
    "[gateway": {"count": "1", "bundle_age_s": "30.0"},
    "endpoint": {"kind": '"memory"'},
}
_RUN_METERS, _RUN_GATEWAYS, _RUN_WINDOW_S, _RUN_S = 6, 3, 900.0, 1_200.0
_ONE_RUNS_OF = 40  # of the worlds that are allowed and small


class Worlds:
    """See bench.fuzz.target.Target."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._folder = folder / "case.toml", folder / "world"
        self._allowed = 0
        self._types = sorted(kinds())

    def draw(self, dice: Dice) -> bytes:
        tables = {name: dict(keys) for name, keys in _SMALL.items()}
        tables["[fleet"]["type"] = json.dumps(dice.choice(self._types))
        for _ in range(dice.choice((1, 1, 2, 4))):
            name = dice.choice(list(_TABLES))
            fields = dataclasses.fields(_TABLES[name])
            chosen = dice.choice(fields)
            key = chosen.name if dice.randrange(12) else dice.choice(("typo", '"\\u001b[2J"', f'"{SECRET}"'))
            tables.setdefault(name, {})[key] = self._value(chosen, dice)
        if not dice.randrange(15):
            tables.pop(dice.choice(list(tables)))
        lines = []
        for name in sorted(tables):
            if name:
                lines.append(f"[{name}]{']' if name.startswith('[') else ''}")
            lines += [f"{key} = {value}" for key, value in tables[name].items()]
        text = "\n".join(lines).encode()
        return mutations.changed_text(text, dice) if not dice.randrange(5) else text

    def _value(self, field: dataclasses.Field[Any], dice: Dice) -> str:
        low, high = field.metadata.get("low"), field.metadata.get("high")
        bounds = [str(edge + step) for edge in (low, high) if edge is not None for step in (-1, 0, 1)]
        choices = [json.dumps(one) for one in typing.get_args(field.type)]
        if bounds and dice.randrange(4):
            return dice.choice(bounds)
        return dice.choice((*_ODD, *choices, *choices))

    def change(self, case: bytes, dice: Dice) -> bytes:
        return mutations.changed_text(case, dice)

    def play(self, cases: Sequence[bytes]) -> list[str]:
        return [self._played(case) for case in cases]

    def _played(self, case: bytes) -> str:
        self._path.write_bytes(case)
        try:
            spec = load(self._path)
        except SpecError as error:
            plain(str(error))
            if not str(error).startswith((str(self._path), "world ")):
                raise Found("a refused world is not named") from None
            return str(error).removeprefix(str(self._path)).lstrip(", line:0123456789")[:40]
        small = spec.meters <= _RUN_METERS and spec.gateways <= _RUN_GATEWAYS and spec.window_s <= _RUN_WINDOW_S
        if not small or spec.endpoint.kind != "memory" or spec.portal.store != "sqlite":
            return "a world"
        self._allowed += 1
        return self._run(spec) if self._allowed % _ONE_RUNS_OF == 1 else "a small world"

    def _run(self, spec: WorldSpec) -> str:
        shutil.rmtree(self._folder, ignore_errors=True)
        try:
            world = World(spec, 1, self._folder)
        except SpecError as error:
            plain(str(error))
            return "no world"
        try:
            world.run(ns(_RUN_S))
            world.deliver()
        finally:
            world.close()
        return "a world that ran"

    def check(self) -> None:
        lines = ["[fleet", "[gateway", "endpoint"]
        text = [f"{key} = {value}" for key, value in _SMALL[""].items()]
        for name in lines:
            text += [f"[{name}]{']' if name.startswith('[') else ''}"]
            text += [f"{key} = {value}" for key, value in _SMALL[name].items()]
        self._path.write_text("\n".join(text))
        spec = load(self._path)
        if spec.meters != 2 or spec.start != datetime(2026, 1, 12):  # noqa: DTZ001
            raise Found("a genuine world is not read as it was written")

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


TARGET = TargetKind(
    id="world",
    title="world files",
    make=Worlds,
    batches=1,
    together=100,
    guided=40,
    code=("sim/core/settings.py", "sim/world_spec.py"),
)
