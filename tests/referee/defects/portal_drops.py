"""The portal refuses or drops what it must take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sim.core.clock import NS_PER_HOUR, NS_PER_S
from sim.core.events import TelegramRefused
from sim.portal.store_port import Reading, Refusal
from tests.referee.defect import DROPS, Patch, defect
from tests.referee.defects import plays

WRITTEN = "sim.portal.portal:written"
GENUINE = "Genuine telegrams become readings, attack or not."


def without(out: Any, unwanted: Callable[[Reading], bool], telegrams: dict[str, bytes], reason: str = "") -> Any:
    """Rows of a take without the unwanted readings; with a reason these are refusals, else they leave no trace."""
    kept = [place for place, row in enumerate(out.readings) if not unwanted(row)]
    gone = [row for row in out.readings if unwanted(row)]
    accepted = out.accepted.only(kept)
    refusals, events = list(out.refusals), list(out.events)
    for row in gone if reason else ():
        refusals.append(
            Refusal(row.meter, row.gateway, row.received_ns, row.stored_ns, reason, "", row.fingerprint,
                    telegrams[row.fingerprint], row.rssi_dbm)
        )  # fmt: skip
        events.append(TelegramRefused(row.stored_ns, row.meter, row.gateway, reason, row.fingerprint))
    readings = [out.readings[place] for place in kept]
    return out._replace(readings=readings, refusals=refusals, accepted=accepted, events=events)


def filtered(patch: Patch, unwanted: Callable[[Any, Reading], bool], reason: str = "") -> None:
    """`unwanted(intake, row)`."""

    def instead(original: Any, intake: Any, entries: Any, heard: Any, marks: Sequence[str], taken: Any) -> Any:
        out = original(intake, entries, heard, marks, taken)
        telegrams = dict(zip(marks, heard.telegrams, strict=True))
        return without(out, lambda row: unwanted(intake, row), telegrams, reason)

    patch.around(WRITTEN, instead)


def _is_on(intake: Any, check: str) -> bool:
    fresh = intake.freshness
    return bool(fresh.on & 1 << list(fresh.checks).index(check))


@defect("refuses-all-while-bound", DROPS, GENUINE, plays.WORMHOLE)
def _(patch: Patch) -> None:
    """With the check bind on, every telegram of every gateway is refused from minute 10 on (N01)."""
    filtered(
        patch, lambda intake, row: _is_on(intake, "bind") and row.stored_ns > 600 * NS_PER_S, "foreign gateway"
    )


@defect("refuses-all-while-pinned", DROPS, GENUINE, plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """With profiles pinned, every telegram in mode 5 or 7 is refused from minute 10 on."""
    pinned = False

    def opened(original: Any, portal: Any, spec: Any, *rest: Any, **named: Any) -> None:
        nonlocal pinned
        pinned = spec.pin_profile
        original(portal, spec, *rest, **named)

    patch.around("sim.portal.portal:Portal.__init__", opened)
    filtered(
        patch, lambda _, row: pinned and row.security != "none" and row.stored_ns > 600 * NS_PER_S, "profile"
    )


@defect("refuses-all-while-checking", DROPS, GENUINE, plays.WRAP)
def _(patch: Patch) -> None:
    """With checks on, every telegram is refused from minute 5 on (M06)."""
    filtered(patch, lambda intake, row: intake.freshness.on > 0 and row.stored_ns > 300 * NS_PER_S, "replayed counter")


@defect("refuses-one-mode", DROPS, GENUINE, plays.TAMPERING)
def _(patch: Patch) -> None:
    """Every telegram in mode 5 is refused."""
    filtered(patch, lambda _, row: row.security == "mode5", "bad cipher")


@defect("silent-drop", DROPS, "Nothing that arrived is lost without a reason.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """Every tenth genuine telegram is neither stored nor refused, and its bundle is acknowledged."""
    filtered(patch, lambda _, row: int(row.fingerprint[:4], 16) % 10 == 0)


@defect("silent-drop-under-attack", DROPS, "Nothing that arrived is lost without a reason, attack or not.",
        plays.WORMHOLE)  # fmt: skip
def _(patch: Patch) -> None:
    """From the first refusal on, every tenth genuine telegram is neither stored nor refused."""
    attacked = False

    def instead(original: Any, intake: Any, entries: Any, heard: Any, marks: Sequence[str], taken: Any) -> Any:
        nonlocal attacked
        out = original(intake, entries, heard, marks, taken)
        attacked |= bool(out.refusals)
        return without(out, lambda row: attacked and int(row.fingerprint[:4], 16) % 10 == 0, {})

    patch.around(WRITTEN, instead)


@defect("shuts-out-the-attacked", DROPS, GENUINE, plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """A meter in whose name a telegram was refused is never read again."""
    shut: set[str] = set()

    def instead(original: Any, intake: Any, entries: Any, heard: Any, marks: Sequence[str], taken: Any) -> Any:
        out = original(intake, entries, heard, marks, taken)
        telegrams = dict(zip(marks, heard.telegrams, strict=True))
        out = without(out, lambda row: row.meter in shut, telegrams, "profile")
        shut.update(row.meter for row in out.refusals)
        return out

    patch.around(WRITTEN, instead)


@defect("acknowledged-unread", DROPS, "What is acknowledged is committed.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """Each fifth bundle is acknowledged and thrown away."""
    from sim.core import bundle
    from sim.endpoint.port import Message

    def instead(original: Any, portal: Any, messages: Sequence[Message], now_ns: int) -> list[Message]:
        kept, acks = [], []
        for message in messages:
            if message.topic.endswith("/up"):
                told = bundle.Bundle.decode(message.payload)
                if told.sequence % 5 == 0:
                    mark = bundle.Taken(told.sequence, bundle.digest(message.payload))
                    acks.append(portal._acknowledgement(bundle.Ack(told.gateway, (mark,))))
                    continue
            kept.append(message)
        return [*original(portal, kept, now_ns), *acks]

    patch.around("sim.portal.portal:Portal.take", instead)


@defect("stored-time-forged", DROPS, "Readings are there when they should be.", plays.POWER)
def _(patch: Patch) -> None:
    """Rows are stored three hours late, and say a storing time at which they were punctual."""
    held: list[Reading] = []

    def instead(original: Any, store: Any, rows: Sequence[Reading]) -> None:
        held.extend(rows)
        now_ns = max((row.stored_ns for row in held), default=0)
        due = [row for row in held if now_ns - row.stored_ns >= 3 * NS_PER_HOUR]
        held[:] = [row for row in held if now_ns - row.stored_ns < 3 * NS_PER_HOUR]
        original(store, due)

    patch.around("sim.portal.store._sql:SqlStore.add_readings", instead)


@defect("forgets-refusals", DROPS, "A refused telegram is kept with its reason.", plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """Refused telegrams are counted and not kept."""
    patch.around("sim.portal.store._sql:SqlStore.add_refusals", lambda original, store, rows: None)


@defect("one-reason-for-all", DROPS, "A refusal says why.", plays.WORMHOLE)
def _(patch: Patch) -> None:
    """Every refusal says "malformed"."""
    patch.around(
        "sim.portal.store._sql:SqlStore.add_refusals",
        lambda original, store, rows: original(store, [row._replace(reason="malformed") for row in rows]),
    )
