"""A run directory with shots in it: two worlds, one attack in three security modes, their captures and the portal's
tables, in the shape the rig leaves them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from bench.rig.compress import pack
from reports import pictures
from reports.capture import Capture
from reports.pictures import Picture
from sim.core.bundle import Bundle, Heard
from sim.core.clock import NS_PER_S, Calendar
from sim.core.events import AlarmRaised, Fate, TelegramRefused
from sim.core.history import History
from sim.portal.store import fingerprint
from sim.portal.store.sqlite import SqliteStore
from tests.reports.test_capture import ENGELMANN_MODE_7, LSE_PLAIN, TECHEM_MODE_5

CALENDAR = Calendar(datetime(2026, 1, 12))  # noqa: DTZ001
ORIGINALS = {"none": LSE_PLAIN, "mode5": TECHEM_MODE_5, "mode7": ENGELMANN_MODE_7}
HEARD_NS, SENT_NS, TAKEN_NS, ARRIVED_NS = (seconds * NS_PER_S for seconds in (10, 20, 21, 60))
METER = "EFE 54000001 00 08"
FOLDER = "radio-test-replay-1"


def changed(telegram: str) -> str:
    """The access number of mode 5 rewritten; the others as they were."""
    return telegram.replace("7aad00", "7aae00", 1) if telegram == TECHEM_MODE_5 else telegram


def write(directory: Path, **changes: Any) -> Path:
    """`changes` replace keys of run.json."""
    scenario_folder = directory / FOLDER
    for name, content in _files().items():
        path = scenario_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    scenario: dict[str, Any] = {
        "order": 0, "id": "radio/test_replay.py::test_replay", "title": "Replay", "doc": "", "threats": ["L08", "L09"],
        "seed": 1, "outcome": "passed", "message": "", "duration_s": 1.0,
        "replay": "./wmbench run radio/test_replay.py --seed 1", "measures": [],
        "claims": [claim(security, defences) for security in ORIGINALS for defences in ("on", "off")],
        "worlds": [
            {"role": "control" if name == "off" else "subject", "variant": name, "world": "w", "meters": 3, "seed": 1,
             "gateways": 2, "directory": f"radio-test-replay-1/{name}", "digest": "00", "endpoint": "memory",
             "settings": {"name": "w", "window_s": 60.0, "fleet": [{"name": "a", "count": 3}],
                          "portal": {"checks": ["acc", "mcr"] if name == "on" else []}}}
            for name in ("on", "off")
        ],
    }  # fmt: skip
    body = {
        "version": 1, "name": "radio", "title": "Replay", "started": "2026-01-12T08:00:00Z", "duration_s": 2.0,
        "command": "./wmbench run radio", "wmbench": "0.1.0", "commit": "abc1234", "python": "3.11.7",
        "machine": "2 cores", "versions": {"OpenSSL": "3.0.19", "numpy": "2.4.6"}, "changed": ["portal.age_max_s=600"],
        "endpoint": "memory", "seed": 1, "outcome": "passed", "left_out": [], "scenarios": [scenario], **changes,
    }  # fmt: skip
    (scenario_folder / "scenario.json").write_text(json.dumps(scenario))
    (directory / "run.json").write_text(json.dumps(body))
    return directory


@cache
def drawn() -> dict[tuple[str, int], list[Picture]]:
    """What `html.write_report` takes as `ahead`, for tests of all but the pictures: those of the unchanged run."""
    with tempfile.TemporaryDirectory() as folder:
        directory = write(Path(folder))
        pictures.draw_ahead(directory / FOLDER)
        return pictures.drawn_ahead(directory)


@cache
def _files() -> dict[str, bytes]:
    """The files of both worlds, which are the same in each run, by their places below the scenario's folder."""
    with tempfile.TemporaryDirectory() as folder:
        for name, kept in (("on", False), ("off", True)):
            _world(Path(folder) / name, kept=kept)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*")
                if path.is_file()}  # fmt: skip


