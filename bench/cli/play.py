"""./wmbench run --play FILE: a recorded log on the simulated air, and what the portal makes of each telegram.

The recording is played among the fifty simulated meters of worlds/field-50.toml. Every address in it is enrolled as if
an installer had written down what the recording announces (see sim.recording.replayed_meters); keys come from
--keys FILE. Two of the portal's checks are off, `ts` and `age`: both hold a telegram's own time against today's, and a
recording's is past. All others are on, so a telegram that is in the log twice is refused the second time, as a replay
is.

Nothing is passed over in silence: each telegram has a row, stored with its values, refused with the portal's reason, or
lost on the air with what destroyed it. Exit code 0: the portal judged every one; 1: it could not, or an invariant does
not hold; 2: the log or the keys cannot be read.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import run_directory
from bench.options import ENGINES, Options
from bench.progress import Progress
from bench.rig import checks
from bench.rig.measure import Measure
from bench.rig.scenario import Stage, load_world
from bench.rig.world_row import world_json
from bench.run_errors import complain, explained
from reports.wording import plain
from sim.core.clock import NS_PER_MS, NS_PER_S, wall_now, wall_s
from sim.core.settings import without
from sim.portal.keyring import Keyring, KeyringError
from sim.portal.reading_columns import VALUES
from sim.recording.log import ASSUMED_DBM, BadLog, Log, read_log
from sim.recording.replayed_meters import AlreadyThere, Outcome, Playing, announced
from sim.world_spec import WorldSpec

WORLD = "field-50"
ID_PREFIX = "play/"  # of the one scenario in a played run
OFF = ("ts", "age")
LOST_BY_CHANCE = 2
DELAY_S = 60.0  # the simulated meters are heard first
AFTER_S = 60.0
SHOWN = 5  # lines that a note names
PLAYED_EXIT, UNJUDGED_EXIT, BAD_FILE_EXIT = 0, 1, 2


def play(path: Path, *, keys: Path | None, endpoint: str, seed: int, as_json: bool, engine: str | None = None) -> int:
    """Returns the exit code. Raises EndpointError, StoreError, RunDirectoryError, OSError (a full disk)."""
    try:
        log = read_log(path)
        ran = _Play(path, log, keys, _spec(endpoint), seed, engine)
        ran.run(_keyring(keys, log))
    except (BadLog, KeyringError, AlreadyThere) as error:
        complain(str(error))
        return BAD_FILE_EXIT
    if as_json:
        print(json.dumps(ran.as_json(), indent=1))
    else:
        print("\n".join(map(plain, ran.as_lines())))
    return PLAYED_EXIT if ran.outcome == "passed" else UNJUDGED_EXIT


def play_again(command: str, engine: str | None = None) -> Path:
    """Carry out the command that a played run says repeats it, or with another engine; returns the new run directory.
    Raises as play and read_log do."""
    words = shlex.split(command)
    said = {word: words[i + 1] for i, word in enumerate(words[:-1]) if word.startswith("--")}
    path, keys = Path(said["--play"]), Path(said["--keys"]) if "--keys" in said else None
    log = read_log(path)
    ran = _Play(path, log, keys, _spec(said["--endpoint"]), int(said["--seed"]), engine or said.get("--engine"))
    ran.run(_keyring(keys, log))
    return ran.directory


def _keyring(path: Path | None, log: Log) -> Keyring:
    """The keys of meters in the log, before anything is made. Raises KeyringError."""
    if path is None:
        return Keyring()
    addresses = {announced(one.telegram)[0] for one in log.played}
    return Keyring.load(path, known=[address for address in addresses if address is not None])


def _spec(endpoint: str) -> WorldSpec:
    spec = load_world(WORLD).with_setting("endpoint.kind", endpoint, source="--endpoint")
    return spec.with_setting("portal.checks", without(*OFF))


@dataclass
class _Play:
    """One recording: its world, its rows, its run directory."""

    path: Path
    log: Log
    keys: Path | None
    spec: WorldSpec
    seed: int
    engine: str | None
    outcomes: list[Outcome] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # invariants
    outcome: str = "error"
    directory: Path = field(default_factory=Path)
    _playing: Playing | None = None

    def run(self, keyring: Keyring) -> None:
        self.directory = run_directory.make("play")
        started, started_s = wall_now(), wall_s()
        progress = Progress(enabled=True)
        progress.scenario(f"Play {self.path.name}")
        folder = self.directory / (re.sub(r"[^a-z0-9]+", "-", self.path.name.lower()).strip("-") or "log")
        stage = Stage(self.spec, self.seed, folder / "on", "on", engine=self.engine or ENGINES[0])
        stage.on_window = progress.world("recording", self.spec.meters)
        message = ""
        try:
            self._run(stage, keyring)
            self.outcome = "failed" if self.broken or self.unjudged else "passed"
            message = "; ".join([*self.broken, self.unjudged] if self.unjudged else self.broken)
        except KeyboardInterrupt:
            self.outcome, message = "interrupted", "interrupted before it was finished"
            raise
        except BaseException as error:
            message = explained(error) or f"{type(error).__name__}: {error}"
            raise
        finally:
            stage.close()
            progress.done(self.outcome, wall_s() - started_s)
            self._leave(stage, folder, message, wall_s() - started_s, started)

    def _run(self, stage: Stage, keyring: Keyring) -> None:
        world = stage.inner
        playing = self._playing = world.play(self.log.played, delay_s=DELAY_S)
        playing.enrol({address: key for address in playing.addresses if (key := keyring.key(address)) is not None})
        stage.run(seconds=playing.end_ns / NS_PER_S + AFTER_S)
        self.outcomes = playing.outcomes()
        self.broken = [f"{name}: {problem}" for name, problem in checks.apply(world, attacked=False)]
        world.finish()

    # --- in words ---------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counter[str]:
        return Counter(one.came for one in self.outcomes)

    @property
    def unjudged(self) -> str:
        """What is to be said of telegrams that never reached the portal; "" when all did."""
        lost = self.counts["lost"]
        if not lost:
            return ""
        said = f"{lost} of {len(self.outcomes)} telegrams were lost on the air"
        if lost <= LOST_BY_CHANCE:
            return f"{said}: another --seed has other collisions"
        part = max(1, len(self.outcomes) // lost)
        return f"{said}: so long a log meets the simulated meters with any --seed; cut it into parts of {part} lines"

    def notes(self) -> list[str]:
        """What differs from the recording, and which checks of the portal were off."""
        found = [f"{' and '.join(OFF)} are off: they hold a telegram's time against today's, and a recording's is past"]
        if self.log.broken_lines:
            found.append(f"lines passed over, because the receiver marked them as broken: {len(self.log.broken_lines)}")
        if self.log.set_aside:
            first = "; ".join(f"line {one.line}: {one.why}" for one in self.log.set_aside[:SHOWN])
            more = f"; and {len(self.log.set_aside) - SHOWN} more" if len(self.log.set_aside) > SHOWN else ""
            found.append(f"lines set aside, because they cannot be read: {len(self.log.set_aside)} ({first}{more})")
        if self.log.copies:
            lines = ", ".join(map(str, self.log.copies[:SHOWN])) + (", ..." if len(self.log.copies) > SHOWN else "")
            found.append(f"second copies of a reception set aside: {len(self.log.copies)} (line {lines})")
        if self.log.assumed:
            found.append(f"without a level in dBm, and sent at {ASSUMED_DBM:g} dBm: {self.log.assumed}")
        sendings = self._playing.sendings if self._playing is not None else []
        cut = self.log.cut
        if cut:
            found.append(
                f"of {len(cut)} telegrams bytes were taken off that fit as a CRC of frame format B; first in line "
                f"{cut[0].line}"
            )
        limited = [one for one in sendings if one.limited]
        if limited:
            found.append(
                f"not sent at the recorded level: {len(limited)}, first in line {limited[0].played.line}: "
                f"{limited[0].limited}"
            )
        late = [one for one in sendings if one.start_ns - sendings[0].start_ns - one.played.at_ns >= NS_PER_MS]
        if late:
            found.append(f"sent a little later than recorded, because their times overlap: {len(late)}")
        return found

    def as_lines(self) -> Iterator[str]:
        width = max((len(one.sending.played.time) for one in self.outcomes), default=4)
        yield f"{'time':<{width}}  {'address':<18}  {'security':<10}  {'mode':<4}  {'dBm':>6}  what came of it"
        for one in self.outcomes:
            played = one.sending.played
            yield (
                f"{played.time:<{width}}  {one.address or '?':<18}  {one.security:<10}  {played.mode:<4}  "
                f"{played.rssi_dbm:>6g}  {words(one)}"
            )
        yield ""
        yield from (f"note: {note}" for note in self.notes())
        yield from ([f"note: {self.unjudged}"] if self.unjudged else [])
        yield self.summary()
        yield from (f"BROKEN: {problem}" for problem in self.broken)
        yield f"report: {os.path.relpath(self.directory / 'report.html')}"

    def summary(self) -> str:
        counts = self.counts
        meters = len({one.address for one in self.outcomes if one.address})
        why = Counter(one.why for one in self.outcomes if one.came in ("refused", "lost")).most_common()
        because = f" ({', '.join(f'{reason} {count}' for reason, count in why)})" if why else ""
        parts = [f"{counts['stored']} stored", f"{counts['refused']} refused"]
        parts += [f"{counts[came]} {said}" for came, said in (("copy", "copies"), ("lost", "lost")) if counts[came]]
        return f"{len(self.outcomes)} telegrams of {meters} meters: {', '.join(parts)}{because}"

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "seed": self.seed,
            "outcome": self.outcome,
            "run": str(self.directory),
            "summary": {came: self.counts[came] for came in ("stored", "refused", "copy", "lost")},
            "notes": self.notes(),
            "broken": self.broken,
            "rows": [row(one) for one in self.outcomes],
        }

    # --- what is left behind ----------------------------------------------------------------------------------------

    def _leave(self, stage: Stage, folder: Path, message: str, duration_s: float, started: datetime) -> None:
        """scenario.json, run.json and the documents, in the shape of any other run."""
        command = shlex.join(
            ["./wmbench", "run", "--play", str(self.path.resolve()),
             *(["--keys", str(self.keys.resolve())] if self.keys else []),
             *Options(self.spec.endpoint.kind, (), self.engine).words(), "--seed", str(self.seed)]
        )  # fmt: skip
        counts = self.counts
        body = {
            "order": 0,
            "id": f"{ID_PREFIX}{self.path.name}",
            "title": f"{self.path.name}, played among simulated meters",
            "doc": f"{self.summary()}. {'. '.join(self.notes())}.",
            "threats": [],
            "seed": self.seed,
            "outcome": self.outcome,
            "message": message,
            "duration_s": round(duration_s, 2),
            "replay": command,
            "claims": [],
            "measures": [
                Measure(f"telegrams {name}", float(counts[came])).as_json()
                for came, name in (("stored", "stored"), ("refused", "refused"), ("lost", "lost on the air"))
            ],
            "worlds": [world_json(stage, self.directory)] if stage.made else [],
        }
        run_directory.write_json(folder / "scenario.json", body, reserve=self.directory)
        run_directory.write_json(folder / "rows.json", [row(one) for one in self.outcomes], reserve=self.directory)
        run_directory.release(self.directory)
        run_directory.gather(
            self.directory, name="play", title=f"Recording {self.path.name}", command=command, started=started,
            interrupted=self.outcome == "interrupted",
        )  # fmt: skip
        from reports import documents

        documents.write_all(self.directory)


def row(one: Outcome) -> dict[str, Any]:
    """One telegram for programs."""
    played, reading = one.sending.played, one.reading
    return {
        "line": played.line,
        "time": played.time,
        "address": one.address or None,
        "security": one.security,
        "mode": played.mode,
        "rssi_dbm": played.rssi_dbm,
        "came": one.came,
        "reason": one.why or None,
        "detail": one.detail or None,
        "values": {name: getattr(reading, name) for name in VALUES} if reading is not None else None,
    }


def words(one: Outcome) -> str:
    """What came of one telegram, for people."""
    reading = one.reading
    if reading is None:
        detail = f": {one.detail}" if one.detail and one.came != "copy" else ""
        if one.came == "refused" and (cut := one.sending.played.cut):
            detail += f" ({cut} bytes were taken off as a CRC of format B)"
        return f"{one.came}, {one.why}{detail}" if one.came != "copy" else f"copy: {one.detail}"
    said = [
        f"{value:g} {unit}"
        for value, unit in ((reading.units, "units"), (reading.volume_m3, "m3"), (reading.energy_kwh, "kWh"))
        if value is not None
    ]
    if reading.set_date_units is not None or reading.set_date is not None:
        count = "" if reading.set_date_units is None else f"{reading.set_date_units} "
        said.append(f"{count}at set date{f' {reading.set_date}' if reading.set_date else ''}")
    if reading.meter_time is not None:
        said.append(f"meter's time {reading.meter_time}")
    return f"stored, {', '.join(said)}"
