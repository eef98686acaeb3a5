"""The odd form agreed for a meter type: what real fleets send is no attack, and what departs from it is.

Some makers send two energies under one chain, a checksum behind the last record, a few clear bytes behind the encrypted
blocks. A strict portal refuses all of that, since an attacker's appended records look the same. Where a type is known
to send so, an installer agrees its form: the exact chains in their order, how many bytes trail the records, how many
stand in clear behind the cipher. A telegram of just that form is read; any other is judged strictly.

Two rules keep what `strict` is for: of a chain that stands twice the first answers (the form says so of this type), and
no value is ever taken from bytes that nobody encrypted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wmbus import reading
from wmbus.errors import BadTelegram, Reason
from wmbus.receiver import Unlocked
from wmbus.records import UNREADABLE, Record, parse_records


@dataclass(frozen=True, slots=True)
class OddForm:
    """`chains` in order, repeated ones included; `trailing_bytes` behind the last record that are no record;
    `clear_tail_bytes` behind the encrypted blocks."""

    chains: tuple[bytes, ...]
    trailing_bytes: int = 0
    clear_tail_bytes: int = 0

    @classmethod
    def of(cls, unlocked: Unlocked) -> OddForm:
        """The form of one telegram that an installer takes for this type's. Raises BadTelegram if it has no records."""
        records, trailing = _inside(unlocked)
        return cls(tuple(one.dif_vif for one in records), trailing, len(unlocked.clear_tail))

    def records(self, unlocked: Unlocked) -> list[Record]:
        """The records of a telegram of this form, each chain once; of any other what a strict reading gives.
        Raises BadTelegram as that does."""
        if len(unlocked.clear_tail) not in (0, self.clear_tail_bytes):
            raise BadTelegram(
                Reason.CLEAR_TAIL,
                f"{len(unlocked.clear_tail)} bytes after the encrypted blocks, agreed were {self.clear_tail_bytes}",
                len(unlocked.telegram.raw) - len(unlocked.clear_tail),
            )
        records, trailing = _inside(unlocked)
        if (tuple(one.dif_vif for one in records), trailing) != (self.chains, self.trailing_bytes):
            return parse_records(unlocked.plaintext, offset=unlocked.offset)
        first: dict[bytes, Record] = {}
        for one in records:
            first.setdefault(one.dif_vif, one)
        return list(first.values())


def _inside(unlocked: Unlocked) -> tuple[list[Record], int]:
    """Records of what was encrypted, and how many bytes behind them are none."""
    records = reading.interpret(replace(unlocked, clear_tail=b""), strict=False).records
    if records and records[-1].quantity == UNREADABLE:
        return records[:-1], len(records[-1].raw)
    return records, 0