def claim(security: str, defences: str) -> dict[str, Any]:
    stored = defences == "off"
    return {
        "attack": "radio.replay", "title": "Replay a captured telegram", "variant": "at once", "security": security,
        "defences": defences, "expected": "SUCCEEDED" if stored else "PREVENTED",
        "verdict": "SUCCEEDED" if stored else "PREVENTED",
        "control": "this is the control" if stored else "SUCCEEDED 1 of 1 with the defences off",
        "why": "stored" if stored else "refused: replayed counter", "evidence": {"reached": 1}, "threats": [],
        "because": "every shot was refused", "clauses": [{"name": "arrived", "ok": True, "detail": "1 shot"}],
        "borrowed": False, "false_alarms": 0,
        "shots": [{
            "variant": "at once", "sent_hex": changed(ORIGINALS[security]), "original_hex": ORIGINALS[security],
            "time_ns": SENT_NS, "source": 3, "k": 0, "taken": [["gw-0001", TAKEN_NS]],
            "reasons": [] if stored else ["replayed counter"], "rows": 1 if stored else 0,
            "alarm": None if stored else {"kind": "freshness", "subject": METER, "time_ns": ARRIVED_NS,
                                          "latency_s": 40.0},
        }],
    }  # fmt: skip


def _world(directory: Path, *, kept: bool) -> None:
    (directory / "portal").mkdir(parents=True)
    (directory / "endpoint").mkdir()
    (directory / "endpoint" / "ca.key").write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")
    _history(directory / "events.jsonl", kept=kept)
    originals = [bytes.fromhex(text) for text in ORIGINALS.values()]
    sent = [bytes.fromhex(changed(text)) for text in ORIGINALS.values()]
    with Capture(directory / "air.pcapng", CALENDAR) as air:
        for telegram in originals:
            air.frame(HEARD_NS, 1, Fate.RECEIVED, 0, 0, -6000, telegram)
        for telegram in sent:
            air.frame(TAKEN_NS, 1, Fate.RECEIVED, 1, 0, -6000, telegram)
            air.frame(TAKEN_NS, 1, Fate.COLLISION, 1, 1, -9000, telegram)
        early = Bundle("gw-0001", 1, ARRIVED_NS, tuple(Heard(t, HEARD_NS, -60.0) for t in originals))
        late = Bundle("gw-0001", 2, ARRIVED_NS, tuple(Heard(t, TAKEN_NS, -60.0) for t in sent))
        for bundle in (early, late):
            air.message(ARRIVED_NS, "gw/gw-0001/up", bundle.encode())
    store = SqliteStore(directory / "portal")
    store.close()
    with contextlib.closing(sqlite3.connect(store.path)) as db, db:
        for telegram in originals:
            _store(db, telegram, HEARD_NS)
        for telegram in sent:
            if kept:
                _store(db, telegram, TAKEN_NS)
            else:
                db.execute("INSERT INTO refusals (meter, gateway, received_ns, stored_ns, reason, detail, fingerprint, "
                           "telegram) VALUES (?, 'gw-0001', ?, ?, 'replayed counter', 'counter 1004', ?, ?)",
                           (METER, TAKEN_NS, ARRIVED_NS, fingerprint(telegram), telegram))  # fmt: skip
    pack(directory)


def _history(path: Path, *, kept: bool) -> None:
    history = History(path)
    if not kept:
        for telegram in ORIGINALS.values():
            mark = fingerprint(bytes.fromhex(changed(telegram)))
            history.record(TelegramRefused(ARRIVED_NS, METER, "gw-0001", "replayed counter", mark))
        history.record(AlarmRaised(ARRIVED_NS, "freshness", METER, "replayed counter"))
    history.close()


def _store(db: sqlite3.Connection, telegram: bytes, received_ns: int) -> None:
    db.execute("INSERT INTO readings (meter, gateway, received_ns, stored_ns, units, security, fingerprint, status, "
               "tamper) VALUES (?, 'gw-0001', ?, ?, 17, 'mode7', ?, 0, 0)",
               (METER, received_ns, ARRIVED_NS, fingerprint(telegram)))  # fmt: skip
