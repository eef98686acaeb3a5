"""Telegrams at each limit of the portal, and what the intake and the portal in words make of them.

A case is what a meter sends before, and a last telegram that is `off` from a limit: -1, 0 or 1 of its unit. Limits are
read from production; the portal in words has its own. The intake runs compiled, or as plain Python of any source, so
that a test can change one line and see whether a case notices.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from sim.core.bundle import Bundle, Heard
from sim.core.clock import NS_PER_S, ns
from sim.portal import freshness
from sim.portal.check import NONE, Check, in_order
from sim.portal.checks import acc, age, jump, mcr, ts
from sim.portal.copies import TOLERANCE_NS, Copies
from sim.portal.freshness import Agreed, Asked, Freshness, Judged, Memory, Opened, Seen
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import LIMIT_NS
from sim.portal.verdicts import COPY, STORED, names
from tests.sim.portal.bed import CALENDAR, METER

ROOT: Final = Path(__file__).resolve().parents[3]
MINUTE: Final = 60 * NS_PER_S
HOUR: Final = 60 * MINUTE
GATEWAYS: Final = ("gw1", "gw2", "gw9")  # the last is not bound
PRODUCTION: Final = (
    "sim.portal.copies", "sim.portal.window", "sim.portal.checks.ts", "sim.portal.checks.bind", "sim.portal.checks.mcr",
    "sim.portal.checks.acc", "sim.portal.checks.age", "sim.portal.checks.ahead", "sim.portal.checks.jump",
)  # fmt: skip
WORDS: Final = ("tests.oracles.portal_window", "tests.oracles.portal_freshness", "tests.oracles.portal_in_words")
Edit = tuple[str, str, str]
"""(module, text, text instead)."""


@dataclass(frozen=True)
class Told:
    """One telegram as heard. `bytes_`: which bytes it is; those of None are like no others."""

    at_ns: int
    now_ns: int | None = None  # None: taken at once
    gateway: str = "gw1"
    acc: int | None = None
    counter: int | None = None
    shown_ns: int | None = None
    bytes_: int | None = None


@dataclass(frozen=True)
class Case:
    """`told(off)`: what is heard, of which the last stands at the bound."""

    name: str
    told: Callable[[int], list[Told]]
    checks: tuple[str, ...]
    interval_ns: Callable[[int], int] = lambda _off: 900 * NS_PER_S
    more: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = True  # the last verdict is not the same on both sides


SPEC: Final = PortalSpec()
TOLERANCE: Final = ns(SPEC.ts_tolerance_s)
AGE_MAX: Final = ns(SPEC.age_max_s)
INTERVAL: Final = 900 * NS_PER_S
T: Final = 100 * HOUR


def _age_limit(passed_ns: int, interval_ns: int = INTERVAL) -> int:
    return AGE_MAX + interval_ns * age.WANDER_2048THS // 2_048 + passed_ns * age.DRIFT_PPM // 1_000_000


def _late_by_counter(off: int) -> list[Told]:
    """The second telegram is due a thousand intervals after the first; it comes at the limit, which grows meanwhile."""
    due = T + 1_000 * INTERVAL
    now = due + AGE_MAX
    while now - due < _age_limit(now - T):
        now = due + _age_limit(now - T)
    while now - 1 - due >= _age_limit(now - 1 - T):
        now -= 1
    return [Told(T, counter=1), Told(now + off, counter=1_001)]


def _anchor(off: int) -> list[Told]:
    """The second telegram comes as the first promised, or earlier: then it is the anchor, and the third is too late."""
    second, due = T + 1_000 * INTERVAL + off, T + 2_000 * INTERVAL
    now = due + _age_limit(2_000 * INTERVAL)
    while now - due < _age_limit(now - T):
        now = due + _age_limit(now - T)
    while now - due > _age_limit(now - T):
        now -= 1
    return [Told(T, counter=1), Told(second, counter=1_001), Told(now, counter=2_001)]


def _spare(interval_ns: int = INTERVAL) -> int:
    return jump.SPARE * interval_ns + 2 * TOLERANCE


def _jump(off: int, ahead: int = 100) -> list[Told]:
    """The second counter is so far ahead, and comes as late as it must."""
    due = T + ahead * INTERVAL - (ahead * INTERVAL >> 10)
    return [Told(T, counter=5), Told(due - _spare() + off, counter=5 + ahead)]


CASES: Final = (
    Case("ahead of the portal", lambda off: [Told(T + TOLERANCE + off, T)], ("ahead",)),
    Case("counter jump", _jump, ("jump",)),
    Case("counter jump of a fast meter", lambda off: _jump(off, 5_000), ("jump",)),
    Case(
        "counter jumps do not add up",
        lambda off: [
            Told(T, counter=5), Told(T, counter=10), Told(T + 9, counter=12), Told(T + INTERVAL, counter=22 + off),
        ], ("jump",),
    ),
    Case(
        "counter jump after silence",
        lambda off: [
            Told(T, counter=5), Told(T + 50 * INTERVAL, counter=6), Told(T + 50 * INTERVAL, counter=70 + off),
        ], ("jump",),
    ),
    Case(
        "counter jump after silence, at the limit",
        lambda off: [Told(T, counter=5), Told(T + 90 * INTERVAL, counter=6),
                     *(replace(one, at_ns=one.at_ns + 42 * INTERVAL, counter=(one.counter or 0) + 1)
                       for one in _jump(off)[1:])], ("jump",),
    ),
    Case("counter jump of a gateway ahead",
         lambda off: [Told(T, counter=5), replace(_jump(off)[1], at_ns=T + HOUR * 900, now_ns=_jump(off)[1].at_ns)],
         ("jump",)),
    Case(
        "counter jump after a late one",
        lambda off: [
            Told(T, counter=5, shown_ns=T), Told(T + 15 * HOUR, counter=6, shown_ns=T + 5 * HOUR),
            Told(T + 15 * HOUR, counter=81 + off, shown_ns=T + 15 * HOUR),
        ], ("jump", "age"),
    ),
    Case("counter jump to the end", lambda off: [Told(T, counter=5), Told(T + off, counter=(1 << 32) - 1)], ("jump",),
         changes=False),
    Case(
        "counter fell, how far",
        lambda off: [Told(T, counter=5_000), Told(T + HOUR, counter=5_000 - mcr.WINDOW - off)], ("jump",),
    ),
    Case(
        "counter fell, when",
        lambda off: [Told(T, counter=5_000), Told(T + 2 * TOLERANCE + off, counter=6)], ("jump", "mcr"),
    ),
    Case(
        "counter fell after one that was heard before",
        lambda off: [
            Told(T, counter=5_000), Told(T + INTERVAL, counter=5_001), Told(T, counter=4_990),
            Told(T + INTERVAL + 2 * TOLERANCE + off, counter=6),
        ], ("jump",),
    ),
    Case("copy, later", lambda off: [Told(T, bytes_=1), Told(T + TOLERANCE_NS + off, gateway="gw2", bytes_=1)], ()),
    Case("copy, earlier", lambda off: [Told(T, bytes_=1), Told(T - TOLERANCE_NS + off, gateway="gw2", bytes_=1)], ()),
    Case("copy, same gateway", lambda off: [Told(T, bytes_=1), Told(T + off, bytes_=1)], (), changes=False),
    Case("acc lapses", lambda off: [Told(T, acc=5), Told(T + acc.WINDOW * INTERVAL + off, acc=5)], ("acc",)),
    Case("acc ahead", lambda off: [Told(T, acc=9), Told(T + INTERVAL, acc=9 + acc.WINDOW + off)], ("acc",)),
    Case(
        "acc keeps the latest time",
        lambda off: [Told(T, acc=5), Told(T - INTERVAL, acc=4), Told(T + acc.WINDOW * INTERVAL + off, acc=5)], ("acc",),
    ),
    Case("acc seen before", lambda off: [Told(T, acc=5), Told(T, acc=7), Told(T, acc=6 + off)], ("acc",)),
    Case(
        "acc beside a counter",
        lambda off: [Told(T, acc=5, counter=1), Told(T, acc=5, counter=2 + off)], ("acc", "mcr"),
    ),
    Case("acc without mcr", lambda off: [Told(T, acc=5, counter=1), Told(T, acc=5 + off, counter=2)], ("acc",)),
    Case("mcr behind", lambda off: [Told(T, counter=9_999), Told(T, counter=9_999 - mcr.WINDOW + off)], ("mcr",)),
    Case("mcr seen", lambda off: [Told(T, counter=70), Told(T, counter=72), Told(T, counter=71 + off)], ("mcr",)),
    Case(
        "mcr remembers what was late",
        lambda off: [
            Told(T, counter=70), Told(T + HOUR, counter=80),
            Told(T - 30 * HOUR, T + 2 * HOUR, counter=75, shown_ns=T - 30 * HOUR),
            Told(T - 30 * HOUR, T + 3 * HOUR, counter=75 + off),
        ], ("mcr", "age"),
    ),
    Case("ts ahead", lambda off: [Told(T - TOLERANCE + off, shown_ns=T)], ("ts",)),
    Case("ts behind", lambda off: [Told(T + TOLERANCE + ts.NS_PER_MIN + off, shown_ns=T)], ("ts",)),
    Case("ts seen", lambda off: [Told(T, shown_ns=T), Told(T, shown_ns=T + off * MINUTE)], ("ts",)),
    Case("ts minutes", lambda off: [Told(T, shown_ns=T), Told(T, shown_ns=T + MINUTE + off)], ("ts",)),
    Case(
        "ts of short intervals", lambda _off: [Told(T, shown_ns=T), Told(T, shown_ns=T)], ("ts",),
        lambda off: ts.LEAST_INTERVAL_NS + off,
    ),
    Case(
        "ts behind the window",
        lambda off: [Told(T, shown_ns=T), *(Told(at, shown_ns=at) for at in [T - (ts.WINDOW_MIN + off) * MINUTE])],
        ("ts",),
    ),
    Case("ts missing", lambda off: [Told(T, shown_ns=T), Told(T, shown_ns=T + MINUTE if off else None)], ("ts",)),
    Case("ts registered", lambda off: [Told(T, shown_ns=T if off else None)], ("ts",), more={"sends_time": True}),
    Case("ts not sent", lambda off: [Told(T), Told(T + off)], ("ts",), more={"sends_time": False}, changes=False),
    Case("age by time", lambda off: [Told(T, T + AGE_MAX + TOLERANCE + off, shown_ns=T)], ("age",)),
    Case("age ahead", lambda off: [Told(T, T - TOLERANCE + off, shown_ns=T)], ("age",)),
    Case("age by counter", _late_by_counter, ("age",)),
    Case("age of a meter with pauses", _late_by_counter, ("age",), more={"planned_silence_s": 1.0}, changes=False),
    Case("age anchor", _anchor, ("age",)),
    Case(
        "age anchor not of a late one",
        lambda off: [
            Told(T, T, counter=5_000, shown_ns=T), Told(T, T + 1, counter=1),
            Told(T + INTERVAL, T + INTERVAL + 9 * HOUR, counter=2 + off),
        ], ("mcr", "age"), changes=False,
    ),
    Case("age of a far counter", lambda off: [Told(T, counter=1), Told(T, counter=1 << 32)], ("age",), changes=False),
    Case(
        "late again",
        lambda off: [
            Told(T, T + 9 * HOUR, shown_ns=T, bytes_=1), Told(T + 9_000, T + 9 * HOUR, shown_ns=T, bytes_=1 + off),
        ],
        ("age",),
    ),
    Case("bind", lambda off: [Told(T, gateway="gw9" if off else "gw2")], ("bind",)),
    Case("bind first", lambda off: [Told(T, gateway="gw9", shown_ns=T + off * HOUR)], ("bind", "ts"), changes=False),
    Case("mcr before ts", lambda off: [Told(T, counter=5), Told(T, counter=5 + off, shown_ns=0)], ("mcr", "ts")),
)  # fmt: skip


def entry(case: Case, off: int) -> MeterEntry:
    return MeterEntry(METER, interval_s=case.interval_ns(off) / 1e9, gateways=frozenset(GATEWAYS[:2]), **case.more)


@dataclass(frozen=True)
class Production:
    """The intake's judgement, compiled or plain."""

    judge: Callable[..., int]
    checks: Sequence[Check]

    def verdicts(self, case: Case, off: int) -> list[tuple[str, str]]:
        """(verdict, detail) of each telegram."""
        told, meter = case.told(off), entry(case, off)
        fresh = Freshness(PortalSpec(checks=case.checks), 1, self.checks)
        kept, out = Copies(LIMIT_NS), []
        agreed = Agreed(
            np.array([meter.interval_ns]), np.array([ns(meter.planned_silence_s)]),
            np.array([-1 if meter.sends_time is None else meter.sends_time], dtype=np.int8), np.array([0, 2]),
            np.array([0, 1]),
        )  # fmt: skip
        for place, one in enumerate(told):
            now_ns = one.at_ns if one.now_ns is None else one.now_ns
            first, before = np.zeros(1, dtype=np.int64), np.empty((1, fresh.state.shape[1]), dtype=np.int64)
            read = (one.acc, one.counter, one.shown_ns)
            opened = Opened(first, *(np.array([NONE if number is None else number]) for number in read))
            seen = Seen(first, np.array([_bytes(one, place)]), np.array([GATEWAYS.index(one.gateway)]),
                        np.array([one.at_ns]), first)  # fmt: skip
            memory, verdict = Memory(fresh.state, fresh.rings, kept.room(now_ns, 1)), np.zeros(1, dtype=np.int64)
            asked, judged = Asked(fresh.on, fresh.limits, now_ns), Judged(verdict, before)
            kept.keep(self.judge(first, seen, opened, agreed, memory, asked, judged)[0])
            reason, detail = names()[int(verdict[0])], ""
            if verdict[0] > COPY:
                read_as = (int(numbers[0]) for numbers in opened[1:])
                sight = freshness.Sight(int(seen.gateway[0]), one.at_ns, now_ns, *read_as, False)
                agreement = freshness.Meter(0, meter.interval_ns, 0, 0)
                detail = fresh.detail(before[0], sight, agreement, freshness.Names(one.gateway, GATEWAYS[:2]))
            out.append((reason or {STORED: "stored", COPY: "copies"}[int(verdict[0])], detail))
        return out


