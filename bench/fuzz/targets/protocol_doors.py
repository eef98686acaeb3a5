"""Telegrams at every door of the protocol: read, the lenient JSON, the annotated bytes, CRCs, records.

A case is a telegram. What may come out is a reading or BadTelegram, its offset within the telegram.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bench.fuzz import mutations
from bench.fuzz.portal_bed import fleet_of_everything
from bench.fuzz.target import Found, TargetKind
from sim.core.seeds import Dice
from wmbus.as_json import to_json
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.explain import annotate
from wmbus.link import add_crcs_a, add_crcs_b, strip_crcs
from wmbus.records import parse_records
from wmbus.telegram import read, unlock

LENIENT: Final[dict[str, Any]] = {
    "honour_sender_mac": True, "require_mac": False, "accept_clear_tail": True, "accept_n_zero": True,
    "accept_already_decrypted": True,
}  # fmt: skip


def every_door(telegram: bytes, key: bytes | None) -> str:
    """The words of the strict reader: "read", or why not. Raises Found for an offset that points nowhere, and whatever
    else comes out."""
    to_json(telegram, key, strict=False, **LENIENT)
    calls: tuple[Callable[[], Any], ...] = (
        lambda: annotate(telegram, key, **LENIENT),
        lambda: strip_crcs(telegram),
        lambda: parse_records(telegram),
        lambda: unlock(parse(telegram), key, **LENIENT),
        lambda: read(telegram, key),
    )
    said = ""
    for call in calls:
        said, offset = "read", 0
        try:
            call()
        except BadTelegram as error:
            said, offset = f"{error.reason.value}: {error}", error.offset
        if not 0 <= offset <= len(telegram) + 16:
            raise Found(f"an error's offset is {offset}, of a telegram of {len(telegram)} bytes")
    parse_records(telegram, strict=False)
    return said


class Decode:
    """See bench.fuzz.target.Target."""

    def __init__(self, _folder: Path) -> None:
        fleet = fleet_of_everything(1)
        self._genuine = [(fleet.telegram(m, 3), fleet.key(m)) for m in range(fleet.n)]

    def draw(self, dice: Dice) -> bytes:
        telegram = dice.choice(self._genuine)[0]
        if not dice.randrange(8):
            telegram = dice.choice((add_crcs_a, add_crcs_b))(telegram) if len(telegram) < 250 else telegram
            return mutations.changed(telegram, dice)
        if not dice.randrange(3):
            return telegram[:10] + b"\x78" + b"".join(mutations.record(dice) for _ in range(dice.randrange(1, 9)))
        return mutations.mutate(telegram, dice)

    def change(self, case: bytes, dice: Dice) -> bytes:
        return mutations.mutate(case, dice)

    def play(self, cases: Sequence[bytes]) -> list[str]:
        # The address is in front: whose key would be tried is known.
        keys = {telegram[2:10]: key for telegram, key in self._genuine}
        return [every_door(case[:600], keys.get(case[2:10])) for case in cases]

    def check(self) -> None:
        for telegram, key in self._genuine:
            read(telegram, key)

    def close(self) -> None:
        """Nothing is open."""


TARGET = TargetKind(
    id="decode",
    title="telegrams at every door of the protocol",
    make=Decode,
    batches=1,
    together=1_500,
    guided=600,
    code=("wmbus",),
)
