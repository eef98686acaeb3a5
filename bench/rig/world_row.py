"""A world that ran, as one row of run.json: the same for a scenario and for a played recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.rig.scenario import Stage


def world_json(stage: Stage, run: Path) -> dict[str, Any]:
    """`run`: the run directory, from which the world's own is named."""
    weakness = {
        key: value for s in stage.staged for key, value in s.attack.record.weakness.items() if stage.defences == "off"
    }
    endpoint = stage.inner.system.endpoint
    return {
        "role": "control" if stage.defences == "off" else "subject",
        "variant": stage.defences,
        "directory": str(stage.directory.relative_to(run)),
        "digest": stage.history.digest,
        "world": stage.spec.name,
        "meters": stage.spec.meters,
        "gateways": stage.spec.gateways,
        "seed": stage.seed,
        "endpoint": "none" if endpoint is None else endpoint.name,
        "engine": stage.engine,
        "duration_ns": stage.inner.now_ns,
        "weakness": ", ".join(f"{key} = {value!r}" for key, value in weakness.items()),
    }