def _bytes(one: Told, place: int) -> int:
    return 1_000 + place if one.bytes_ is None else one.bytes_


COMPILED: Final = Production(freshness.judge, in_order())


class _Opener:
    """Says of bytes what was told of them."""

    def __init__(self, told: Sequence[Told], meter: MeterEntry) -> None:
        self._told = {_bytes(one, place).to_bytes(2): one for place, one in enumerate(told)}
        self._meter = meter

    def open(self, raw: bytes) -> Any:
        one = self._told[raw]
        values = SimpleNamespace(
            meter_time=None, units=0, set_date=None, set_date_units=None, volume_m3=None, energy_kwh=None
        )
        return SimpleNamespace(
            meter=self._meter.name, reason=None, detail="", entry=self._meter, values=values, counter=one.counter,
            shown_ns=one.shown_ns, tampering=None, telegram=SimpleNamespace(acc=one.acc, security="mode7", sts=0),
        )  # fmt: skip


def words(case: Case, off: int, module: Any = None) -> list[tuple[str, str]]:
    """What the portal in words makes of each telegram."""
    from tests.oracles import portal_in_words

    told, meter = case.told(off), entry(case, off)
    portal = (module or portal_in_words).PortalInWords(PortalSpec(checks=case.checks), CALENDAR, None, None)
    portal._opener = _Opener(told, meter)
    out = []
    for place, one in enumerate(told):
        before, refused = portal.counts.copy(), len(portal.refused)
        raw = _bytes(one, place).to_bytes(2)
        portal.take(
            [Bundle(one.gateway, place, 0, (Heard(raw, one.at_ns, 0.0),))],
            one.at_ns if one.now_ns is None else one.now_ns,
        )
        [what] = portal.counts - before
        out.append((what.removeprefix("refused: "), portal.refused[-1].detail if len(portal.refused) > refused else ""))
    return out


