"""An electricity meter on the wired bus: two tariff registers, feed-in, grid values, and a load profile of its own.

It measures at whole multiples of its period, keeps that row before it says it, and pushes the newest as soon as its
gateway has a session. Asked for a list or for rows it answers. It speaks to the gateway whose certificate it has, over
TLS; `plain` lets it speak without, which is the weakness. A meter without a key of its own takes one under its maker's
key, and that key then serves for no second purpose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sim.meters.physics.household_power import Household
from sim.pki.authority import Pair, PkiError
from sim.pki.link_certificates import LinkEnd, of_parts
from sim.smart_metering.lmn.tls_channel import LinkRefused, TlsChannel, context
from sim.smgw.hdlc import Frame
from sim.smgw.lmn import exchange, first_key
from sim.smgw.lmn.bus import ADDRESSING, FIRST_KEY, SML, TLS, BusMeter, meant
from sim.smgw.lmn.bus_link import POLL, Secondary
from sim.smgw.lmn.exchange import Entry, Values
from sim.smgw.lmn.sml_stream import FileSplitter
from sim.smgw.obis_codes import of_text
from sim.smgw.refusals import BadFrame

WH, W, V, A, HZ, DEGREES = 30, 27, 35, 33, 44, 8
"""Units as DLMS numbers them."""
DRAWN, HIGH, LOW, FED_IN = (of_text(f"1-0:{code}*255") for code in ("1.8.0", "1.8.1", "1.8.2", "2.8.0"))
POWER: Final = of_text("1-0:16.7.0*255")
FREQUENCY: Final = of_text("1-0:14.7.0*255")
VOLTAGES, CURRENTS = (tuple(of_text(f"1-0:{c + 20 * n}.7.0*255") for n in range(3)) for c in (32, 31))
ANGLES: Final = tuple(of_text(f"1-0:81.7.{e}*255") for e in (4, 15, 26))
_TENTH_WH_MWH: Final = 100
NO_TIME_S: Final = -1


def server_of(number: int) -> bytes:
    """Ten bytes: length, electricity, maker WMB, block 00, a number of four bytes (as the meters of the captures)."""
    return bytes((0x0A, 0x01)) + b"WMB\x00" + number.to_bytes(4, "big")


def name_of(server: bytes) -> str:
    """As it stands on the meter: medium, maker, block, number."""
    return f"{server[1]}{server[2:5].decode('ascii', 'replace')}{server[5]:02X}{int.from_bytes(server[6:], 'big'):08d}"


class Profile(Protocol):
    """Where a meter keeps its rows. A row that was put is there after a power cut."""

    def put(self, row: Values) -> None: ...

    def rows(self, from_s: int, until_s: int, most: int) -> list[Values]:
        """Oldest first, both ends with them."""

    @property
    def last_s(self) -> int:
        """The newest row's instant; NO_TIME_S: there is none."""


@dataclass
class MeterKeys:
    """What a meter has: its own end with the gateway's certificate, or the maker's key with the counter that it took
    last. `folder`: where ssl finds its files. `keep`: called when it was given an end."""

    folder: Path
    end: LinkEnd | None = None
    gateway: bytes = b""
    makers: bytes = b""
    counter: int = 0
    keep: Callable[[MeterKeys], None] = lambda _: None


