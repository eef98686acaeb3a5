"""What very many telegrams say: whose, as agreed, authentic, readable; `judge` for arrays, without freshness.

Only what is wholly as agreed is opened here: a registered address, the pinned mode, the header that this mode has, all
blocks encrypted, the MAC of profile B where mode 7 was agreed, a payload whose layout is known. Everything else, be it
strange or forged, goes to the one-at-a-time `Judge`, whose word then stands; so this file never says why it refuses.
A portal that looks up by id alone is asked one telegram at a time altogether.
"""

from __future__ import annotations

import dataclasses
import importlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.clock import Calendar
from sim.portal.batch import Batch
from sim.portal.freshness import Freshness
from sim.portal.freshness_many import reason_place
from sim.portal.grouping import mixed
from sim.portal.interpret import Values
from sim.portal.judge import Judge, Verdict
from sim.portal.layouts import MINUTE, NONE, REALS, SET_DATE_UNITS, SET_DAY, TAMPER, UNITS, WHOLES, Layouts
from sim.portal.roll import NO_ROW, Roll, RollKeyring, RollRegistry, find, number_of
from sim.portal.store import Store
from sim.spec import PortalSpec
from wmbus import security_many
from wmbus.ell import CI_I
from wmbus.errors import BadTelegram
from wmbus.received import parse
from wmbus.transport import CI_LONG, CI_NONE, CI_SHORT, STS_PERMANENT_ERROR
from wmbus.words import load_64

njit: Any = importlib.import_module("numba").njit

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
NS_PER_MIN: Final = 60_000_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a meter has no zone
_ROWS_AT_ONCE = 4_096
_OTHER = -1  # of `mode`: to be judged one at a time
_HEADER = 10
_NEAR = 8  # rows after the last meter's where the next one is looked for first: many come in the order of the roll
_SECURITY = {0: 0, 5: 1, 7: 2}  # places in `Opening.securities`
_HEADERS = {CI_LONG: 12, CI_SHORT: 4, CI_NONE: 0}
_32 = np.uint64(32)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(slots=True)
class Contents:
    """Of n telegrams: `content` 0, or the refusal; `wholes` (n, WHOLES) and `reals` (n, REALS) as `layouts` says,
    `acc`, `counter`, `status`; `shown_ns` the meter's time as world time; NONE where there is none. `security` by
    name's place in `securities`."""

    content: I64
    wholes: I64
    reals: NDArray[np.float64]
    acc: I64
    counter: I64
    status: I64
    shown_ns: I64
    security: I64


