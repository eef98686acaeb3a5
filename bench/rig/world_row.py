"""A world that ran, as one row of run.json: the same for a scenario and for a played recording. Its settings stand
there in full, so that nobody needs the world's file to know what was tried."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

from bench.rig.scenario import CLEAN, Stage
from sim.core.wall_clock import WallClock
from sim.world_spec import WorldSpec


def settings_json(spec: WorldSpec) -> dict[str, Any]:
    """Every setting, as JSON can hold it: tuples as lists, dates in ISO 8601, what has no other form as text."""
    made: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(spec), default=_plain))
    return made


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else str(value)


def _late(clock: WallClock) -> str:
    return "; ".join(filter(None, (str(clock.lateness), clock.ordinary)))


def world_json(stage: Stage, run: Path) -> dict[str, Any]:
    """`run`: the run directory, from which the world's own is named."""
    weakness = {
        key: value for s in stage.staged if stage.defences == "off"
        for key, value in s.attack.record.weakness_for(stage.spec.system.kind).items()
    }
    endpoint = stage.inner.system.endpoint
    return {
        "role": {"off": "control", CLEAN: "clean twin"}.get(stage.defences, "subject"),
        "variant": stage.defences,
        "directory": str(stage.directory.relative_to(run)),
        "digest": stage.history.digest,
        "world": stage.spec.name,
        "meters": stage.spec.meters,
        "gateways": stage.spec.gateways,
        "seed": stage.seed,
        "system": stage.spec.system.kind,
        "sights": [one._asdict() for one in stage.sights],
        "costs": [one._asdict() for one in stage.costs],
        "endpoint": "none" if endpoint is None else endpoint.name,
        "engine": stage.engine,
        "duration_ns": stage.inner.now_ns,
        "weakness": ", ".join(f"{key} = {value!r}" for key, value in weakness.items()),
        "settings": settings_json(stage.spec),
        "clock": _late(clock) if isinstance(clock := stage.inner.clock, WallClock) else "virtual",
        "real_gateways": [gateway.as_json() for gateway in stage.inner.gateways if gateway.real],
    }
