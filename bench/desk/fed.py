"""What a stand fed, and which of it its gateway then was not given whole: torn.jsonl, a line each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.desk.traffic import Telegram
from sim.core.vocabulary import Link
from sim.feeders.handed import Torn
from sim.readers.port import Delivered


@dataclass(eq=False, slots=True)
class Fed:
    """One frame that was handed over, and what came of it. `torn`: why its gateway then did not get it whole, and it
    does not count as handed over."""

    telegram: Telegram
    mode: Link
    rssi_dbm: float
    at_ns: int
    crc_ok: bool
    handed: bool
    torn: str = ""
    came: list[Delivered] = field(default_factory=list)
    """By what counts: of a telegram that its gateway is to decode, where its values are read, those."""

    @property
    def has_values(self) -> bool:
        return self.telegram.litres is not None and not self.telegram.hidden


class TornFrames:
    """`late`: those that were torn because the bench itself was late."""

    def __init__(self, log: Path) -> None:
        self.late: list[Fed] = []
        self._log = log
        self._seen = 0

    def look(self, torn: Sequence[Torn], fed: Mapping[bytes, Sequence[Fed]]) -> None:
        """All that is torn by now; what is new of it is noted, and does not count as handed over. `fed`: by bytes."""
        for one in torn[self._seen :]:
            owner = next((each for each in fed.get(one.frame, ()) if each.at_ns == one.ended_ns), None)
            if owner is not None:
                owner.handed, owner.torn = False, one.why
                if one.late:
                    self.late.append(owner)
            said = {"wall_ns": one.ended_ns, "frame": one.frame.hex(), "why": one.why, "late": one.late}
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(said) + "\n")
        self._seen = len(torn)
