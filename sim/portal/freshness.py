"""Is each telegram new? The checks of `sim/portal/checks/` put together, over the state of all meters as arrays.

The checks that there are become one compiled function that asks them in their order, and one that lets them remember;
which of them are on is a portal's setting. State is a row a meter: each check's numbers side by side, then the head of
the meter's chain of copies, so a meter with the checks that come with the bench fills one line of the cache; and a ring
of bytes for each check that has a window.

Meters do not know of each other, so each meter's telegrams are judged in their order and meters in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from types import FunctionType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays.jit import njit
from sim.portal import check_source, copies, reasons, window
from sim.portal.check import Check, Meter, Names, Sight, in_order
from sim.portal.portal_spec import PortalSpec
from sim.portal.verdicts import COPY, STORED, number, of_check

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
# These loops make no arrays, so they need not count references to those they are given: in a loop over telegrams that
# costs six times as much as the checks themselves.
_LEAN: Final[dict[str, Any]] = {"error_model": "numpy", "_nrt": False}
_NO_REASON: Final = -1  # and less by the place of a check: it returned a number without a reason
_OPENING: Final = -1  # refused before any check was asked
_CODES: Final = 64  # more reasons than a check has
_LATE, _REPLAYED_LATE = number(reasons.LATE), number(reasons.REPLAYED_LATE)
Blob = tuple[int, str, bytes]
"""(row, layout, the state of all checks as bytes): the layout names each check with its sizes in the state, which has
the numbers of one after the other, then their rings."""


class Seen(NamedTuple):
    """Receptions: `row` of the meter, `hash_` of the bytes, `gateway`, `received_ns`, and `telegram` among those
    opened."""

    row: I64
    hash_: I64
    gateway: I64
    received_ns: I64
    telegram: I64


class Opened(NamedTuple):
    """Telegrams as opened: `refusal` (0: none), and what freshness looks at, NONE where there is none."""

    refusal: I64
    acc: I64
    counter: I64
    shown_ns: I64


class Agreed(NamedTuple):
    """Columns of the meter table: the gateways bound to row i are `bound[bound_first[i]:bound_first[i + 1]]`."""

    interval_ns: I64
    silent_ns: I64
    sends_time: NDArray[np.int8]
    bound_first: I64
    bound: I64


class Memory(NamedTuple):
    """`state` (meters, columns), `rings` one (meters, bytes) a check; `kept`: what was stored, with room for more."""

    state: I64
    rings: tuple[U8, ...]
    kept: copies.Kept


class Asked(NamedTuple):
    """`on`: a bit for each check that is asked; `limits`: those of all checks, one after the other; `now_ns`: world
    time of the take."""

    on: int
    limits: I64
    now_ns: int


class Judged(NamedTuple):
    """`verdict` of each reception; `before` gets the state that each refused one met, in the order of refusals, where
    it has rows; in its last column which check refused, and as what."""

    verdict: I64
    before: I64


@cache
def compiled(function: Callable[..., Any]) -> Any:
    """A plain function, and the plain functions of its module that it calls, compiled."""
    assert isinstance(function, FunctionType)
    around = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(around.get(name), FunctionType):
            around[name] = compiled(around[name])
    same = FunctionType(function.__code__, around, function.__name__, function.__defaults__)
    return njit(inline="always", **_LEAN)(same)


look, mark = compiled(window.look), compiled(window.mark)
_find = compiled(copies.find)


def _places(every: Iterable[Check]) -> dict[str, tuple[int, int]]:
    """Check -> its columns of the state."""
    out, begin = {}, 0
    for check in every:
        out[check.id] = (begin, begin + check.columns)
        begin += check.columns
    return out


def together(every: Sequence[Check], made: Callable[[Callable[..., Any]], Any]) -> tuple[Any, Any]:
    """The checks as one function that asks and one that remembers, each `made` of plain ones. They are written here,
    since there may be any number of checks."""
    lines, around = _written(every, made)
    exec("\n".join(lines), around)
    return made(around["ask"]), made(around["took"])


def to_mend(error: Exception, every: Sequence[Check]) -> str:
    """In one line what is to be mended where the functions of these checks cannot be compiled."""
    return check_source.to_mend(error, every, _written(every, lambda function: function)[0])


def _written(
    every: Sequence[Check], made: Callable[[Callable[..., Any]], Any]
) -> tuple[list[str], dict[str, Any]]:
    """The lines of both functions, and the names that they use."""
    places, limit_at = _places(every), 0
    around: dict[str, Any] = {"__name__": __name__}
    ask = ["def ask(on, sight, meter, state, row, rings, limits):"]
    took = ["def took(on, late, sight, meter, state, row, rings, limits):"]
    for place, check in enumerate(every):
        low, high = places[check.id]
        mine, bit = check.id, 1 << place
        limits_type = type(check.limits_for(PortalSpec()))
        count = len(limits_type._fields)  # type: ignore[attr-defined]
        around |= {
            f"{mine}_verdict": made(check.verdict), f"{mine}_took": made(check.took),
            f"{mine}_why": of_check(check), f"{mine}_State": check.state, f"{mine}_Limits": limits_type,
        }  # fmt: skip
        when = f"on & {bit}"
        if check.left_to:
            other = next(at for at, one in enumerate(every) if one.id == check.left_to)
            around[f"{mine}_answers"] = made(every[other].answers)  # type: ignore[arg-type]
            when += f" and not (on & {1 << other} and {mine}_answers(sight))"
        past = f"{mine}_State({', '.join(f'state[row, {column}]' for column in range(low, high)) or '0'})"
        limits = f"{mine}_Limits({', '.join(f'limits[{at}]' for at in range(limit_at, limit_at + count))})"
        said = f"sight, meter, {past}, rings[{place}], {limits}"
        ask += [f"    if {when}:", f"        why = {mine}_verdict({said})"]
        ask += [f"        if 0 < why < {2 + len(check.reasons)}: return {mine}_why[why], {place * _CODES} + why"]
        ask += [f"        if why != 0: return {_NO_REASON - place}, why"]
        took += [f"    if {when}{'' if check.takes_late else ' and not late'}:", f"        new = {mine}_took({said})"]
        took += [f"        state[row, {low + at}] = new[{at}]" for at in range(high - low)]
        limit_at += count
    return [*ask, f"    return {STORED}, {_OPENING}", *took], around


_ask, _took = together(in_order(), compiled)


@njit(**_LEAN)
def judge(
    order: I64, seen: Seen, opened: Opened, agreed: Agreed, memory: Memory, asked: Asked, judged: Judged
) -> tuple[int, int]:
    """Verdicts of receptions in `order`: by meter, and within it as the gateways heard them. Returns how many rows of
    `memory.kept` are in use, and 0; or, where a check returned a number without a reason, whose it is
    (`Freshness.without_reason`) and the number."""
    rows, hashes, gateways, heard_ns, telegrams = seen
    refusal, acc, counter, shown_ns = opened
    interval_ns, silent_ns, sends_time, bound_first, bound = agreed
    state, rings, kept = memory
    table, count, dropped, since_ns = kept
    on, limits, now_ns = asked
    verdict, before = judged
    head, told = state.shape[1] - 1, 0
    for at in order:
        row, telegram = rows[at], telegrams[at]
        received_ns, gateway = heard_ns[at], gateways[at]
        again = _find(table, state[row, head], since_ns, hashes[at], gateway, received_ns, dropped)
        if again == copies.COPIED:
            verdict[at] = COPY
            continue
        if refusal[telegram] != 0:
            verdict[at] = refusal[telegram]
            if len(before):
                before[told, head] = _OPENING
                told += 1
            continue
        expected = False
        for place in range(bound_first[row], bound_first[row + 1]):
            expected |= bound[place] == gateway
        sight = Sight(gateway, received_ns, now_ns, acc[telegram], counter[telegram], shown_ns[telegram], expected)
        meter = Meter(row, interval_ns[row], silent_ns[row], int(sends_time[row]))
        why, code = _ask(on, sight, meter, state, row, rings, limits)
        if why < 0:
            return why, code
        if why != STORED and len(before):
            for column in range(head):
                before[told, column] = state[row, column]
            before[told, head] = code
            told += 1
        if why == _LATE and again == copies.AGAIN:
            why = _REPLAYED_LATE
        verdict[at] = why
        if why != STORED and why != _LATE:
            continue
        _took(on, why == _LATE, sight, meter, state, row, rings, limits)
        table[count, copies.HASH], table[count, copies.GATEWAY] = hashes[at], gateway
        table[count, copies.RECEIVED], table[count, copies.STORED_AT] = received_ns, now_ns
        table[count, copies.NEXT] = state[row, head]
        state[row, head] = dropped + count
        count += 1
    return count, 0


@njit(**_LEAN)
def recall(reception: Any, gateway: Any, received_ns: Any, seen: Any, state: Any, kept: Any, now_ns: Any) -> Any:
    """What was stored in earlier takes of the bytes of these receptions, put into their meters' chains; returns how
    many rows of `kept` are in use."""
    head, count = state.shape[1] - 1, kept.used
    for at in range(len(reception)):
        row = seen.row[reception[at]]
        if row < 0:
            continue
        kept.rows[count, copies.HASH], kept.rows[count, copies.GATEWAY] = seen.hash_[reception[at]], gateway[at]
        kept.rows[count, copies.RECEIVED], kept.rows[count, copies.STORED_AT] = received_ns[at], now_ns
        kept.rows[count, copies.NEXT] = state[row, head]
        state[row, head] = kept.dropped + count
        count += 1
    return count


class Freshness:
    """State of so many meters, and the checks of `every` (None: those there are) that `spec` leaves on."""

    def __init__(self, spec: PortalSpec, meters: int, every: Sequence[Check] | None = None) -> None:
        every = in_order() if every is None else every
        self.checks: dict[str, Check] = {check.id: check for check in every}
        self.on = sum(1 << place for place, check in enumerate(every) if check.id in spec.checks)
        self._limits = {check.id: check.limits_for(spec) for check in every}
        self.limits: I64 = np.array([one for check in every for one in self._limits[check.id]], dtype=np.int64)
        self._places = _places(every)
        start = [one for check in every for one in check.state()[: check.columns]] + [-1]
        self._start: I64 = np.array(start, dtype=np.int64)
        self.state: I64 = np.tile(self._start, (meters, 1))
        self.rings: tuple[U8, ...] = tuple(_ring(check, meters) for check in every)

    def __len__(self) -> int:
        return len(self.state)

    def grow(self, meters: int) -> None:
        """So many meters; those that came are as never heard."""
        more = meters - len(self)
        if more > 0:
            self.state = np.concatenate([self.state, np.tile(self._start, (more, 1))])
            every, old = self.checks.values(), self.rings
            self.rings = tuple(_ring(check, meters) for check in every)
            for ring, was in zip(self.rings, old, strict=True):
                ring[: len(was)] = was

    def past(self, check: Check, state: I64) -> Any:
        """A check's own state, out of a meter's row."""
        low, high = self._places[check.id]
        return check.state(*state[low:high].tolist())

    def detail(self, before: I64, sight: Sight, meter: Meter, names: Names) -> str:
        """Why a telegram was refused, in words. `before`: its row of `Judged.before`."""
        place, why = divmod(int(before[-1]), _CODES)
        check = list(self.checks.values())[place]
        return check.detail(why, sight, meter, self.past(check, before), self._limits[check.id], names)

    def without_reason(self, said: int, number: int) -> str:
        """In words what `judge` returned instead of a count: which check returned which number."""
        check = list(self.checks.values())[_NO_REASON - said]
        there = ", ".join(f"{place} ({reason})" for place, reason in enumerate(check.reasons, 2))
        return f"check '{check.id}': verdict returned {number}; there are 0 (PASSED), 1 (LATE), {there}"

    # --- kept in a store ----------------------------------------------------------------------------------------------

    def copy(self, rows: I64) -> tuple[I64, list[U8]]:
        """What is remembered of these meters, to be compared with and gone back to."""
        return self.state[rows], [ring[rows] for ring in self.rings]

    def back(self, rows: I64, was: tuple[I64, list[U8]]) -> None:
        """As it was: the take was rolled back."""
        self.state[rows] = was[0]
        for ring, old in zip(self.rings, was[1], strict=True):
            ring[rows] = old

    def changed(self, rows: I64, was: tuple[I64, list[U8]]) -> list[Blob]:
        """What is remembered of the meters of which something is remembered otherwise than it was."""
        state, rings = self.copy(rows)
        width = state.shape[1] - 1  # the head of the chain of copies is no check's
        new = (state[:, :width] != was[0][:, :width]).any(axis=1)
        for ring, old in zip(rings, was[1], strict=True):
            new |= (ring != old).any(axis=1)
        some = np.flatnonzero(new)
        numbers = np.ascontiguousarray(state[some, :width].astype("<i8")).view(np.uint8).reshape(len(some), 8 * width)
        data = np.concatenate([numbers, *(ring[some] for ring in rings)], axis=1)
        size, raw, layout = data.shape[1], data.tobytes(), self._layout
        return [(row, layout, raw[at * size : (at + 1) * size]) for at, row in enumerate(rows[some].tolist())]

    def remember(self, blobs: Iterable[Blob]) -> None:
        """As `changed` gave them. Raises ValueError for one of another version; a check that is gone is passed over."""
        places = list(self.checks)
        for row, layout, raw in blobs:
            parts = _laid_out(layout)
            if len(raw) != sum(8 * columns + size for _, columns, size in parts):
                raise ValueError(f"a meter's state of {len(raw)} bytes is not '{layout}', of another version")
            number, byte = 0, 8 * sum(columns for _, columns, _ in parts)
            for check, columns, size in parts:
                if check in self.checks:
                    (low, high), ring = self._places[check], self.rings[places.index(check)]
                    if (columns, size) != (high - low, ring.shape[1]):
                        raise ValueError(f"the state of check '{check}' is {columns}+{size}, of another version")
                    self.state[row, low:high] = np.frombuffer(raw, "<i8", columns, 8 * number)
                    ring[row] = np.frombuffer(raw, np.uint8, size, byte)
                number, byte = number + columns, byte + size

    @property
    def _layout(self) -> str:
        sizes = zip(self.checks, self._places.values(), self.rings, strict=True)
        return " ".join(f"{check}:{high - low}+{ring.shape[1]}" for check, (low, high), ring in sizes)


@cache
def _laid_out(layout: str) -> list[tuple[str, int, int]]:
    """(check, how many numbers, bytes of its ring) in their order. Raises ValueError."""
    parts = []
    try:
        for part in layout.split():
            check, _, sizes = part.partition(":")
            columns, _, size = sizes.partition("+")
            parts.append((check, int(columns), int(size)))
    except ValueError:
        raise ValueError(f"'{layout[:80]}' is no layout of a meter's state, of another version") from None
    return parts


def _ring(check: Check, meters: int) -> U8:
    size = check.window // 8 + 1 if check.window else 0
    meters = max(meters, 2)  # one meter's bytes lie as either kind does, which would be compiled once more
    # Pages that no telegram touches (counters of meters without one) stay unused.
    if check.side_by_side:
        return np.zeros((size, meters), dtype=np.uint8).T
    return np.zeros((meters, size), dtype=np.uint8)
