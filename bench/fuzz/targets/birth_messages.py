"""Births that a device with a gateway's certificate publishes, to the real portal; a case is the message's body."""

from __future__ import annotations

import json
from typing import Any

from bench.fuzz.target import TargetKind
from bench.fuzz.targets.bundle_messages import ODD, Bundles
from sim.core.bundle import BIRTH
from sim.core.seeds import Dice


class Births(Bundles):
    """See bench.fuzz.target.Target."""

    topic = BIRTH

    def draw(self, dice: Dice) -> bytes:
        body: dict[str, Any] = {"v": 1, "gw": "gw1", "boot": f"gw1.{dice.randrange(99)}", "n": dice.randrange(99)}
        for _ in range(dice.choice((0, 0, 1, 2))):
            body[dice.choice((*body, "more"))] = dice.choice(ODD)
        if not dice.randrange(12):
            body.pop(dice.choice(list(body)))
        return json.dumps(body).encode()


TARGET = TargetKind(
    id="birth",
    title="births that a stolen gateway publishes",
    make=Births,
    batches=1,
    together=300,
    guided=120,
    code=("sim/portal", "sim/core/bundle.py"),
)
