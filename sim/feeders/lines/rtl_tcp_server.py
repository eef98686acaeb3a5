"""A stick behind the network, as rtl_tcp serves it: any program of software radio dials. One at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sim.core.settings import number
from sim.feeders.lines.port import LineKind
from sim.feeders.lines.tcp import TcpLine, TcpSpec
from wmbus.phy.rtl_tcp import GREETING


@dataclass(frozen=True, slots=True)
class RtlTcpSpec(TcpSpec):
    """Where we listen: the loopback, unless the inventory says otherwise. `port` 0: a free one."""

    kind: str = "rtl_tcp"
    port: int = number(1_234, low=0, high=65_535)


LINE = LineKind("rtl_tcp", "rtl_tcp server, for IQ alone", RtlTcpSpec, lambda spec, *_: TcpLine(spec, GREETING))
