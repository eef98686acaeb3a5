"""A run directory as typed records.

The rig writes run.json last, so a run that was killed has none, or a cut one. Such a directory is still read: what
can be told is told, and `Run.notes` says in words what is missing and what follows from it. Only two things are
errors: a directory that holds no run at all, and a version this program does not know.

Every field has a default and a field of the wrong type takes it, so the documents need no guards: `text` fields are
text, lists are lists. Nothing is invented: an outcome that is absent reads "inconclusive", never "passed".
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sim.endpoint.registry import ENDPOINTS

VERSION = 1
T = TypeVar("T")


class RunError(ValueError):
    """This directory cannot be read as a run; the message is meant for the person who named it."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The first alarm about an attacked thing that the clean twin does not have."""

    kind: str = ""
    subject: str = ""
    time_ns: int = 0
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Shot:
    """One thing an attacker sent. `original_hex`: the genuine telegram it was made of, "" when there is none. `taken`:
    [gateway, end of reception in ns] of each gateway that received it. `reasons`: the portal's; `rows`: how many
    readings it stored because of it. The same telegram is `k` of transmitter `source` in the history."""

    variant: str = ""
    sent_hex: str = ""
    original_hex: str = ""
    time_ns: int = 0
    source: int = -1
    k: int = -1
    taken: list[list[Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    rows: int = 0
    age_s: float | None = None  # of the genuine telegram, when it was sent
    before: int | None = None  # units in the genuine telegram
    after: int | None = None  # units in the reading that was stored because of it
    alarm: Alarm | None = None
    original_received: bool | None = None  # by a gateway, before it was sent; None: the run does not say


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """What became of a session with the broker: `whose` (owner, attacker), by the wall's clock (UTC, ns since 1970);
    `time_ns` is the world's time, which stands still meanwhile."""

    whose: str = ""
    client: str = ""
    state: str = ""
    reason: str = ""
    wall_ns: int = 0
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of a verdict, and whether it was met."""

    name: str = ""
    ok: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """What shows an outcome in a picture: points [x, y], and the words of the axes."""

    x: str = ""
    y: str = ""
    points: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Claim:
    """One verdict. `control` is what the same attack did on the weak configuration ("" when it needs none);
    `borrowed`: in another security mode. `because` is the clause that decided. `alarm_counts`: an alarm in time makes
    it DETECTED (of older runs nothing is known), and `alarm` is the first of them. `sessions` and `broker_lines`: what
    shows it where it sends no telegram."""

    attack: str = ""
    title: str = ""
    variant: str = ""
    security: str = ""
    defences: str = ""
    expected: str = ""
    verdict: str = "INCONCLUSIVE"
    control: str = ""
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    threats: list[str] = field(default_factory=list)  # those of its scenario that it speaks of; empty: all
    shots: list[Shot] = field(default_factory=list)
    because: str = ""
    clauses: list[Clause] = field(default_factory=list)
    borrowed: bool = False
    false_alarms: int = 0
    curve: Curve | None = None
    alarm_counts: bool | None = None
    alarm: Alarm | None = None
    sessions: list[SessionEvent] = field(default_factory=list)
    broker_lines: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """The verdict is the expected one. INCONCLUSIVE never holds, not even when expected, nor does what nobody
        expects."""
        return self.verdict != "INCONCLUSIVE" and self.expected == self.verdict


@dataclass(frozen=True, slots=True)
class Measure:
    name: str = ""
    value: float | None = None
    unit: str = ""
    limit: str = ""
    ok: bool = False


@dataclass(frozen=True, slots=True)
class RealGateway:
    """What was measured of a gateway of the desk; see sim.gateway.kinds.box. `torn`: telegrams that it was not given
    whole, the first hundred by name, with the reason. `problem`: what was wrong at the end."""

    gateway: str = ""
    entry: str = ""
    frames_handed: int = 0
    frames_lost_at_the_line: int = 0
    frames_torn: int = 0
    torn: list[dict[str, Any]] = field(default_factory=list)
    handed_late_p99_ms: float = 0.0
    line_p99_ms: float = 0.0
    delivered: int = 0
    not_delivered: int = 0
    latency_p50_ms: float = 0.0
    latency_p99_ms: float = 0.0
    unknown: int = 0
    unreadable: int = 0
    retained: int = 0
    values_told: int = 0
    opened: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """One world that ran: its facts and where its history lies. `role`: subject, control, clean twin (without the
    attacker). `weakness` is set on controls."""

    role: str = "subject"
    variant: str = ""
    directory: str = ""
    digest: str = ""
    world: str = ""
    meters: int = 0
    gateways: int = 0
    seed: int = 0
    endpoint: str = ""
    duration_ns: int = 0
    weakness: str = ""
    clock: str = ""  # how late its events came, of one that passed by the wall's
    real_gateways: list[RealGateway] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    id: str = ""
    title: str = ""
    doc: str = ""
    threats: list[str] = field(default_factory=list)
    case: str = ""  # as pytest calls it: the function, its seed and parameters
    seed: int = 0
    outcome: str = "inconclusive"
    message: str = ""
    traceback: str = ""  # of an error nobody foresaw
    duration_s: float = 0.0
    replay: str = ""
    claims: list[Claim] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """`notes` are remarks about the reading itself: what was missing or cut."""

    directory: Path = Path()
    version: int = VERSION
    name: str = ""
    title: str = ""
    started: str = ""
    duration_s: float = 0.0
    command: str = ""
    wmbench: str = ""
    commit: str = ""  # of wmbench
    own_commit: str = ""  # of the user's own repository, where one was open
    python: str = ""
    machine: str = ""
    changed: list[str] = field(default_factory=list)  # KEY=VALUE that the command line set in every world
    versions: dict[str, Any] = field(default_factory=dict)  # of the broker, of TLS, of Python's packages
    endpoint: str = ""
    firmware: str = ""  # of what is under test
    seed: int = 0
    outcome: str = "inconclusive"
    left_out: list[str] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def claims(self) -> list[tuple[Scenario, Claim]]:
        return [(scenario, claim) for scenario in self.scenarios for claim in scenario.claims]

    @property
    def endpoints(self) -> set[str]:
        """The kinds that its worlds had."""
        return {world.endpoint for scenario in self.scenarios for world in scenario.worlds} | {self.endpoint}


def read_run(directory: Path) -> Run:
    """The run in `directory`. Raises RunError when there is none, or one of another version."""
    path = directory / "run.json"
    if not directory.is_dir():
        raise RunError(f"{directory}: no such run directory")
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _unfinished(directory, "run.json is missing: the run ended before its verdicts were written")
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:  # not UTF-8 or not JSON
        return _unfinished(directory, f"run.json is cut or damaged ({error}): its verdicts cannot be told")
    if not isinstance(body, dict):
        raise RunError(f"{path}: holds {type(body).__name__}, not a run")
    return from_json(body, directory)


def from_json(body: dict[str, Any], directory: Path = Path()) -> Run:
    """The content of a run.json. Raises RunError for another version."""
    version = body.get("version")
    if version != VERSION:
        raise RunError(f"{directory / 'run.json'}: version {version!r}; this wmbench reads version {VERSION}")
    notes: list[str] = []
    fields = {key: value for key, value in body.items() if key not in ("directory", "notes")}
    run = _build(Run, fields, notes, "run.json")
    notes += caveats(run.endpoints)
    return dataclasses.replace(run, directory=directory, notes=notes)


def scenario_of(body: dict[str, Any]) -> Scenario:
    """The content of a scenario.json."""
    return _build(Scenario, body, [], "scenario.json")


def caveats(endpoints: Collection[str]) -> list[str]:
    """The sentences that stand on every page with a verdict from one of these kinds of endpoint."""
    return sorted(kind.caveat for id_, kind in ENDPOINTS.parts().items() if id_ in endpoints and kind.caveat)


def _unfinished(directory: Path, note: str) -> Run:
    """What is left of a run that was killed: its histories, under one scenario without verdicts."""
    histories = sorted(directory.rglob("events.jsonl"))
    if not histories:
        raise RunError(f"{directory}: {note}, and there is no events.jsonl below it: not a run directory?")
    worlds = [World(directory=str(path.parent.relative_to(directory)), variant=path.parent.name) for path in histories]
    scenario = Scenario(
        id="unfinished", title="Histories of an unfinished run", message=note, outcome="inconclusive", worlds=worlds
    )
    return Run(
        directory=directory, name=directory.parent.name, title="Unfinished run", outcome="interrupted",
        scenarios=[scenario], notes=[f"{note}. {len(histories)} histories were found and are shown below."],
    )  # fmt: skip


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(cls: type[T], table: dict[str, Any], notes: list[str], where: str) -> T:
    """A record from a table; what has the wrong type takes the default and is noted."""
    hints = _hints(typing.cast(type, cls))
    values: dict[str, Any] = {}
    for spec_field in dataclasses.fields(cls):  # type: ignore[arg-type]
        name = spec_field.name
        if name not in table or (name in ("directory", "notes") and cls is Run):
            continue
        value = _fit(hints[name], table[name], notes, f"{where}: {name}")
        if value is not None:
            values[name] = value
        elif table[name] is not None:
            notes.append(f"{where}: {name} has an unexpected value and was left out")
    return cls(**values)


def _fit(hint: Any, value: Any, notes: list[str], where: str) -> Any:
    """`value` as `hint` asks, or None."""
    if hint is Any:
        return value
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    origin = typing.get_origin(hint)
    if origin is list:
        if not isinstance(value, list):
            return None
        (item,) = typing.get_args(hint)
        fitted = [_fit(item, entry, notes, f"{where}[{index}]") for index, entry in enumerate(value)]
        return [entry for entry in fitted if entry is not None]
    if origin is dict:
        return {str(key): entry for key, entry in value.items()} if isinstance(value, dict) else None
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast(type, hint), value, notes, where) if isinstance(value, dict) else None
    if hint is float and type(value) is int:
        return float(value)
    return value if type(value) is hint else None


def seeds_of(run: Run) -> list[int]:
    """Each seed of its scenarios, once, in their order."""
    return list(dict.fromkeys(scenario.seed for scenario in run.scenarios)) or [run.seed]