class Opening:
    """Opens telegrams with the keys of a roll."""

    def __init__(self, spec: PortalSpec, calendar: Calendar, roll: Roll) -> None:
        self.roll = roll
        self._whole_address = spec.whole_address
        # The state that a judge without checks would ask is nobody's.
        plain = dataclasses.replace(spec, checks=())
        nothing: Store = None  # type: ignore[assignment]
        self._judge = Judge(plain, calendar, RollKeyring(roll), RollRegistry(roll), Freshness(plain, nothing))
        self._layouts = Layouts({})
        self._begin_ns = (calendar.start.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1) * 1_000
        self._verdicts: dict[bytes, Verdict] = {}
        self.securities = ["none", "mode5", "mode7"]
        self.one_at_a_time = 0

    # --- whose ------------------------------------------------------------------------------------------------------

    def shapes(self, batch: Batch) -> tuple[I64, I64, I64, I64]:
        """Of each reception: a mark of its bytes, its meter's row, its mode (-1: to be judged one at a time) and where
        its transport layer stands."""
        n = len(batch)
        mark, row, mode, place = (np.empty(n, dtype=np.int64) for _ in range(4))
        roll = self.roll
        _shapes(
            batch.data, batch.offset, batch.length, roll.number, roll.places, roll.mode, roll.keyed,
            mark.view(np.uint64), row, mode, place,
        )  # fmt: skip
        if not self._whole_address:
            mode[:] = _OTHER
        return mark, row, mode, place

    # --- what -------------------------------------------------------------------------------------------------------

    def open(self, batch: Batch, shown: I64, row: I64, mode: I64, place: I64) -> Contents:
        """The contents of the telegrams that receptions `shown` hold; `row`, `mode` and `place` as `shapes` says, one
        for each reception. Those judged one at a time change `row` and `mode` no more."""
        n = len(shown)
        nothing = np.full(n, NONE, dtype=np.int64)
        out = Contents(
            np.zeros(n, dtype=np.int64), np.full((n, WHOLES), NONE, dtype=np.int64), np.full((n, REALS), np.nan),
            nothing.copy(), nothing.copy(), np.zeros(n, dtype=np.int64), nothing, np.zeros(n, dtype=np.int64),
        )  # fmt: skip
        out.wholes[:, TAMPER] = 0
        done = np.zeros(n, dtype=np.bool_)
        its_mode, its_place, its_length = mode[shown], place[shown], batch.length[shown]
        kinds = (its_mode << 32) + (its_place << 16) + its_length
        for kind in np.unique(kinds[its_mode >= 0]).tolist():
            same = np.flatnonzero(kinds == kind)
            for low in range(0, len(same), _ROWS_AT_ONCE):
                at = same[low : low + _ROWS_AT_ONCE]
                those = shown[at]
                done[at] = self._opened(batch, those, row[those], kind >> 32, kind >> 16 & 0xFFFF, at, out)
        out.shown_ns[:] = np.where(
            out.wholes[:, MINUTE] == NONE, NONE, out.wholes[:, MINUTE] * NS_PER_MIN - self._begin_ns
        )  # fmt: skip
        for one in np.flatnonzero(~done).tolist():
            self._one(batch[int(shown[one])], one, out)
        return out

    def _opened(
        self, batch: Batch, reception: I64, row: I64, mode: int, place: int, at: I64, out: Contents
    ) -> NDArray[np.bool_]:
        """Telegrams of one mode, length and place of the transport layer; those that could be read."""
        n, roll, size = len(reception), self.roll, int(batch.length[reception[0]])
        ci = batch.data[batch.offset[reception] + place]
        if (ci != ci[0]).any():  # a kind of telegram has one header; two of them are two kinds
            read = np.zeros(n, dtype=np.bool_)
            for one in np.unique(ci).tolist():
                some = np.flatnonzero(ci == one)
                read[some] = self._opened(batch, reception[some], row[some], mode, place, at[some], out)
            return read
        header = place + 1 + _HEADERS[int(ci[0])]
        payload_at = header + (1 if mode == 7 else 0)
        payload = np.empty((n, size - payload_at), dtype=np.uint8)
        keys, iv, address = np.empty((n, 16), np.uint8), np.empty((n, 16), np.uint8), np.empty((n, 4), np.uint8)
        acc, status = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        offset = batch.offset[reception]
        _unpack(
            batch.data, offset, row, roll.wire, roll.keys, payload_at, header, ci[0] == CI_NONE, payload, keys, iv,
            address, acc, status,
        )  # fmt: skip
        good, counter = np.ones(n, dtype=np.bool_), np.full(n, NONE, dtype=np.int64)
        if mode == 5:
            security_many.decrypt_cbc(keys, iv, payload)
        elif mode == 7:
            covered_bytes = 5 + size - place
            covered = np.zeros((n, (covered_bytes + 15) // 16 * 16), dtype=np.uint8)
            macs = np.empty((n, 8), dtype=np.uint8)
            _covered(batch.data, offset, place, covered, covered_bytes, macs, counter)
            kenc, kmac = security_many.derive_pair(keys, counter.astype(np.uint32), address)
            wanted = security_many.cmac_padded(kmac, covered, covered_bytes)
            good = _equal(wanted, macs)
            security_many.decrypt_cbc(kenc, None, payload)
        wholes, reals = np.full((n, WHOLES), NONE, dtype=np.int64), np.full((n, REALS), np.nan)
        wholes[:, TAMPER] = 0
        read = self._layouts.read(payload, mode != 0, wholes, reals)
        _settle(
            at, read, good, wholes, reals, acc, counter, status, _SECURITY[mode], out.wholes, out.reals, out.acc,
            out.counter, out.status, out.security,
        )  # fmt: skip
        return read

    # --- one at a time ----------------------------------------------------------------------------------------------

    def _one(self, raw: bytes, at: int, out: Contents) -> None:
        """One telegram, by the judge."""
        verdict = self._verdict(raw)
        if verdict.reason is not None:
            out.content[at] = reason_place(verdict.reason)
            return
        values, telegram, sight = verdict.values, verdict.telegram, verdict.sight
        assert values is not None and telegram is not None and sight is not None
        out.wholes[at] = _wholes(values, verdict.tampering is not None)
        out.reals[at] = [np.nan if one is None else one for one in (values.volume_m3, values.energy_kwh)]
        out.acc[at] = NONE if telegram.acc is None else telegram.acc
        out.counter[at] = NONE if verdict.counter is None else verdict.counter
        out.status[at] = telegram.sts or 0
        out.shown_ns[at] = NONE if sight.meter_time_ns is None else sight.meter_time_ns
        if telegram.security not in self.securities:
            self.securities.append(telegram.security)
        out.security[at] = self.securities.index(telegram.security)

    def row_of(self, raw: bytes) -> int:
        """The row of the meter as which a telegram is judged, NO_ROW when it is nobody's."""
        entry = self._verdict(raw).entry
        return NO_ROW if entry is None else self.roll.row(entry.address)

    def stranger(self, raw: bytes) -> tuple[int, int]:
        """Why a telegram of nobody's is refused, and the number of the address it shows, 0 when it shows none."""
        reason = self._verdict(raw).reason
        assert reason is not None
        try:
            return reason_place(reason), number_of(parse(raw).address_wire)
        except BadTelegram:
            return reason_place(reason), 0

    def _verdict(self, raw: bytes) -> Verdict:
        """The judge's word, remembered for this take."""
        known = self._verdicts.get(raw)
        if known is None:
            self.one_at_a_time += 1
            known = self._verdicts[raw] = self._judge.judge(raw, "", 0, 0)
        return known

    def forget(self) -> None:
        """A take is over."""
        self._verdicts.clear()


def _wholes(values: Values, tampering: bool) -> list[int]:
    out = [NONE] * WHOLES
    for column, value in ((UNITS, values.units), (SET_DATE_UNITS, values.set_date_units)):
        if value is not None:
            out[column] = value
    if values.set_date is not None:
        out[SET_DAY] = values.set_date.toordinal() - date(1970, 1, 1).toordinal()
    if values.meter_time is not None:
        out[MINUTE] = (values.meter_time - _EPOCH) // timedelta(minutes=1)
    out[TAMPER] = int(tampering)
    return out


# --- loops --------------------------------------------------------------------------------------------------------


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _unpack(
    data: Any, offset: Any, row: Any, wires: Any, all_keys: Any, payload_at: Any, header: Any, bare: Any, payload: Any,
    keys: Any, iv: Any, address: Any, acc: Any, status: Any,
) -> None:  # fmt: skip
    """What opening wants of each telegram. `header`: where the transport header ends; `bare`: it is a CI alone."""
    for at in range(len(offset)):
        low, meter = offset[at], row[at]
        for byte in range(payload.shape[1]):
            payload[at, byte] = data[low + payload_at + byte]
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


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _covered(data: Any, offset: Any, place: Any, covered: Any, size: Any, macs: Any, counter: Any) -> None:
    """What the MAC covers (MCL, MCR, and from the transport layer on), the MAC, and the counter. The AFL of profile B
    ends at `place`."""
    for at in range(len(offset)):
        end = offset[at] + place
        counter[at] = 0
        for byte in range(5):
            covered[at, byte] = data[end - 13 + byte]
        for byte in range(4):
            counter[at] |= np.int64(data[end - 12 + byte]) << (8 * byte)
        for byte in range(8):
            macs[at, byte] = data[end - 8 + byte]
        for byte in range(5, size):
            covered[at, byte] = data[end + byte - 5]


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _equal(wanted: Any, macs: Any) -> Any:
    out = np.empty(len(macs), dtype=np.bool_)
    for at in range(len(macs)):
        differs = np.uint8(0)
        for byte in range(8):
            differs |= wanted[at, byte] ^ macs[at, byte]
        out[at] = differs == 0
    return out


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _settle(
    at: Any, read: Any, good: Any, wholes: Any, reals: Any, acc: Any, counter: Any, status: Any, security: Any,
    out_wholes: Any, out_reals: Any, out_acc: Any, out_counter: Any, out_status: Any, out_security: Any,
) -> None:  # fmt: skip
    """What was read, into the places it belongs to; `read` loses what tells no consumption or has a wrong MAC."""
    for one in range(len(at)):
        tells = wholes[one, UNITS] != NONE or not (np.isnan(reals[one, 0]) and np.isnan(reals[one, 1]))
        if not (read[one] and good[one] and tells):
            read[one] = False
            continue
        to = at[one]
        for column in range(WHOLES):
            out_wholes[to, column] = wholes[one, column]
        if status[one] & STS_PERMANENT_ERROR:
            out_wholes[to, TAMPER] = 1
        for column in range(REALS):
            out_reals[to, column] = reals[one, column]
        out_acc[to], out_counter[to], out_status[to] = acc[one], counter[one], status[one]
        out_security[to] = security


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _shapes(
    data: Any, offset: Any, length: Any, number: Any, places: Any, agreed: Any, keyed: Any, mark: Any, row: Any,
    mode: Any, place: Any,
) -> None:  # fmt: skip
    base, last = np.int64(data.ctypes.data), np.int64(0)
    for at in range(len(offset)):
        low, size = offset[at], length[at]
        sum_, word = np.uint64(size), np.uint64(0)
        whole = size & ~7
        for byte in range(0, whole, 8):
            sum_ = (sum_ ^ load_64(base + low + byte)) * _MIX
            sum_ ^= sum_ >> _32
        for byte in range(whole, size):
            word = word << np.uint64(8) | np.uint64(data[low + byte])
        mark[at] = mixed(sum_ ^ word)
        row[at], mode[at], place[at] = -1, _OTHER, 0
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


@njit(cache=True, error_model="numpy", inline="always")  # type: ignore[untyped-decorator]
def _number(data: Any, maker: Any, id_: Any, version: Any) -> Any:
    value = np.uint64(data[maker + 1]) << np.uint64(56) | np.uint64(data[maker]) << np.uint64(48)
    for byte in range(4):
        value |= np.uint64(data[id_ + byte]) << np.uint64(16 + 8 * byte)
    return value | np.uint64(data[version]) << np.uint64(8) | np.uint64(data[version + 1])
