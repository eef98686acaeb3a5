"""Receptions by meter, and each meter's in the order of time: small compiled loops that sort by counting.

Most receptions stand in order already: a city hands them over so, and one look tells. Else rows are dealt into groups,
which keeps ties as they were, and each group is put in order by insertion; where that would move much, it is dealt by
time before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrays.jit import njit

_MOVES = 8  # a row, of those inserted so far; beyond, insertion would be slow


@njit(cache=True, error_model="numpy")
def grouped(group: Any, groups: Any, time: Any) -> Any:
    """The rows whose group is not negative, by group, then time, then place."""
    if _in_order(group, time):
        return np.arange(len(group))
    first = np.zeros(groups + 1, dtype=np.int64)
    for row in range(len(group)):
        if group[row] >= 0:
            first[group[row] + 1] += 1
    for one in range(groups):
        first[one + 1] += first[one]
    order = np.empty(first[groups], dtype=np.int64)
    for row in range(len(group)):
        if group[row] >= 0:
            order[first[group[row]]] = row
            first[group[row]] += 1
    low = 0
    while low < len(order):
        high = low + 1
        while high < len(order) and group[order[high]] == group[order[low]]:
            high += 1
        rows = order[low:high]
        if not _inserted(rows, time):
            _dealt(rows, time)
            if not _inserted(rows, time):
                _merged(rows, time)
        low = high
    return order


@njit(cache=True, error_model="numpy")
def _in_order(group: Any, time: Any) -> Any:
    """Every row is of a group, and stands where it belongs."""
    if len(group) and group[0] < 0:
        return False
    for row in range(1, len(group)):
        if group[row] < group[row - 1] or (group[row] == group[row - 1] and time[row] < time[row - 1]):
            return False
    return True


@njit(cache=True, error_model="numpy")
def _inserted(rows: Any, time: Any) -> Any:
    """Put in order by insertion, ties as they were; or stop where that moves much, and say so."""
    moves = _MOVES
    for at in range(1, len(rows)):
        row = rows[at]
        to = at
        while to > 0 and time[rows[to - 1]] > time[row]:
            rows[to] = rows[to - 1]
            to -= 1
        rows[to] = row
        moves += _MOVES - (at - to)
        if moves < 0:
            return False
    return True


@njit(cache=True, error_model="numpy")
def _dealt(rows: Any, time: Any) -> None:
    """Into as many even spans of time as there are rows, ties as they were; within a span as they stood."""
    count = len(rows)
    low = high = time[rows[0]]
    for row in rows:
        low, high = min(low, time[row]), max(high, time[row])
    scale = (count - 1) / np.float64(high - low + 1)
    first, other = np.zeros(count + 1, dtype=np.int64), rows.copy()
    for row in rows:
        first[np.int64((time[row] - low) * scale) + 1] += 1
    for one in range(count):
        first[one + 1] += first[one]
    for row in other:
        span = np.int64((time[row] - low) * scale)
        rows[first[span]] = row
        first[span] += 1


@njit(cache=True, error_model="numpy")
def _merged(rows: Any, time: Any) -> None:
    """By time, ties as they were: runs of one, of two, of four. numba's own sort takes three seconds to compile."""
    run, other = 1, np.empty_like(rows)
    while run < len(rows):
        for low in range(0, len(rows), 2 * run):
            middle, high = min(low + run, len(rows)), min(low + 2 * run, len(rows))
            left, right = low, middle
            for to in range(low, high):
                if left < middle and (right == high or time[rows[left]] <= time[rows[right]]):
                    other[to] = rows[left]
                    left += 1
                else:
                    other[to] = rows[right]
                    right += 1
        for at in range(len(rows)):
            rows[at] = other[at]
        run *= 2


@njit(cache=True, error_model="numpy")
def uniques(order: Any, group: Any, mark: Any, back: Any, unique: Any) -> Any:
    """Number rows that share group and mark alike, into `unique`; returns one row of each number. Looks back over so
    many rows; what lies farther apart gets another number, which only costs."""
    shown = np.empty(len(order), dtype=np.int64)
    count = 0
    for at in range(len(order)):
        row = order[at]
        number = -1
        for to in range(at - 1, max(-1, at - 1 - back), -1):
            other = order[to]
            if group[other] != group[row]:
                break
            if mark[other] == mark[row]:
                number = unique[other]
                break
        if number < 0:
            number = count
            shown[count] = row
            count += 1
        unique[row] = number
    return shown[:count]