class WiredMeter:
    """Hand frames to `take`; call `measure` whenever time has passed. `draw(n)`: a number below n, for slots."""

    def __init__(
        self, server: bytes, house: Household, keys: MeterKeys, profile: Profile, draw: Callable[[int], int], *,
        period_s: int = 900, crc: str = "X25", plain: bool = False,
    ) -> None:  # fmt: skip
        self.server, self.house, self.keys, self.profile = server, house, keys, profile
        self.period_s, self.crc, self.plain = period_s, crc, plain
        self.bus = BusMeter(server, draw)
        self.refused: Counter[str] = Counter()
        """Reasons for which a session or a file was not taken."""
        self._number = 0
        self._now_s = 0
        self._pushed_s = NO_TIME_S
        self._own: Pair | None = None
        if keys.end is not None:
            self._own = keys.end.write(keys.folder, name_of(server))
        self._forget()

    def _forget(self) -> None:
        """Links, sessions, address: what a power cut takes."""
        self._links: dict[int, Secondary] = {}
        self._begun: dict[int, int] = {}
        self._tls: TlsChannel | None = None
        self._files = FileSplitter()
        self._first = bytearray()

    # --- measuring --------------------------------------------------------------------------------------------------

    def measure(self, now_s: int, since_s: int | None = None) -> None:
        """Rows of all instants since the last one, up to now. `since_s`: it had no power before."""
        self._now_s = now_s
        last_s = self.profile.last_s
        first_s = now_s if last_s == NO_TIME_S else last_s + self.period_s
        if since_s is not None:
            first_s = max(first_s, since_s)
        for at_s in range(-(-first_s // self.period_s) * self.period_s, now_s + 1, self.period_s):
            self.profile.put(self.row(at_s))

    def row(self, at_s: int) -> Values:
        """Registers at an instant."""
        counted = self.house.registers(at_s)
        amounts = (
            (DRAWN, counted.high + counted.low),
            (HIGH, counted.high),
            (LOW, counted.low),
            (FED_IN, counted.fed_in),
        )
        entries = tuple(Entry(code, mwh // _TENTH_WH_MWH, -1, WH) for code, mwh in amounts)
        return Values(at_s, 0, entries)

    def grid_values(self, at_s: int) -> Values:
        """Power, and what the grid is like."""
        grid = self.house.grid(at_s)
        entries = [Entry(POWER, self.house.power_w(at_s), 0, W)]
        entries += [Entry(code, value, -1, V) for code, value in zip(VOLTAGES, grid.voltages, strict=True)]
        entries += [Entry(code, value, -2, A) for code, value in zip(CURRENTS, grid.currents, strict=True)]
        entries += [Entry(code, value, 0, DEGREES) for code, value in zip(ANGLES, grid.angles, strict=True)]
        return Values(at_s, 0, (*entries, Entry(FREQUENCY, grid.frequency, -2, HZ)))

    # --- its side of the bus ----------------------------------------------------------------------------------------

    def take(self, read: Frame) -> tuple[int, Frame] | None:
        """Its answer and the slot of it (0 where there are none); None: it has nothing to say."""
        to = meant(read)
        if to is None:
            return None
        device, spoken = to
        if spoken == ADDRESSING:
            before = self.bus.device
            said = self.bus.take(read)
            if self.bus.device != before:
                self._forget()
            return said
        if device != self.bus.device or not read.control & POLL or not self._speaks(spoken):
            return None
        link = self._links.setdefault(spoken, Secondary(device, spoken))
        answer = link.answer(read)
        if self._begun.get(spoken) != link.begun:
            self._begun[spoken] = link.begun
            self._begin(spoken)
        if answer is not None:
            return 0, answer
        self._look(spoken, link)
        return 0, link.poll()

    def _speaks(self, spoken: int) -> bool:
        if spoken == TLS:
            return self._own is not None
        return (spoken == SML and self.plain) or (spoken == FIRST_KEY and self._own is None and bool(self.keys.makers))

    def _begin(self, spoken: int) -> None:
        """What is above a link that was begun anew begins anew."""
        self._files = FileSplitter()
        self._pushed_s = NO_TIME_S
        self._first.clear()
        self._tls = None
        if spoken == TLS and self._own is not None:
            made = context(self._own, self.keys.gateway, server=True)
            self._tls = TlsChannel(made, self.keys.gateway, server=True, now_s=self._now_s)

    def _look(self, spoken: int, link: Secondary) -> None:
        came = link.take()
        if spoken == FIRST_KEY:
            link.say(self._take_key(came))
        elif spoken == SML:
            link.say(self._answers(came) + self._push())
        elif self._tls is not None:
            self._look_tls(link, came)

    def _look_tls(self, link: Secondary, came: bytes) -> None:
        tls = self._tls
        assert tls is not None
        try:
            said = tls.feed(came) if came else b""
            if tls.up:
                tls.say(self._answers(said) + self._push())
        except LinkRefused as error:
            self.refused[error.reason] += 1
            self._tls = None
        link.say(tls.out())

    def _push(self) -> bytes:
        """The newest row, once a session."""
        last_s = self.profile.last_s
        if last_s in (NO_TIME_S, self._pushed_s):
            return b""
        self._pushed_s = last_s
        (row,) = self.profile.rows(last_s, last_s, 1)
        return exchange.says_list(self.server, self._next(), exchange.REGISTERS, row, self.crc)

    def _answers(self, came: bytes) -> bytes:
        out = b""
        for one in self._files.feed(came):
            try:
                if isinstance(one, BadFrame):
                    raise one
                out += self._answer(exchange.heard_by_meter(one, self.server, self.crc))
            except BadFrame as error:
                self.refused[error.reason] += 1
        return out

    def _answer(self, asked: exchange.Asked) -> bytes:
        if asked.name == exchange.LOAD_PROFILE:
            rows = self.profile.rows(asked.from_s, asked.until_s, exchange.ROWS_MOST)
            return exchange.says_profile(self.server, self._next(), rows, self.period_s, self._now_s, self.crc)
        if asked.name == exchange.GRID:
            values = self.grid_values(self._now_s)
        elif asked.name == exchange.REGISTERS:
            values = self.row(self._now_s)
        else:
            raise BadFrame("sml-answer", f"there is no list {asked.name.hex()}")
        return exchange.says_list(self.server, self._next(), asked.name, values, self.crc)

    def _next(self) -> int:
        self._number += 1
        return self._number

    # --- its first key ----------------------------------------------------------------------------------------------

    def _take_key(self, came: bytes) -> bytes:
        self._first += came
        length = int.from_bytes(self._first[:2], "big")
        if len(self._first) < 2 + length or length == 0:
            return b""
        message = bytes(self._first[2 : 2 + length])
        self._first.clear()
        keys = self.keys
        try:
            counter, first = first_key.taken(keys.makers, keys.counter, self.server, message)
            keys.end = of_parts(first.private, first.certificate)
        except (BadFrame, PkiError) as error:
            self.refused[error.reason if isinstance(error, BadFrame) else "key-content"] += 1
            return b""
        keys.counter, keys.gateway = counter, first.gateway
        self._own = keys.end.write(keys.folder, name_of(self.server))
        confirmed = first_key.confirmed(keys.makers, counter, self.server, message)
        keys.makers = b""
        keys.keep(keys)
        return confirmed
