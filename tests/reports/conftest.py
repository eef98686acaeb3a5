"""Run directories for the tests of the documents: made, deterministic, in the shape the rig leaves them.

Histories are written by sim.core.history itself, so a change of its format shows here first.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sim.core.clock import NS_PER_DAY, NS_PER_S
from sim.core.events import (
    AlarmRaised,
    AttackActed,
    BundleClosed,
    FaultInjected,
    MeterTampered,
    RunEnded,
    RunStarted,
    SessionChanged,
    TelegramRefused,
    WindowEnded,
)
from sim.core.history import History

WINDOW_NS = 900 * NS_PER_S
ATTACKS = (  # id, title, variant, then verdicts: (mode 0, 5, 7) x (defences off, on)
    ("radio.sniff", "Sniff telegrams in range", "", "SS PP PP"),
    ("radio.replay", "Replay a captured telegram", "at once", "SS SP SP"),
    ("radio.replay", "Replay a captured telegram", "after a wrap", "SS SP SP"),
    ("radio.replay", "Replay a captured telegram", "rewritten ACC", "SS SP PP"),
    ("radio.jam", "Jam the channel", "continuous", "SD SD SD"),
    ("wan.mitm", "Stand between gateway and broker", "rogue CA", "SP SP SP"),
    ("gateway.clone", "Clone a gateway", "forge without keys", "SS SS PP"),
)
WORDS = {"S": "SUCCEEDED", "P": "PREVENTED", "D": "DETECTED", "T": "TOLERATED", "I": "INCONCLUSIVE"}
WHY = {
    "S": "readings changed at the portal, and nobody noticed",
    "P": "refused by the portal: counter already seen",
    "D": "the gap alarm was raised within three intervals",
    "T": "everything was stored in the end",
    "I": "nothing reached the receiver",
}


def write_history(directory: Path, **options: Any) -> str:
    """A day of a thousand meters with one attack in it, `_history`'s options. Returns the digest."""
    content, digest = _history(**options)
    directory.mkdir(parents=True)
    (directory / "events.jsonl").write_bytes(content)
    return digest


