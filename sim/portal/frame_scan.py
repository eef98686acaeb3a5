"""Compiled loops over telegrams' bytes: whose each is and which mode it has, what opening wants of it, what was read.

A telegram has a mode here only if it is wholly as agreed for a registered meter: see `decrypt_batch`, whose loops these
are.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from arrays.draws import mixed_word
from arrays.jit import njit
from arrays.unaligned import load_8, load_64, store
from sim.portal.check import NONE
from sim.portal.meter_table import NO_ROW, find
from sim.portal.record_templates import MINUTE, REALS, TAMPER, UNITS, WHOLES
from wmbus.ell import CI_I
from wmbus.transport import STS_PERMANENT_ERROR

OTHER: Final = -1  # of a mode: to be judged one at a time
NS_PER_MIN: Final = 60_000_000_000
_HEADER = 10
_NEAR = 8  # rows after the last meter's where the next one is looked for first: many come in the table's order
_32 = np.uint64(32)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


class Registered(NamedTuple):
    """Columns of a `MeterTable`."""

    number: Any
    places: Any
    mode: Any
    keyed: Any


class Scanned(NamedTuple):
    """Of each reception: a mark of its bytes, its meter's row, its mode, where its transport layer stands."""

    mark: Any
    row: Any
    mode: Any
    place: Any


class Form(NamedTuple):
    """Where the payload begins and the transport header ends; `bare`: the header is a CI alone."""

    payload_at: int
    header: int
    bare: bool


class Unpacked(NamedTuple):
    """What opening wants of each telegram."""

    payload: Any
    keys: Any
    iv: Any
    address: Any
    acc: Any
    status: Any


class Found(NamedTuple):
    """What was read of telegrams of one mode; `security` is that mode's."""

    wholes: Any
    reals: Any
    acc: Any
    counter: Any
    status: Any
    security: int


@njit(cache=True, error_model="numpy")
def copied(begin: Any, to: Any, size: Any) -> None:
    """So many bytes from one address to another."""
    whole = size & ~7
    for byte in range(0, whole, 8):
        store(load_64(begin + byte), to + byte)
    for byte in range(whole, size):
        store(load_8(begin + byte), to + byte)


@njit(cache=True, error_model="numpy")
def unpack(data: Any, offset: Any, row: Any, wires: Any, all_keys: Any, form: Any, out: Any) -> None:
    """What opening wants of each telegram (`Unpacked`), all of one `Form`."""
    payload_at, header, bare = form
    payload, keys, iv, address, acc, status = out
    size = payload.shape[1]
    base, to = np.int64(data.ctypes.data), np.int64(payload.ctypes.data)
    for at in range(len(offset)):
        low, meter = offset[at], row[at]
        copied(base + low + payload_at, to + at * size, size)
        acc[at], status[at] = NONE, 0
        if bare and data[low + _HEADER] == CI_I:
            acc[at] = data[low + _HEADER + 2]
        elif not bare:
            acc[at], status[at] = data[low + header - 4], data[low + header - 3]
        for byte in range(16):
            keys[at, byte] = all_keys[meter, byte]
        for byte in range(8):
            iv[at, byte], iv[at, 8 + byte] = wires[meter, byte], np.uint8(acc[at] & 0xFF)
        for byte in range(4):
            address[at, byte] = wires[meter, 2 + byte]


@njit(cache=True, error_model="numpy")
def covered(data: Any, offset: Any, place: Any, covered: Any, size: Any, macs: Any, counter: Any) -> None:
    """What the MAC covers (MCL, MCR, and from the transport layer on), the MAC, and the counter. The AFL of profile B
    ends at `place`."""
    base, to, width = np.int64(data.ctypes.data), np.int64(covered.ctypes.data), covered.shape[1]
    for at in range(len(offset)):
        end = offset[at] + place
        counter[at] = 0
        for byte in range(5):
            covered[at, byte] = data[end - 13 + byte]
        for byte in range(4):
            counter[at] |= np.int64(data[end - 12 + byte]) << (8 * byte)
        for byte in range(8):
            macs[at, byte] = data[end - 8 + byte]
        copied(base + end, to + at * width + 5, size - 5)


@njit(cache=True, error_model="numpy")
def equal(wanted: Any, macs: Any) -> Any:
    out = np.empty(len(macs), dtype=np.bool_)
    for at in range(len(macs)):
        differs = np.uint8(0)
        for byte in range(8):
            differs |= wanted[at, byte] ^ macs[at, byte]
        out[at] = differs == 0
    return out