@contextmanager
def edited(modules: Sequence[str], edit: Edit) -> Iterator[dict[str, ModuleType]]:
    """These modules made anew from their sources, one of them with one line changed."""
    made: dict[str, ModuleType] = {}
    with patch.dict(sys.modules):
        for name in modules:
            path = ROOT / f"{name.replace('.', '/')}.py"
            source = path.read_text(encoding="utf-8")
            if name == edit[0]:
                assert source.count(edit[1]) == 1, f"{path.name}: {edit[1]!r} stands there more or less than once"
                source = source.replace(edit[1], edit[2])
            module = made[name] = ModuleType(name)
            module.__file__ = str(path)
            sys.modules[name] = module
            exec(compile(source, str(path), "exec"), module.__dict__)
        yield made


def plain(made: Mapping[str, ModuleType]) -> Production:
    """The intake's judgement as plain Python, of these modules."""
    checks = sorted((m.CHECK for name, m in made.items() if ".checks." in name), key=lambda check: check.order)
    ask, took = freshness.together(checks, lambda function: function)
    same = made["sim.portal.copies"]
    around = freshness.judge.py_func.__globals__ | {"_ask": ask, "_took": took, "_find": same.find, "copies": same}
    return Production(FunctionType(freshness.judge.py_func.__code__, around), checks)


def noticed(edit: Edit) -> str:
    """The first case in which intake and words differ once one of them is edited; "" when none does."""
    mine = edit[0] in PRODUCTION
    with edited(PRODUCTION if mine else WORDS, edit) as made:
        production = plain(made) if mine else None
        for case in CASES:
            for off in (-1, 0, 1):
                if production is not None:
                    same = production.verdicts(case, off) == words(case, off)
                else:
                    same = _plain().verdicts(case, off) == words(case, off, made[WORDS[-1]])
                if not same:
                    return f"{case.name} {off:+d}"
    return ""


def _plain() -> Production:
    return plain({name: importlib.import_module(name) for name in PRODUCTION})
