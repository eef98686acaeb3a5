"""What a device with a gateway's certificate may publish as a bundle, to the real portal; a case is the message's body.

The attacker publishes as gw1. Service is what gw2 brings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.fuzz import mutations
from bench.fuzz.portal_bed import GATEWAYS, PortalBed
from bench.fuzz.target import TargetKind
from sim.core.bundle import UP, BadBundle, Columns
from sim.core.seeds import Dice
from sim.endpoint.port import Message

ODD: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, 1.5, 1e308, -0.0, "", "gw1", "gw2",
    "x" * 129, "\ud800", "\x1b[31m", [], {}, [[]], [1, 2, 3],
)  # fmt: skip


class Bundles:
    """See bench.fuzz.target.Target."""

    topic = UP

    def __init__(self, folder: Path) -> None:
        self.bed = PortalBed(folder)
        fleet = self.bed.fleet
        # The wire's own copies of a bystander's telegrams would be service, and not an attack.
        self._named = [m for m in self.bed.meters if not self.bed.names_bystander(fleet.telegram(m, 0))]

    def draw(self, dice: Dice) -> bytes:
        rows: list[Any] = []
        for _ in range(dice.choice((0, 1, 1, 3, 20))):
            telegram = self.bed.fleet.telegram(dice.choice(self._named), dice.randrange(self.bed.interval + 1))
            if dice.randrange(2):
                telegram = mutations.mutate(telegram, dice)
            at_ns = self.bed.now_ns + dice.choice((0, -(10**9), 10**12, -(10**12), 10**18, -(10**18)))
            row: list[Any] = [at_ns, dice.choice((-70.0, -70, 1e300)), telegram.hex()]
            if not dice.randrange(6):
                row[dice.randrange(3)] = dice.choice(ODD)
            if not dice.randrange(20):
                row = row[: dice.randrange(3)]
            rows.append(row)
        body: dict[str, Any] = {"v": 1, "gw": "gw1", "seq": dice.randrange(1 << 20), "closed": self.bed.now_ns}
        body["telegrams"] = rows
        for _ in range(dice.choice((0, 0, 1, 2))):
            body[dice.choice((*body, "more"))] = dice.choice(ODD)
        if not dice.randrange(12):
            body.pop(dice.choice(list(body)))
        return json.dumps(body).encode()

    def change(self, case: bytes, dice: Dice) -> bytes:
        return mutations.changed_text(case, dice)

    def play(self, cases: Sequence[bytes]) -> list[str]:
        messages, arrived = [], 0
        for case in cases:
            telegrams = self._telegrams(case)
            if not self.bed.names_bystander(case) and all(map(self.bed.may_be_sent, telegrams)):
                messages.append(Message(self.topic.format(gateway=GATEWAYS[0]), case))
                arrived += len(telegrams)
        before = self.bed.portal.counts.copy()
        self.bed.take(messages, genuine=len(cases) > 1, arrived=arrived)
        return [" ".join(self.bed.portal.counts - before)] if len(cases) == 1 else []

    def _telegrams(self, case: bytes) -> list[bytes]:
        try:
            return Columns.decode(case).telegrams
        except (BadBundle, OverflowError):
            return []

    def check(self) -> None:
        self.bed.served()

    def close(self) -> None:
        self.bed.close()


TARGET = TargetKind(
    id="bundle",
    title="bundles that a stolen gateway publishes",
    make=Bundles,
    batches=2,
    together=300,
    guided=250,
    code=("sim/portal", "sim/core/bundle.py"),
)