@njit(cache=True, error_model="numpy")
def settle(at: Any, read: Any, good: Any, found: Any, begin_ns: Any, out: Any) -> None:
    """What was `Found`, into the places of `Contents` it belongs to; `read` loses what tells no consumption or has a
    wrong MAC. World time begins `begin_ns` after 1970."""
    wholes, reals, acc, counter, status, security = found
    for one in range(len(at)):
        tells = wholes[one, UNITS] != NONE or not (np.isnan(reals[one, 0]) and np.isnan(reals[one, 1]))
        if not (read[one] and good[one] and tells):
            read[one] = False
            continue
        to = at[one]
        for column in range(WHOLES):
            out.wholes[to, column] = wholes[one, column]
        if status[one] & STS_PERMANENT_ERROR:
            out.wholes[to, TAMPER] = 1
        for column in range(REALS):
            out.reals[to, column] = reals[one, column]
        out.acc[to], out.counter[to], out.status[to] = acc[one], counter[one], status[one]
        minute = wholes[one, MINUTE]
        out.shown_ns[to] = NONE if minute == NONE else minute * NS_PER_MIN - begin_ns
        out.security[to] = security


@njit(cache=True, error_model="numpy")
def scan(data: Any, offset: Any, length: Any, meters: Any, out: Any) -> None:
    """`meters`: `Registered`; `out`: `Scanned`."""
    number, places, agreed, keyed = meters
    mark, row, mode, place = out
    base, last = np.int64(data.ctypes.data), np.int64(0)
    for at in range(len(offset)):
        low, size = offset[at], length[at]
        if at and low == offset[at - 1] and size == length[at - 1]:  # the very bytes, heard by another gateway
            mark[at], row[at], mode[at], place[at] = mark[at - 1], row[at - 1], mode[at - 1], place[at - 1]
            continue
        sum_, word = np.uint64(size), np.uint64(0)
        whole = size & ~7
        for byte in range(0, whole, 8):
            sum_ = (sum_ ^ load_64(base + low + byte)) * _MIX
            sum_ ^= sum_ >> _32
        for byte in range(whole, size):
            word = word << np.uint64(8) | np.uint64(data[low + byte])
        mark[at] = mixed_word(sum_ ^ word)
        row[at], mode[at], place[at] = -1, OTHER, 0
        if size < 12 or data[low] != size - 1:
            continue
        to = _HEADER
        if data[low + to] == 0x8C:
            to += 3
        afl = to + 18 <= size and data[low + to] == 0x90
        if afl:
            # AFL of profile B: length, control field, MCL. Any other is not for here.
            if not (
                data[low + to + 1] == 0x0F and data[low + to + 2] == 0x00 and data[low + to + 3] == 0x2C
                and data[low + to + 4] == 0x25
            ):  # fmt: skip
                continue
            to += 17
        if to >= size:
            continue
        ci = data[low + to]
        address = low + 2
        header = 0
        if ci == 0x72:
            header = 12
        elif ci == 0x7A:
            header = 4
        elif ci != 0x78:
            continue
        if to + 1 + header >= size:
            continue
        value = np.uint64(0)
        if ci == 0x72:
            own = low + to + 1
            value = _number(data, own + 4, own, own + 6)
        else:
            value = _number(data, address, address + 2, address + 6)
        meter, near = np.int64(NO_ROW), last
        while meter < 0 and near < len(number) and near < last + _NEAR:
            if number[near] == value:
                meter = near
            near += 1
        if meter < 0:
            meter = find(value, number, places)
        if meter < 0:
            continue
        last = meter
        named, blocks = np.int64(0), np.int64(0)
        if header:
            cfg_at = low + to + 1 + header - 2
            named, blocks = np.int64(data[cfg_at + 1] & 31), np.int64(data[cfg_at] >> 4)
        left = size - to - 1 - header
        if named != agreed[meter] or (named != 0 and not keyed[meter]) or (afl and named != 7):
            continue
        if named == 7:
            # KDF-A, no counter of the transport layer's own.
            cfg_at = low + to + 1 + header - 2
            if not afl or data[cfg_at + 1] & 0x20 or data[low + to + 1 + header] >> 4 & 3 != 1:
                continue
            left -= 1
        if named != 0 and (blocks == 0 or left != 16 * blocks):
            continue
        row[at], mode[at], place[at] = meter, named, to


@njit(cache=True, error_model="numpy", inline="always")
def _number(data: Any, maker: Any, id_: Any, version: Any) -> Any:
    value = np.uint64(data[maker + 1]) << np.uint64(56) | np.uint64(data[maker]) << np.uint64(48)
    for byte in range(4):
        value |= np.uint64(data[id_ + byte]) << np.uint64(16 + 8 * byte)
    return value | np.uint64(data[version]) << np.uint64(8) | np.uint64(data[version + 1])
