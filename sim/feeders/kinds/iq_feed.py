"""Frames as IQ: for a software radio that takes samples from a file, a pipe, or over rtl_tcp.

The receiver decides for itself what it hears: every frame that is fed is on the air at its level, and two that overlap
on the air overlap in the samples. Since a frame is known when it has ended, everything is `delay_s` later than on the
air; that is the line's own time, and lateness counts on top of it. What a program asks of the stick (frequency, rate,
gain) is done or refused in a sentence (`problem`); a rate that an RTL2832U does not have is refused.

This bench never transmits. Where its samples are sent by somebody's transmitter, see docs/models/iq.md.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from sim.core.clock import NS_PER_S, ns, wall_ns
from sim.core.seeds import Seeds
from sim.core.settings import number, one_of
from sim.feeders.handed import Handed, Torn
from sim.feeders.iq_signal import Jammer, Signal, radio_mode
from sim.feeders.lines.named_pipe import PathSpec
from sim.feeders.lines.port import LINES, LineError, LineSpec
from sim.feeders.lines.rtl_tcp_server import RtlTcpSpec
from sim.feeders.port import FeederError, FeederKind, FeederSpec, FeedGround, Sent
from wmbus.errors import CannotEncode
from wmbus.phy.iq import SampleFormat, to_bytes
from wmbus.phy.rtl_tcp import GAINS_CDB, RATES_HZ, Command, Commands, Said, rate_is_possible

BLOCK_S: Final = 0.005
_BEHIND_S: Final = 0.5
"""Who is so late (a machine that slept) leaves out what was due meanwhile."""


@dataclass(frozen=True, slots=True)
class IqSpec(FeederSpec):
    """`line`: what the samples go over; over rtl_tcp the program says rate and frequency itself, and samples are cu8.
    `spread_hz`: how far the crystals of meters are off, at most. `jammer_dbm`: a carrier of that level at the receiver,
    on for `jammer_on_s`, off for `jammer_off_s`."""

    kind: str = "iq"
    line: LineSpec = one_of(LINES.specs, default="rtl_tcp")
    sample_format: SampleFormat = "cu8"
    rate_hz: int = number(1_600_000, low=225_001, high=20_000_000)
    centre_hz: int = number(868_950_000, low=1_000_000, high=4_000_000_000)
    delay_s: float = number(0.2, low=0.02, high=10.0)
    full_scale_dbm: float = number(-60.0, low=-160.0, high=30.0)
    noise_figure_db: float = number(6.0, low=0.0, high=60.0)
    spread_hz: int = number(5_000, low=0, high=100_000)
    jammer_dbm: float | None = number(None, low=-160.0, high=30.0)
    jammer_hz: int = number(868_963_000, low=1_000_000, high=4_000_000_000)
    jammer_on_s: float = number(0.5, low=0.001, high=3_600.0)
    jammer_off_s: float = number(0.5, low=0.0, high=3_600.0)
    seed: int = number(1, low=0, high=(1 << 64) - 1)


@dataclass(slots=True)
class _OnAir:
    """A frame among the samples `begin` to `end`. `begin_ns`: when it was to begin, wall ns. `sent`: its first sample
    went out in time; `torn`: a sample did not."""

    begin: int
    end: int
    begin_ns: int
    frame: bytes
    ended_ns: int
    sent: bool = False
    torn: bool = False


class IqFeeder:
    """See port.Feeder. A block that nobody took, or that was left out since it was due long ago, is a hole in the
    samples: each frame in it is told of, with the reason (`handed.torn`)."""

    def __init__(self, spec: IqSpec, ground: FeedGround) -> None:
        self.handed = Handed()
        self._spec = spec
        self._line = LINES.find(spec.line.kind).open(spec.line, ground.directory)
        jammer = None if spec.jammer_dbm is None else Jammer(
            spec.jammer_dbm, spec.jammer_hz, spec.jammer_on_s, spec.jammer_off_s
        )  # fmt: skip
        self.signal = Signal(
            spec.rate_hz, spec.centre_hz, full_scale_dbm=spec.full_scale_dbm, noise_figure_db=spec.noise_figure_db,
            spread_hz=spec.spread_hz, jammer=jammer, seeds=Seeds(spec.seed),
        )  # fmt: skip
        self._tuned_hz, self._ppm = float(spec.centre_hz), 0
        self._commands = Commands()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._from_ns, self._from = 0, 0  # sample `_from` is due at `_from_ns`
        self._on_air: list[_OnAir] = []  # frames of which not every sample was due yet
        self._taken = True  # the last block was
        self._is_whole = isinstance(spec.line, PathSpec) and spec.line.is_a == "file"  # nobody reads it by the clock
        self._why_not = self._refused = ""

    # --- the port -------------------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        return self._line.place

    @property
    def problem(self) -> str | None:
        return self._line.problem or self._refused or self._why_not or None

    @property
    def broken(self) -> str:
        return str(self._line.broken)

    def start(self) -> None:
        spec = self._spec
        if isinstance(spec.line, RtlTcpSpec):
            if spec.sample_format != "cu8":
                raise FeederError(f"rtl_tcp speaks cu8 and not {spec.sample_format}; take another line, or cu8")
            if not rate_is_possible(spec.rate_hz):
                raise FeederError(f"rate_hz {spec.rate_hz}: {_RATES}")
        try:
            self._line.open(self._answer)
        except LineError as error:
            raise FeederError(str(error)) from None
        self._from_ns = wall_ns()
        self._thread = threading.Thread(target=self._play, name="iq feeder", daemon=True)
        self._thread.start()

    def attach(self, standard_input: int) -> None:
        self._line.attach(standard_input)

    def feed(self, sent: Sent) -> bool:
        if self._thread is None:
            return False
        mode = radio_mode(sent.mode, sent.format)
        with self._lock:
            try:
                begin_ns = sent.ended_ns - ns(self.signal.duration_s(sent.frame, mode)) + ns(self._spec.delay_s)
                at = self._from + (begin_ns - self._from_ns) * self.signal.rate_hz // NS_PER_S
                begin = self.signal.send(sent.frame, mode, sent.rssi_dbm, at, crc_ok=sent.crc_ok)
                end = begin + round(self.signal.duration_s(sent.frame, mode) * self.signal.rate_hz)
            except CannotEncode as error:
                self._why_not = f"this frame cannot be sent as IQ: {error}"
                self.handed.lost += 1
                return False
            self._on_air.append(_OnAir(begin, end, begin_ns, sent.frame, sent.ended_ns))
        self._why_not = ""
        return True

    def stop(self) -> None:
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self._line.close()

    # --- samples --------------------------------------------------------------------------------------------------

    def _play(self) -> None:
        """A block goes out when its first sample is due, block after block."""
        while not self._stop.is_set():
            with self._lock:
                late_ns = wall_ns() - self._due_ns()
                if late_ns > ns(_BEHIND_S) and not self._is_whole:
                    first = self.signal.stream.position
                    self.signal.stream.skip(late_ns * self.signal.rate_hz // NS_PER_S)
                    self._tear(first, f"the samples were {late_ns / NS_PER_S:.2f} s late and were left out", late=True)
                first = self.signal.stream.position
                data = self._block() if late_ns >= 0 else b""
            if late_ns < 0:
                self._stop.wait(-late_ns / NS_PER_S)
                continue
            self._taken = bool(data) and self._line.send(data) > 0
            now_ns = wall_ns()
            with self._lock:
                if not self._taken:
                    self._tear(first, f"nobody took the samples: {self._line.problem or 'the line is full'}")
                self._sent(now_ns)

    def _due_ns(self) -> int:
        return self._from_ns + (self.signal.stream.position - self._from) * NS_PER_S // self.signal.rate_hz

    def _block(self) -> bytes:
        """The next block, empty while nobody takes any."""
        count = round(BLOCK_S * self.signal.rate_hz)
        if self._taken or self._line.problem is None:
            return to_bytes(self.signal.take(count), self._spec.sample_format)
        self.signal.stream.skip(count)
        return b""

    def _tear(self, first: int, why: str, *, late: bool = False) -> None:
        """Samples `first` to the present position reached nobody."""
        until = self.signal.stream.position
        for one in self._on_air:
            if not one.torn and one.begin < until and one.end > first:
                one.torn = True
                self.handed.tear(Torn(one.frame, one.ended_ns, why, late), begun=one.begin < first)

    def _sent(self, now_ns: int) -> None:
        """What began before the present position has begun; what ended before it is over."""
        position = self.signal.stream.position
        for one in self._on_air:
            if one.begin < position and not one.sent and not one.torn:
                one.sent = True
                self.handed.late_ns.append(max(0, now_ns - one.begin_ns))
                self.handed.line_ns.append(ns(self._spec.delay_s))
        self._on_air = [one for one in self._on_air if one.end > position]

    # --- what the program says ------------------------------------------------------------------------------------

    def _answer(self, came: bytes) -> bytes:
        if isinstance(self._spec.line, RtlTcpSpec):
            with self._lock:
                for said in self._commands.feed(came):
                    self._obey(said)
        return b""

    def _obey(self, said: Said) -> None:
        """What a stick without these would leave out (AGC, IF gain, crystals, bias tee) is left out here, too."""
        signal, number_, value = self.signal, said.number, said.argument
        if number_ == Command.FREQUENCY:
            self._tuned_hz = float(value)
            self._retune(centre_hz=self._tuned_hz * (1 + self._ppm * 1e-6))
        elif number_ == Command.PPM:
            self._ppm = said.signed
            self._retune(centre_hz=self._tuned_hz * (1 + self._ppm * 1e-6))
        elif number_ == Command.SAMPLE_RATE:
            if rate_is_possible(value):
                self._refused = ""
                self._retune(rate_hz=value)
            else:
                self._refused = f"the program asked for {value} samples/s: {_RATES}; it still gets {signal.rate_hz}"
        elif number_ == Command.GAIN_MODE and value == 0:
            signal.auto_gain()
        elif number_ == Command.GAIN:
            signal.gain_db = said.signed / 10
        elif number_ == Command.GAIN_BY_INDEX:
            signal.gain_db = GAINS_CDB[min(value, len(GAINS_CDB) - 1)] / 100
        elif number_ == Command.TEST_MODE and value:
            self._refused = "the program asked for the stick's test pattern; it gets samples"

    def _retune(self, *, rate_hz: int | None = None, centre_hz: float | None = None) -> None:
        signal = self.signal
        same_rate = rate_hz is None or rate_hz == signal.rate_hz
        if same_rate and (centre_hz is None or centre_hz == signal.centre_hz):
            return
        self._from_ns, self._from = self._due_ns(), signal.stream.position
        signal.tune(rate_hz=rate_hz, centre_hz=centre_hz)
        for one in self._on_air:
            if not one.torn:
                self.handed.tear(Torn(one.frame, one.ended_ns, _RETUNED), begun=one.sent)
        self._on_air.clear()


_RETUNED: Final = "the program tuned to another frequency or rate"
_RATES: Final = "an RTL2832U has " + " or ".join(f"{low} to {high}" for low, high in RATES_HZ) + " samples/s"


KIND = FeederKind("iq", "IQ samples: rtl_tcp, a pipe or a file", IqSpec, IqFeeder)
