"""What a batch of telegrams says: whose, as agreed, authentic, readable.

Only what is wholly as agreed is opened here: a registered address, the pinned mode, the header that this mode has, all
blocks encrypted, the MAC of profile B where mode 7 was agreed, a payload whose layout is known. Everything else, be it
strange or forged, goes to the `opener` one at a time, and what that finds stands; so this file never says why it
refuses. A portal that looks up by id alone opens one telegram at a time altogether.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arrays import ciphers
from sim.core.clock import Calendar
from sim.core.vocabulary import SECURITIES
from sim.portal import frame_scan
from sim.portal.check import NONE
from sim.portal.frame_scan import Form, Found, Registered, Scanned, Unpacked
from sim.portal.interpret import Values
from sim.portal.meter_table import NO_ROW, MeterTable, number_of
from sim.portal.opener import Opened, Opener
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import Batch
from sim.portal.record_templates import MINUTE, REALS, SET_DATE_UNITS, SET_DAY, TAMPER, UNITS, WHOLES, Layouts
from sim.portal.verdicts import number
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.transport import CI_LONG, CI_NONE, CI_SHORT

I64 = NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a meter has no zone
_ROWS_AT_ONCE = 4_096
_SECURITY = {0: 0, 5: 1, 7: 2}  # places in `Opening.securities`
_HEADERS = {CI_LONG: 12, CI_SHORT: 4, CI_NONE: 0}


class Contents(NamedTuple):
    """Of n telegrams: `content` 0, or the refusal; `wholes` (n, WHOLES) and `reals` (n, REALS) as `record_templates`
    says, `acc`, `counter`, `status`; `shown_ns` the meter's time as world time; NONE where there is none. `security` by
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
    """Opens telegrams with the keys of a table; `opener` with those of the same meters."""

    def __init__(self, spec: PortalSpec, calendar: Calendar, table: MeterTable, opener: Opener) -> None:
        self.table = table
        self._whole_address = spec.whole_address
        self._opener = opener
        self._layouts = Layouts({})
        self._begin_ns = (calendar.start.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1) * 1_000
        self._opened_ones: dict[bytes, Opened] = {}
        self.securities: list[str] = list(SECURITIES)
        self.one_at_a_time = 0

    # --- whose ------------------------------------------------------------------------------------------------------

    def scan(self, batch: Batch) -> tuple[I64, I64, I64, I64]:
        """Of each reception: a mark of its bytes, its meter's row, its mode (-1: to be judged one at a time) and where
        its transport layer stands."""
        n = len(batch)
        mark, row, mode, place = (np.empty(n, dtype=np.int64) for _ in range(4))
        table = self.table
        frame_scan.scan(
            batch.data, batch.offset, batch.length, Registered(table.number, table.places, table.mode, table.keyed),
            Scanned(mark.view(np.uint64), row, mode, place),
        )  # fmt: skip
        if not self._whole_address:
            mode[:] = frame_scan.OTHER
        return mark, row, mode, place

    # --- what -------------------------------------------------------------------------------------------------------

    def open(self, batch: Batch, shown: I64, row: I64, mode: I64, place: I64) -> Contents:
        """The contents of the telegrams that receptions `shown` hold; `row`, `mode` and `place` as `scan` says, one
        for each reception. Those judged one at a time change `row` and `mode` no more."""
        n = len(shown)
        acc, counter, status, shown_ns, security = np.empty((5, n), dtype=np.int64)
        out = Contents(
            np.zeros(n, dtype=np.int64), np.empty((n, WHOLES), dtype=np.int64), np.empty((n, REALS)), acc, counter,
            status, shown_ns, security,
        )
        done = np.zeros(n, dtype=np.bool_)
        its_mode, its_place, its_length = mode[shown], place[shown], batch.length[shown]
        kinds = (its_mode << 32) + (its_place << 16) + its_length
        for kind in _distinct(kinds):
            if kind < 0:
                continue
            same = np.flatnonzero(kinds == kind)
            for low in range(0, len(same), _ROWS_AT_ONCE):
                at = same[low : low + _ROWS_AT_ONCE]
                those = shown[at]
                done[at] = self._opened(batch, those, row[those], kind >> 32, kind >> 16 & 0xFFFF, at, out)
        for one in np.flatnonzero(~done).tolist():
            self._one(batch[int(shown[one])], one, out)
        return out

    def _opened(
        self, batch: Batch, reception: I64, row: I64, mode: int, place: int, at: I64, out: Contents
    ) -> NDArray[np.bool_]:
        """Telegrams of one mode, length and place of the transport layer; those that could be read."""
        n, table, size = len(reception), self.table, int(batch.length[reception[0]])
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
        frame_scan.unpack(
            batch.data, offset, row, table.wire, table.keys, Form(payload_at, header, bool(ci[0] == CI_NONE)),
            Unpacked(payload, keys, iv, address, acc, status),
        )  # fmt: skip
        good, counter = np.ones(n, dtype=np.bool_), np.full(n, NONE, dtype=np.int64)
        if mode == 5:
            ciphers.decrypt_cbc(keys, iv, payload)
        elif mode == 7:
            covered_bytes = 5 + size - place
            covered = np.zeros((n, (covered_bytes + 15) // 16 * 16), dtype=np.uint8)
            macs = np.empty((n, 8), dtype=np.uint8)
            frame_scan.covered(batch.data, offset, place, covered, covered_bytes, macs, counter)
            kenc, kmac = ciphers.derive_pair(keys, counter.astype(np.uint32), address)
            wanted = ciphers.cmac_padded(kmac, covered, covered_bytes)
            good = frame_scan.equal(wanted, macs)
            ciphers.decrypt_cbc(kenc, None, payload)
        wholes, reals = np.full((n, WHOLES), NONE, dtype=np.int64), np.full((n, REALS), np.nan)
        wholes[:, TAMPER] = 0
        read = self._layouts.read(payload, mode != 0, wholes, reals)
        found = Found(wholes, reals, acc, counter, status, _SECURITY[mode])
        frame_scan.settle(at, read, good, found, self._begin_ns, out)
        return read

    # --- one at a time ----------------------------------------------------------------------------------------------

    def one(self, raw: bytes) -> Opened:
        """One telegram, by the opener, remembered for this take."""
        known = self._opened_ones.get(raw)
        if known is None:
            self.one_at_a_time += 1
            known = self._opened_ones[raw] = self._opener.open(raw)
        return known

    def again(self, raw: bytes) -> Opened:
        """The same for one that may have been opened in bulk, where words are wanted."""
        return self._opened_ones.get(raw) or self._opener.open(raw)

    def _one(self, raw: bytes, at: int, out: Contents) -> None:
        opened = self.one(raw)
        if opened.reason is not None:
            out.content[at] = number(opened.reason)
            out.wholes[at], out.reals[at], out.acc[at], out.counter[at] = NONE, np.nan, NONE, NONE
            out.wholes[at, TAMPER] = out.status[at] = out.security[at] = 0
            out.shown_ns[at] = NONE
            return
        values, telegram = opened.values, opened.telegram
        assert values is not None and telegram is not None
        out.wholes[at] = _wholes(values, opened.tampering is not None)
        out.reals[at] = [np.nan if one is None else one for one in (values.volume_m3, values.energy_kwh)]
        out.acc[at] = NONE if telegram.acc is None else telegram.acc
        out.counter[at] = NONE if opened.counter is None else opened.counter
        out.status[at] = telegram.sts or 0
        out.shown_ns[at] = NONE if opened.shown_ns is None else opened.shown_ns
        if telegram.security not in self.securities:
            self.securities.append(telegram.security)
        out.security[at] = self.securities.index(telegram.security)

    def row_of(self, raw: bytes) -> int:
        """The row of the meter as which a telegram is judged, NO_ROW when it is of no registered one."""
        entry = self.one(raw).entry
        return NO_ROW if entry is None else self.table.row(entry.address)

    def stranger(self, raw: bytes) -> tuple[int, int]:
        """Why a telegram of no registered meter is refused, and the number of the address it shows, 0 when it shows
        none."""
        reason = self.one(raw).reason
        assert reason is not None
        try:
            return number(reason), number_of(parse(raw).address_wire)
        except BadTelegram:
            return number(reason), 0

    def forget(self) -> None:
        """A take is over."""
        self._opened_ones.clear()


def _distinct(kinds: I64) -> list[int]:
    """Mostly it is one."""
    if len(kinds) and (kinds == kinds[0]).all():
        return [int(kinds[0])]
    out: list[int] = np.unique(kinds).tolist()
    return out


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
