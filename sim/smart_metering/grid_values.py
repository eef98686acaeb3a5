"""What leaves a smart meter gateway about the grid (TAF 9 and 10): for a receiver that bills nothing, under pseudonyms.

Grid values are what a wired meter answered when the gateway met it, so that each stands for its own quarter hour and no
other, and one that was not asked for then is a gap; what was fed in is in the meter's load profile, and a period waits
for it as any period of a wired meter does. Values beside the raster stand for no instant. What a rule set of TAF 9 or
10 lets out of all that is stored, the tariff engine says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sim.smart_metering.contract import grid_rule_of
from sim.smart_metering.lmn.wired_meter import DRAWN, NO_TIME_S, WH
from sim.smart_metering.lmn.wired_side import WiredSide
from sim.smart_metering.lmn.wired_store import StoredRow
from sim.smgw.delivered_content import Value
from sim.smgw.german_time import DAY_S
from sim.smgw.metrology import Reading, Series, in_order, target_s
from sim.smgw.obis_codes import Obis
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S
from sim.smgw.status_words import Gateway, ptb
from sim.smgw.use_cases import evaluate

_KWH_OF_WH: Final = 3


@dataclass(frozen=True, slots=True)
class GridTerms:
    """What a contract about the grid says beside its use case. `every_s`: a value for each multiple of it; `beside_v`:
    under TAF 10 a voltage that goes so far beside the nominal one, as it goes there, and nothing else (0: each cycle,
    all values); `names`: a meter's, or the gateway's, name -> the one under which values leave."""

    every_s: int
    beside_v: float
    names: Mapping[str, str]

    def named(self, name: str) -> str:
        """How the receiver hears of it."""
        return self.names.get(name, name)


class GridValues:
    """Of one gateway's wired meters. `flag`: values that a wrong clock stamped are marked, and none leaves."""

    def __init__(self, side: WiredSide, epoch_s: int, *, flag: bool) -> None:
        self._side, self._epoch_s, self._flag = side, epoch_s, flag
        self._due_from_s: dict[tuple[int, str], int] = {}
        self._leaving: dict[tuple[int, str], int] = {}

    def values(
        self, number: int, taf: int, terms: GridTerms, ends_s: Callable[[int, int], list[int]], now_s: int
    ) -> Iterator[Value]:
        """Of periods that ended, under the contract of this number. `ends_s`: see gateway_setup.Contract."""
        for meter in self._side.meters:
            last_s = self._side.store.last_s(meter, DRAWN)
            if last_s == NO_TIME_S:
                continue
            start_s = self._due_from_s.setdefault((number, meter), self._epoch_s)
            for end_s in ends_s(start_s, min(now_s, last_s)):
                self._leaving[number, meter] = end_s
                with contextlib.suppress(RuleError):  # nothing of what the use case is about was ever measured
                    yield from self._of_period(meter, taf, terms, start_s, end_s)
                start_s = end_s

    def left(self, number: int) -> None:
        """What `values` gave last under this contract is on its way."""
        for key in [key for key in self._leaving if key[0] == number]:
            self._due_from_s[key] = self._leaving.pop(key)

    def _of_period(self, meter: str, taf: int, terms: GridTerms, start_s: int, end_s: int) -> Iterator[Value]:
        """Instants behind the start, up to the end with it."""
        back_s = DAY_S if terms.beside_v else terms.every_s  # whether a limit was crossed before is in what came before
        begin_s = start_s // terms.every_s * terms.every_s - back_s
        name = terms.named(meter)
        rule = grid_rule_of(taf, begin_s, end_s, terms.every_s, terms.beside_v if taf == 10 else 0.0, name)
        for one in evaluate(rule, self._lists(meter, begin_s, end_s)):
            if one.at_s is not None and one.at_s > start_s:
                yield Value(taf, name, str(one.obis), one.tariff, None, one.at_s, one.amount)

    def _lists(self, meter: str, begin_s: int, end_s: int) -> list[Series]:
        """Everything that the meter said, drawn from the grid too: what of it may leave is the use case's to say."""
        by_code: dict[Obis, list[Reading]] = {code: [] for code in self._side.store.codes(meter)}
        for row in self._side.store.between(meter, begin_s - CAPTURE_S, end_s + CAPTURE_S):
            target = target_s(row.at_s, CAPTURE_S)
            if target % CAPTURE_S == 0:
                word = row.word if self._flag else row.word & ~Gateway.TIME_INVALID
                reading = Reading(row.at_s, target, amount_of(row), ptb(word, row.meter_word))
                by_code[row.entry.obis].append(reading)
        return [in_order(meter, code, 0, readings) for code, readings in by_code.items()]


def amount_of(row: StoredRow) -> Decimal:
    """In kilowatt hours, watts, volts, amperes, degrees or hertz."""
    return Decimal(row.entry.value).scaleb(row.entry.scaler - (_KWH_OF_WH if row.entry.unit == WH else 0))

