"""What a row is: one promise of a gateway, tried on a gateway at work.

    def _play(stand: Stand) -> str:
        fed = stand.feed_all(stand.traffic.several(200))
        stand.await_all(fed)
        stand.refuse_loss(fed)
        return f"{len(fed)} telegrams came once each"

    ROW = Row("once", "Each telegram arrives once and unchanged", _play)

`play` returns a sentence when the promise holds, raises Failed when it does not, and Undecided when that cannot be
told. `needs` says why the row does not apply to an entry ("" when it does): what a gateway does not claim is not held
against it. The stand has shown before that telegrams pass at all, so silence afterwards is the gateway's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.row_suite import Failed as Failed
from bench.row_suite import Undecided as Undecided
from sim.core.parts import Folder
from sim.desk.inventory import GatewayEntry
from sim.feeders.kinds.codec import CodecSpec
from sim.lines.codecs.port import CODECS, Codec

if TYPE_CHECKING:
    from bench.desk.stand import Stand

Needs = Callable[[GatewayEntry], str]


def _always(_: GatewayEntry) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Row:
    """`waits`: it takes the minutes of an outage, so it is begun first. `faults`: the numbers of the faults seen in the
    field that it looks for, as docs/models/contract.md lists them."""

    id: str
    title: str
    play: Callable[[Stand], str]
    needs: Needs = _always
    waits: bool = False
    faults: tuple[int, ...] = ()
    meters: int = 20


ROWS: Folder[Row] = Folder("bench.desk.rows", "ROW", "row of the contract suite", Row)


# --- what rows need ----------------------------------------------------------------------------------------------


def all_of(*needs: Needs) -> Needs:
    """The first reason that one of them has."""
    return lambda entry: next((why for need in needs if (why := need(entry))), "")


def broker(entry: GatewayEntry) -> str:
    return "" if entry.listen.broker else "it delivers without a broker"


def tls(entry: GatewayEntry) -> str:
    return broker(entry) or ("" if entry.listen.tls else "its broker speaks in clear (listen.tls = false)")


def keeps_through_an_outage(entry: GatewayEntry) -> str:
    return broker(entry) or ("" if entry.claims.buffer != "none" else "it claims no buffer (claims.buffer)")


def an_order(entry: GatewayEntry) -> str:
    return "" if entry.claims.order != "none" else "it claims no order (claims.order)"


def forwards(entry: GatewayEntry) -> str:
    return "" if entry.claims.forwards == "encrypted" else 'it decodes (claims.forwards = "decoded")'


def decodes(entry: GatewayEntry) -> str:
    return "" if entry.claims.forwards == "decoded" else 'it does not decode (claims.forwards = "encrypted")'


def codec(entry: GatewayEntry) -> Codec | None:
    """The format of its first feeder; None where it is fed with samples."""
    spec = entry.feed[0]
    return CODECS.find(spec.format) if isinstance(spec, CodecSpec) else None


def every_telegram(entry: GatewayEntry) -> str:
    return "it thins (claims.thinning_s)" if entry.claims.thinning_s else ""


def power(entry: GatewayEntry) -> str:
    able = entry.run.command or entry.power.cut
    return "" if able else "nothing here can cut its power (power.cut, power.on)"


def a_line_of_bytes(entry: GatewayEntry) -> str:
    return "" if codec(entry) is not None else "it is fed by radio samples, which have no lines"


def a_dongle(entry: GatewayEntry) -> str:
    found = codec(entry)
    return "" if found is not None and found.dongle is not None else "it is fed by no dongle"