@cache
def _history(*, attack: str = "radio.replay", windows: int = 96, refusals: int = 9,
             control: bool = False, meter: str = "QDS 10000001") -> tuple[bytes, str]:  # fmt: skip
    """Its bytes and its digest; written once, since each run of the card has the same dozen."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "events.jsonl"
    history = History(path)
    history.record(RunStarted(0, "estate-1000", 1, "00112233aabbccdd", "mosquitto"))
    for g in range(8):
        history.record(SessionChanged(NS_PER_S * g // 4, f"gw-{g:02d}", "connected", "accepted"))
    for w in range(windows):
        end = (w + 1) * WINDOW_NS
        jammed = 400 if attack == "radio.jam" and 40 <= w < 52 else 0
        down = 60 if w in (60, 61) else 0
        sent = 1000 + (w * 37) % 5
        lost = 20 + (w * 7919) % 19 + jammed + down
        fates = {"received": 2 * (sent - lost), "gateway down": 2 * down, "out of range": 3 * sent + w,
                 "receiver busy": 31 + w % 7, "jammed": 2 * jammed, "collision": 55 + (w * 13) % 17}  # fmt: skip
        stored = sent - lost - (sent // 2 if w == 0 else 0)
        if w == 40:
            history.record(AttackActed(end - WINDOW_NS + 1, attack, "hear", f"{meter}, ACC 17, 94 bytes"))
        if 40 <= w < 52:
            history.record(AttackActed(end - 5 * NS_PER_S, attack, "jam" if jammed else "speak", "10 dBm at house 2"))
        if w == 60:
            history.record(FaultInjected(end - WINDOW_NS // 2, "broker killed", "mosquitto"))
            for g in range(8):
                at = end - WINDOW_NS // 2 + g * 1_000_000
                history.record(SessionChanged(at, f"gw-{g:02d}", "dropped", "connection reset"))
                history.record(SessionChanged(at + NS_PER_S, f"gw-{g:02d}", "connected", "accepted"))
        refused: Counter[str] = Counter()
        for r in range(refusals * w // windows, refusals * (w + 1) // windows):
            at = end - WINDOW_NS + r % 900 * NS_PER_S
            reason = ("not fresh: counter seen", "not fresh: outside the access number window", "MAC wrong",
                      "older than 1800 s")[r * r % 7 % 4]  # fmt: skip
            refused[reason] += 1
            history.record(TelegramRefused(at, meter, f"gw-{r % 8:02d}", reason, f"{r * 2654435761 % 2**64:016x}"))
        if w in (43, 44, 58) and not control:
            history.record(AlarmRaised(end - 30 * NS_PER_S, "replay", meter, f"{w} telegrams were not fresh"))
        if w == 50:
            history.record(MeterTampered(end - 90 * NS_PER_S, "VIP 30000007", "dismounted"))
            history.record(AlarmRaised(end, "tamper", "VIP 30000007", "tamper bit in an authenticated telegram"))
        for g in range(8):
            history.record(BundleClosed(end - g * NS_PER_S, f"gw-{g:02d}", w, 120, 9400))
        history.record(WindowEnded(end, sent, sent - lost, fates, stored, dict(refused)))
    history.record(RunEnded(windows * WINDOW_NS, "complete"))
    history.close()
    with folder:
        return path.read_bytes(), history.digest


def claims_of(attack: str) -> list[dict[str, Any]]:
    claims = []
    for name, title, variant, verdicts in ATTACKS:
        if name != attack:
            continue
        for security, pair in zip(("none", "mode5", "mode7"), verdicts.split(), strict=True):
            for defences, letter in zip(("none", "all"), pair, strict=True):
                claims.append({
                    "attack": name, "title": title, "variant": variant, "security": security, "defences": defences,
                    "expected": WORDS[letter], "verdict": WORDS[letter], "why": WHY[letter],
                    "control": "" if letter == "S" else "SUCCEEDED",
                    "evidence": {"telegrams delivered": 5, "altered readings": 3 if letter == "S" else 0,
                                 "oldest accepted": "12.5 s"},
                })  # fmt: skip
    return claims


def write_run(directory: Path, *, refusals: int = 9, **changes: Any) -> Path:
    """A whole run of the card: five scenarios, 42 claims. `changes` replace keys of run.json."""
    scenarios = []
    for number, attack in enumerate(dict.fromkeys(row[0] for row in ATTACKS), start=1):
        worlds = []
        variants = [row[2] for row in ATTACKS if row[0] == attack]
        for role, variant in [*(("subject", v) for v in variants), ("control", "")]:
            where = f"worlds/{number}-{role}-{variant.replace(' ', '-') or 'all'}"
            digest = write_history(directory / where, attack=attack, refusals=0 if role == "control" else refusals,
                                   control=role == "control")  # fmt: skip
            worlds.append({
                "role": role, "variant": variant, "directory": where, "digest": digest, "world": "estate-1000",
                "meters": 1000, "gateways": 8, "seed": 1, "endpoint": "mosquitto", "duration_ns": NS_PER_DAY,
                "weakness": "portal.checks = []" if role == "control" else "",
            })  # fmt: skip
        name = attack.partition(".")[2]
        scenarios.append({
            "id": f"card/test_{name}.py::test_{name}_never_changes_a_reading",
            "title": f"{attack}: never changes a reading",
            "doc": "An attacker in the courtyard hears a telegram and sends the same bytes again: at once, after ten "
            "others, after the access number has wrapped. No stored reading may change.",
            "threats": {"replay": ["L08", "L09"], "jam": ["L25", "L26"], "sniff": ["L01"]}.get(name, ["G01"]),
            "seed": 1, "outcome": "passed", "message": "", "duration_s": 12.34 + number,
            "replay": f"./wmbench run card/test_{name}.py --seed 1", "claims": claims_of(attack),
            "measures": [{"name": "alarm delay", "value": 12.0, "unit": "s", "limit": "<= 30", "ok": True}],
            "worlds": worlds,
        })  # fmt: skip
    body: dict[str, Any] = {
        "version": 1, "name": "card", "title": "The card: five attacks on a thousand meters",
        "started": "2026-01-12T08:00:00Z", "duration_s": 93.1, "command": "./wmbench run", "wmbench": "0.1.0",
        "commit": "abc1234", "python": "3.11.7", "machine": "2 cores, Linux 6.1", "endpoint": "mosquitto 2.0.11",
        "seed": 1, "outcome": "passed", "scenarios": scenarios,
        "left_out": ["card/test_certificates.py::test_expired: no faketime on this machine"], **changes,
    }  # fmt: skip
    (directory / "run.json").write_text(json.dumps(body), encoding="utf-8")
    return directory


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    return lambda **changes: write_run(tmp_path / "runs" / "card" / "20260112-080000", **changes)


@pytest.fixture(scope="session")
def write_card() -> Callable[..., Path]:
    return write_run


@pytest.fixture
def make_history(tmp_path: Path) -> Callable[..., Path]:
    def make(**options: Any) -> Path:
        write_history(tmp_path / "world", **options)
        return tmp_path / "world" / "events.jsonl"

    return make
