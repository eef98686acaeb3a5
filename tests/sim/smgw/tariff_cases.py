"""Rows of JSON for tests of tariffs, short to write."""

from __future__ import annotations

import json
from typing import Any

from sim.smgw.tariff_rows import answer

IMPORT, EXPORT, POWER, VOLTAGE, FREQUENCY = (
    "0100010800ff",
    "0100020800ff",
    "0100100700ff",
    "0100200700ff",
    "01000e0700ff",
)
NOON = "2026-01-05T12:00:00+01:00"


def given(obis: str, d: list[Any], t0: str = NOON, step_s: int = 900, **more: Any) -> dict[str, Any]:
    """A list of readings."""
    return {"meter": "M1", "obis": obis, "scaler": -1, "t0": t0, "step_s": step_s, "d": d} | more


def rule(taf: int, start: str = NOON, duration_s: int = 3_600, **more: Any) -> dict[str, Any]:
    """A rule set."""
    return {"taf": taf, "start": start, "duration_s": duration_s} | more


def sent(supplier: dict[str, Any], *lists: dict[str, Any]) -> list[tuple[Any, ...]]:
    """(OBIS, amount, time of day) of what leaves; without the time for registers. An error: its reason alone."""
    out = json.loads(answer({"id": "x", "supplier": supplier, "readings": list(lists)}), parse_float=str)
    if "error" in out:
        return [(out["error"]["reason"],)]
    return [(one["obis"], one["amount"], *([one["at"][11:16]] if "at" in one else [])) for one in out["registers"]]
