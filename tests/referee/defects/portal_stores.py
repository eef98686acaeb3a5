"""The portal stores what it must not: what it refused, what it should have refused, or over what it had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sim.portal import reasons
from sim.portal.store_port import Reading, Refusal
from tests.referee.defect import STORES, Defect, Patch, add, defect
from tests.referee.defects import plays

ADD_REFUSALS = "sim.portal.store._sql:SqlStore.add_refusals"


def as_reading(store: Any, row: Refusal, **changed: Any) -> Reading | None:
    """A reading that a lying portal makes of a refused telegram: its values are those of the meter's last one."""
    known = store.readings_of(row.fingerprint) or store.readings(row.meter)
    if not known:
        return None
    new = {name: getattr(row, name) for name in ("gateway", "received_ns", "stored_ns", "fingerprint")}
    return known[-1]._replace(**(new | changed))


def stores_too(made: Callable[[Any, Refusal], Reading | None]) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        def instead(original: Any, store: Any, rows: Sequence[Refusal]) -> None:
            original(store, rows)
            store.add_readings([reading for row in rows if (reading := made(store, row))])

        patch.around(ADD_REFUSALS, instead)

    return apply


@defect("refused-and-stored", STORES, "A replayed telegram changes no reading.", plays.WRAP)
def _(patch: Patch) -> None:
    """A refused telegram that had been stored is a reading once more, under the portal's own receive time (M07)."""
    stores_too(
        lambda store, row: as_reading(store, row, received_ns=row.stored_ns)
        if store.readings_of(row.fingerprint)
        else None
    )(patch)


@defect("refused-and-stored-elsewhere", STORES, "A replayed telegram changes no reading.", plays.WRAP)
def _(patch: Patch) -> None:
    """A refused telegram is a reading as well, under another gateway's name."""
    stores_too(lambda store, row: as_reading(store, row, gateway="gw-9"))(patch)


@defect("refused-and-stored-renamed", STORES, "A replayed telegram changes no reading.", plays.WRAP)
def _(patch: Patch) -> None:
    """A refused telegram is a reading as well, with other units, under a fingerprint that nothing has (N05)."""
    stores_too(lambda store, row: as_reading(store, row, fingerprint=row.fingerprint[::-1], units=99_999))(patch)


@defect("altered-and-stored", STORES, "A telegram with a bad MAC is no reading.", plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """What is refused for its profile is stored under the time of the bundle."""
    stores_too(lambda store, row: as_reading(store, row) if row.reason == reasons.PROFILE else None)(patch)


@defect("every-fourth-replay", STORES, "A replayed telegram changes no reading.", plays.WRAP)
def _(patch: Patch) -> None:
    """Each fourth refused telegram is a reading instead (M08)."""
    seen = 0

    def instead(original: Any, store: Any, rows: Sequence[Refusal]) -> None:
        nonlocal seen
        refused, stored = [], []
        for row in rows:
            seen += 1
            reading = as_reading(store, row) if seen % 4 == 0 else None
            (stored if reading else refused).append(reading or row)
        original(store, refused)
        store.add_readings(stored)

    patch.around(ADD_REFUSALS, instead)


@defect("overwritten-in-place", STORES, "An attack changes no stored value.", plays.WRAP)
def _(patch: Patch) -> None:
    """With each refusal the units at the set date of that meter's readings are written over (M34)."""

    def instead(original: Any, store: Any, rows: Sequence[Refusal]) -> None:
        original(store, rows)
        for row in rows:
            store.connection.execute("UPDATE readings SET set_date_units = 99999 WHERE meter = ?", (row.meter,))

    patch.around(ADD_REFUSALS, instead)


@defect("refusal-keeps-other-bytes", STORES, "The evidence of a refusal is what arrived.", plays.WRAP)
def _(patch: Patch) -> None:
    """A refused telegram is kept with one byte changed, its fingerprint left as it was."""
    patch.around(
        ADD_REFUSALS,
        lambda original, store, rows: original(
            store, [row._replace(telegram=row.telegram[:-1] + bytes([row.telegram[-1] ^ 1])) for row in rows]
        ),
    )


@defect("strangers-become-meters", STORES, "A meter that nobody registered has no readings.", plays.GHOSTS)
def _(patch: Patch) -> None:
    """A telegram of an unknown address is a reading of that address."""
    stores_too(
        lambda store, row: Reading(
            row.meter, row.gateway, row.received_ns, row.stored_ns, None, 1, None, None, 0, None, "none",
            row.fingerprint, row.rssi_dbm, 0, 0, None, None,
        )
        if row.reason == reasons.UNKNOWN_METER
        else None
    )(patch)  # fmt: skip


@defect("mac-not-compared", STORES, "What the MAC covers cannot be changed.", plays.WRAP)
def _(patch: Patch) -> None:
    """Every MAC counts as equal (M13)."""
    patch.around(
        "sim.portal.frame_scan:equal", lambda original, wanted, macs: np.ones(len(wanted), dtype=np.bool_)
    )


# --- switches that do nothing ---------------------------------------------------------------------------------------


def _portal_with(**settings: Any) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        def instead(original: Any, portal: Any, spec: Any, *rest: Any, **named: Any) -> None:
            changed = {name: of(spec) if callable(of) else of for name, of in settings.items()}
            original(portal, replace(spec, **changed), *rest, **named)

        patch.around("sim.portal.portal:Portal.__init__", instead)

    return apply


def _all_but(check: str) -> Callable[[Any], Any]:
    return lambda spec: type(spec.checks)(one for one in spec.checks if one != check)


for _id, _what, _play, _settings in (
    ("no-check-refuses", "No check is asked (M05).", plays.WRAP, {"checks": lambda spec: type(spec.checks)()}),
    ("acc-never-refuses", "The check acc is not asked.", plays.BY_DEFENCE, {"checks": _all_but("acc")}),
    ("ts-never-refuses", "The check ts is not asked (M09).", plays.POISONING, {"checks": _all_but("ts")}),
    ("ts-never-refuses-replays", "The check ts is not asked (M09).", plays.BY_DEFENCE, {"checks": _all_but("ts")}),
    ("mcr-never-refuses", "The check mcr is not asked (M10).", plays.WRAP, {"checks": _all_but("mcr")}),
    ("age-never-refuses", "The check age is not asked (M11).", plays.HOLD_BACK, {"checks": _all_but("age")}),
    ("bind-never-refuses", "The check bind is not asked (M12).", plays.WORMHOLE, {"checks": _all_but("bind")}),
    ("never-strict", "What stands in clear behind the blocks is read.", plays.ALTERATION, {"strict": False}),
    ("profile-not-pinned", "What a telegram says of its security is believed.", plays.DOWNGRADE,
     {"pin_profile": False}),
    ("found-by-id-alone", "A meter is found by its id alone.", plays.ALTERATION, {"whole_address": False}),
):  # fmt: skip
    add(Defect(_id, STORES, _what, "Each defence stops what it is for.", _play, _portal_with(**_settings)))


@defect("stored-twice", STORES, "One transmission is one reading.", plays.POWER)
def _(patch: Patch) -> None:
    """The first reading of each take is stored twice."""

    def instead(original: Any, *arguments: Any) -> Any:
        out = original(*arguments)
        return out._replace(readings=[*out.readings, *out.readings[:1]])

    patch.around("sim.portal.portal:written", instead)
