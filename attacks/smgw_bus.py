"""Two clips on the wires of a wired meter bus: read what meters say, and change it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.smart_metering.lmn.wired_meter import DRAWN
from sim.smgw.hdlc import Frame, decode
from sim.smgw.lmn.sml_stream import FileSplitter
from sim.smgw.obis_codes import of_bytes
from sim.smgw.refusals import BadFrame
from sim.smgw.sml_file import File, Message, entries, read
from sim.smgw.sml_octets import Node
from sim.truth.ground_truth import Truth
from sim.truth.wired_values import wrong_rows
from sim.truth.wrong_rows import altered

READS = "values read from the wired bus"
CHANGES = "values changed on the wired bus"
NO_SML, TLS = "no SML stands there", "tls"
MORE = 10_000
"""A kilowatt hour, in tenths of a watt hour."""
_NOT_OCTETS = 1
"""Bit 0 of the control byte: the frame carries no numbered octets."""


@attack(
    id="smgw.bus",
    title="Read and change what wired meters say, with two clips on the bus",
    threats=["L08"],
    can=Can.CLIP,
    ics=["T0830", "T0842", "T0856"],
    weakness={"system.wired_tls": False},
    seen_as="gateway: session refused",
    refused_as=(NO_SML, TLS),
)
@dataclass
class SmgwBus:
    """Every frame of one gateway's bus passes by. "values read": registers that stand in it as SML. "values changed":
    from `from_s` to `until_s` a kilowatt hour is added to each register that the meter says, with every checksum made
    anew; where it is no SML a bit is turned and the frame's checksum is made anew, so that no link notices. Control: a
    bus without TLS. Counted are changed values that the gateway stored."""

    gateway: int = 0
    from_s: float = 3_600.0
    until_s: float = 7_200.0
    values_read: int = 0
    carrying: int = 0
    changed: int = 0
    _files: dict[bytes, FileSplitter] = field(default_factory=lambda: defaultdict(FileSplitter))
    _reach: Reach | None = None

    def run(self, reach: Reach) -> Steps:
        reach.note("clip", "both wires of the bus")
        self._reach = reach
        reach.clip_bus(self.gateway, self._pass)
        yield reach.wait(0)

    def _pass(self, data: bytes) -> bytes:
        try:
            frame = decode(data)
        except BadFrame:
            return data
        if not frame.information or frame.control & _NOT_OCTETS:
            return data
        self.carrying += 1
        for one in self._files[frame.source].feed(frame.information):
            self.values_read += _values(one)
        assert self._reach is not None
        if self.from_s <= self._reach.now_ns / 1e9 < self.until_s and _from_meter(frame):
            self.changed += 1
            return replace(frame, information=_altered(frame.information)).encode()
        return data

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        wrong = altered(wrong_rows(truth.world))
        side = truth.world.gateways[self.gateway].wired  # type: ignore[attr-defined]  # a SmartGateway has one
        refused = ", ".join(sorted(name for name in side.bus.counts if name.startswith("refused: ")))
        read_why = f"{self.values_read} registers stand in clear" if self.values_read else f"TLS: {NO_SML}"
        why = f"{len(wrong)} wrong values stored: {wrong[0]}" if wrong else f"{refused or 'nothing refused'}"
        return [
            Outcome(READS, SECURITY, self.carrying, self.values_read, why=read_why,
                    evidence={"frames with octets": self.carrying, "registers read": self.values_read}),
            Outcome(CHANGES, SECURITY, self.changed, len(wrong), why=why,
                    evidence={"frames changed": self.changed, "wrong values stored": len(wrong)}),
        ]  # fmt: skip


def _from_meter(frame: Frame) -> bool:
    """Its source is no gateway."""
    return frame.source[0] >> 1 > 1


def _values(one: bytes | BadFrame) -> int:
    if isinstance(one, BadFrame):
        return 0
    try:
        return sum(isinstance(entry.items[5].value, int) for entry in entries(read(one)))
    except BadFrame:
        return 0


def _altered(information: bytes) -> bytes:
    try:
        file = read(information)
    except BadFrame:
        at = len(information) // 2
        return information[:at] + bytes((information[at] ^ 1,)) + information[at + 1 :]
    return File(tuple(map(_more, file.messages)), file.crc).encode()


def _more(message: Message) -> Message:
    """With a kilowatt hour more in each register of energy that was drawn."""
    return replace(message, head=tuple(map(_raised, message.head)))


def _raised(node: Node) -> Node:
    items = node.items
    if len(items) == 7 and _is_drawn(items[0]) and isinstance(items[5].value, int):
        return replace(node, value=(*items[:5], replace(items[5], value=items[5].value + MORE), items[6]))
    if len(items) == 5 and _is_drawn(items[0]) and isinstance(items[3].value, int):  # a row of a load profile
        return replace(node, value=(*items[:3], replace(items[3], value=items[3].value + MORE), items[4]))
    return replace(node, value=tuple(map(_raised, items))) if items else node


def _is_drawn(name: Node) -> bool:
    return isinstance(name.value, bytes) and len(name.value) == 6 and of_bytes(name.value) == DRAWN
