"""Lines of smart meter gateways that say more than they should, and a tap that does not listen."""

from __future__ import annotations

from typing import Any

from tests.referee.defect import GATEWAYS, SILENT, Patch, defect
from tests.referee.defects import plays

UNTOLD = "Lines that always say as much tell nothing."


@defect("alarms-unpadded", GATEWAYS, UNTOLD, plays.WIRE_TAP)
def _(patch: Patch) -> None:
    """Padding leaves out one kind of message: an alarm goes in a cell as long as it is."""

    def instead(original: Any, message: bytes, cell_bytes: int) -> Any:
        return original(message, 0 if b".sm/alarms " in message[:200] else cell_bytes)

    patch.around("sim.smart_metering.wan.talk:encode", instead)
    _take_any_size(patch)


@defect("dummies-stop-when-something-is-said", GATEWAYS, UNTOLD, plays.WIRE_TAP)
def _(patch: Patch) -> None:
    """A gateway that has said something ends its time, and sends none of the dummies that were left."""

    def instead(original: Any, asking: Any, count: int, due: Any, carry: Any) -> None:
        for _ in range(count):
            said = asking.message_bytes
            original(asking, 1, due, carry)
            if asking.message_bytes != said and not asking.waits:
                return

    patch.around("sim.smart_metering.wan.talk:Asking.strike", instead)


@defect("alarms-do-not-wait-for-their-time", GATEWAYS, UNTOLD, plays.WIRE_TAP)
def _(patch: Patch) -> None:
    """What a housing noticed is said when it is noticed, beside the times at which a line speaks."""

    def instead(original: Any, line: Any, now_ns: int) -> None:
        original(line, now_ns)
        errand = line._ends.due()
        if line._pace.cells and errand is not None and errand.question.path.endswith("/alarms"):
            line.strike(now_ns)

    patch.around("sim.smart_metering.wan.world_line:WorldLine.look", instead)


@defect("tap-hears-nothing", SILENT, UNTOLD, plays.WIRE_TAP)
def _(patch: Patch) -> None:
    """The attack says that it taps lines, and listens to none: the control must say so."""
    patch.around("attacks.reach_smgw:LineTap.tap_lines", lambda original, reach, watch: None)


@defect("tap-learns-nothing", SILENT, UNTOLD, plays.WIRE_TAP)
def _(patch: Patch) -> None:
    """The classifier weighs nothing, so nobody's line tells: the control must say so."""
    patch.around("attacks.smgw_wire:learned", lambda original, rows: dict.fromkeys(original(rows), 0.0))


def _take_any_size(patch: Patch) -> None:
    def instead(original: Any, joiner: Any, cell: bytes) -> Any:
        joiner._cell_bytes = 0
        return original(joiner, cell)

    patch.around("sim.smgw.cells:Joiner.take", instead)
