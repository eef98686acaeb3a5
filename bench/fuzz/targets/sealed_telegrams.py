"""Telegrams from the air through the real portal, encrypted ones under the meter's key.

A case: byte 0 chooses the meter, byte 1 how the rest becomes a telegram. Even: the rest is the telegram as it is. Odd:
access number, status, which counter, how it is packed (header, ELL, configuration bits, security), then records, which
are sealed with the meter's own key where the attacker has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.fuzz import mutations
from bench.fuzz.portal_bed import GATEWAYS, PortalBed
from bench.fuzz.target import TargetKind
from sim.core.clock import NS_PER_S
from sim.core.events import TelegramRefused
from sim.core.seeds import Dice
from wmbus.errors import CannotEncode
from wmbus.link import SND_IR, SND_NR
from wmbus.telegram import build
from wmbus.transport import CI_LONG, CI_NONE, CI_SHORT

_A_BUNDLE: Final = 400
_HEAD: Final = 6
_COUNTERS: Final = (0, 1, 2, 7, 1_000, 1 << 31, (1 << 32) - 1, 0)
_TPL: Final = (CI_SHORT, CI_SHORT, CI_LONG, CI_NONE)
_SECURITIES: Final = ("own", "own", "own", "none", "mode5", "mode7")


class Telegrams:
    """See bench.fuzz.target.Target."""

    def __init__(self, folder: Path) -> None:
        self.bed = PortalBed(folder)
        self._known = [m for m in self.bed.meters if self.bed.key_known(m)]
        self._named = [m for m in self.bed.meters if not self.bed.names_bystander(self.bed.fleet.telegram(m, 0))]

    def draw(self, dice: Dice) -> bytes:
        what = dice.randrange(8)
        if what < 4:
            meter = dice.choice(self._known)
            records = b"".join(mutations.record(dice) for _ in range(dice.randrange(1, 6)))
            return bytes((meter, 1, *dice.randbytes(_HEAD - 2))) + records[:200]
        meter = dice.choice(self._named)
        genuine = self.bed.fleet.telegram(meter, self.bed.interval)
        if what < 7:
            return bytes((meter, 0)) + mutations.mutate(genuine, dice)
        tail = dice.randbytes(dice.randrange(1, 246))
        return bytes((meter, 0, 9 + len(tail))) + genuine[1:10] + tail

    def change(self, case: bytes, dice: Dice) -> bytes:
        if case[1:2] and case[1] & 1:
            return case[:2] + mutations.changed(case[2:], dice)
        return case[:2] + mutations.mutate(case[2:], dice)

    def telegram(self, case: bytes) -> bytes:
        """What is sent; nothing where no telegram can be made of the case, or nobody could send it."""
        if len(case) < _HEAD + 1:
            return b""
        if not case[1] & 1:
            raw = case[2 : 2 + 256]
        else:
            meter, fleet = self._known[case[0] % len(self._known)], self.bed.fleet
            acc, sts, which, pack = case[2:_HEAD]
            own = fleet.security(meter)
            said = _SECURITIES[pack % len(_SECURITIES)]
            security = own if said == "own" or fleet.key(meter) is None else said
            try:
                raw = build(
                    fleet.address(meter), acc, sts, case[_HEAD:], security=security,  # type: ignore[arg-type]
                    key=fleet.key(meter), counter=min(self.bed.interval + _COUNTERS[which % 8], (1 << 32) - 1),
                    c_field=SND_IR if which & 64 else SND_NR, tpl=_TPL[pack >> 3 & 3],
                    ell=bool(pack & 32) if pack & 64 else None, cfg_flags=(which & 128) << 8 | (pack & 128) << 7,
                )  # fmt: skip
            except CannotEncode:
                return b""
        return raw if self.bed.may_be_sent(raw) else b""

    def play(self, cases: Sequence[bytes]) -> list[str]:
        begun_ns = self.bed.now_ns - 900 * NS_PER_S
        heard = [(raw, begun_ns + at) for at, raw in enumerate(map(self.telegram, cases)) if raw]
        bundles = [self.bed.bundle(heard[at : at + _A_BUNDLE], GATEWAYS[0]) for at in range(0, len(heard), _A_BUNDLE)]
        many = len(cases) > 1
        before = None if many else self.bed.portal.counts.copy()
        self.bed.take(bundles, genuine=many)
        if before is None:
            return []
        told = [one.reason for one in self.bed.events if isinstance(one, TelegramRefused)]
        return [" ".join([*(self.bed.portal.counts - before), *told])]

    def check(self) -> None:
        self.bed.served()

    def close(self) -> None:
        self.bed.close()


TARGET = TargetKind(
    id="telegram",
    title="telegrams through the portal, encrypted ones under the meter's key",
    make=Telegrams,
    batches=8,
    together=2_000,
    guided=350,
    code=("wmbus", "sim/portal"),
)
