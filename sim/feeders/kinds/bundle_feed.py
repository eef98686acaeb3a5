"""Telegrams as a gateway of ours sends them: one bundle each (sim.core.bundle), on a line of sim.feeders.lines. For a
portal that takes bundles and not what a receiver prints."""

from __future__ import annotations

from dataclasses import dataclass

from sim.core.bundle import Bundle, Heard
from sim.core.clock import wall_ns
from sim.core.settings import one_of
from sim.feeders.handed import Handed
from sim.feeders.lines.port import LINES, LineError, LineSpec
from sim.feeders.port import FeederError, FeederKind, FeederSpec, FeedGround, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFeedSpec(FeederSpec):
    """`gateway`: in whose name. `ends_line`: a line break behind each, for a line that has no messages of its own."""

    kind: str = "bundle_feed"
    gateway: str = "wmbench-1"
    ends_line: bool = True
    line: LineSpec = one_of(LINES.specs, default="stdin")


class BundleFeeder:
    """See port.Feeder. Sequence numbers begin at 1; a frame whose CRCs did not fit is passed on by no gateway."""

    def __init__(self, spec: BundleFeedSpec, ground: FeedGround) -> None:
        self.handed = Handed()
        self._spec = spec
        self._line = LINES.find(spec.line.kind).open(spec.line, ground.directory)
        self._sequence = 0

    @property
    def place(self) -> str:
        return self._line.place

    @property
    def problem(self) -> str | None:
        return self._line.problem

    @property
    def broken(self) -> str:
        return str(self._line.broken)

    def start(self) -> None:
        try:
            self._line.open(lambda _: b"")
        except LineError as error:
            raise FeederError(str(error)) from None

    def attach(self, standard_input: int) -> None:
        self._line.attach(standard_input)

    def feed(self, sent: Sent) -> bool:
        if not sent.crc_ok:
            return False
        self._sequence += 1
        heard = Heard(sent.frame, sent.ended_ns, sent.rssi_dbm)
        body = Bundle(self._spec.gateway, self._sequence, wall_ns(), (heard,)).encode()
        body += b"\n" * self._spec.ends_line
        taken = self._line.send(body)
        if not taken:
            self.handed.lost += 1
            return False
        self.handed.cut += taken < len(body)
        self.handed.late_ns.append(wall_ns() - sent.ended_ns)
        self.handed.line_ns.append(0)
        return True

    def stop(self) -> None:
        self._line.close()


KIND = FeederKind("bundle_feed", "Bundles of one telegram, as our gateways send them", BundleFeedSpec, BundleFeeder)
