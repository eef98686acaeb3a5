"""What a scenario is: a function that sets a stage, runs it, and says what must be true.

    @scenario(threats=["L08"], world="estate-1000")
    def test_a_replayed_telegram_never_changes_a_reading(world: Stage) -> None:
        replay = world.attack(Replay())
        world.run(hours=6)
        world.expect(replay, "at once", on=(X, X, X), off=(S, S, S))

The function runs several times: "on" (the world as its file says), under each named set of `defences`, and "off" (the
attacks' own weaknesses applied): that last run is the control. Verdict letters are those of the threat list: X
prevented, D detected, T tolerated (bounded), S succeeded, N not applicable; tuples are in the order of
sim.core.settings.SECURITIES.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar

from attacks.attack import Outcome
from attacks.reach import Place, reach_for
from bench import signals, worlds
from bench.options import ENGINES
from bench.rig import attack_record, secrets, whole_reasons
from bench.rig.attack_record import known_threats
from bench.rig.compress import pack
from bench.rig.measure import Measure
from bench.rig.pcap_tap import AirLog
from bench.rig.verdict import Terms, Verdict
from sim.core.clock import NS_PER_HOUR, ns
from sim.core.history import History
from sim.core.meant import did_you_mean
from sim.core.part_errors import answer, told
from sim.core.settings import SpecError
from sim.core.vocabulary import SECURITIES
from sim.faults.port import AnyFault, Injection
from sim.systems.port import Cost, Sight
from sim.truth.ground_truth import Truth
from sim.world import World
from sim.world_spec import WorldSpec, load

X, D, T, S = Verdict.PREVENTED, Verdict.DETECTED, Verdict.TOLERATED, Verdict.SUCCEEDED
CLEAN = "clean"
KEYLESS: Final = "keyless"
"""The system of which a scenario speaks where it names none."""
LEAST_SHOTS = Terms().least
SERVICE_FLOOR = 0.95
N = None  # not applicable: the attack has no outcome for this security mode

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Mark:
    """What @scenario notes on a function."""

    threats: tuple[str, ...]
    world: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    defences: Mapping[str, Mapping[str, Any]]
    needs: frozenset[str]
    frames: bool
    not_for: Mapping[str, str] = field(default_factory=dict)


def scenario(
    *,
    world: str,
    threats: Iterable[str] = (),
    seeds: Iterable[int] = (1,),
    settings: Mapping[str, Any] | None = None,
    defences: Mapping[str, Mapping[str, Any]] | None = None,
    needs: Iterable[str] = (),
    frames: bool = False,
    not_for: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Mark a test function as a scenario. `world`: a file in scenarios/worlds. `settings`: dotted keys changed in
    every run. `defences`: further named runs with their settings. `needs`: endpoint features it cannot do without.
    `frames`: write every frame's fate to events.jsonl (small worlds). `not_for`: kind of system -> why this scenario
    says nothing of it; of every other system it is run and says what must come out."""

    known_threats(threats)
    for given, like in (
        (settings, 'settings={"portal.checks": ["acc"]}'), (defences, 'defences={"no acc": {"portal.checks": ["ts"]}}'),
        (not_for, 'not_for={"smgw": "it has no broker"}'),
    ):  # fmt: skip
        if given is not None and not isinstance(given, Mapping):
            raise ValueError(f"{like.partition('=')[0]}={given!r} is no dictionary; write it like {like}")

    def note(function: F) -> F:
        function.__wmbench__ = Mark(  # type: ignore[attr-defined]
            tuple(threats), world, tuple(seeds), dict(settings or {}), dict(defences or {}), frozenset(needs), frames,
            dict(not_for or {}),
        )
        return function

    return note


def load_world(name: str, *, beside: Path | None = None, at: str = "") -> WorldSpec:
    """The world of this name, or a file: its path from the folder `beside` which the scenario lies, or from here.
    `at`: file and line of who names it. Raises SpecError."""
    try:
        path = worlds.find(name, beside=beside)
    except SpecError as error:
        raise SpecError(f"{at}: {error}" if at else str(error)) from None
    return load(path)


@dataclass(frozen=True, slots=True)
class Expectation:
    attack: str
    variant: str
    by_defences: Mapping[str, tuple[Verdict | None, ...]]
    threats: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = (Terms(),) * len(SECURITIES)


@dataclass(slots=True)
class Staged:
    """An attack on stage."""

    attack: Any
    place: Place


class Here(NamedTuple):
    """What must come out of another system than the keyless one, of every security mode that it attaches. `off`: None,
    the same as in the keyless one. `because`, `least`: as in `Stage.expect`; "": what stands there."""

    on: Verdict | None
    off: Verdict | None
    because: str
    least: int


def here(
    *,
    on: Verdict | None,
    off: Verdict | None = None,
    because: str = "",
    least: int = LEAST_SHOTS,
    few_because: str = "",
) -> Here:
    """See Here. Raises ValueError for few shots without a reason."""
    if least < LEAST_SHOTS and not few_because:
        raise ValueError(f"here(least={least}) needs few_because")
    return Here(on, off, because, least)


class LeftOut(Exception):
    """The scenario cannot be run on this endpoint; said in the report, never counted as passed."""


class CurtainDown(Exception):
    """A clean twin is over: what the scenario expects of its attacks says nothing of a world without them."""


@dataclass(slots=True, repr=False, eq=False)
class Stage:
    """What a scenario is given under the name `world`. Everything before `run` sets the stage; afterwards `truth`,
    `history` and the world itself (`inner`) can be read."""

    spec: WorldSpec
    seed: int
    directory: Path
    defences: str  # "on", "off", or a named set; "clean": as "on", and the attackers stay away
    frames: bool = False
    engine: str = ENGINES[0]
    on_window: Callable[[World, int, int], None] | None = None
    home: str = KEYLESS  # the kind of system of which its scenario speaks where it names none
    staged: list[Staged] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    service_floor: float = SERVICE_FLOOR
    sights: Sequence[Sight] = ()
    costs: Sequence[Cost] = ()
    """Of the system, taken when the run was over."""
    _world: World | None = None
    _air_log: AirLog | None = None

    def __repr__(self) -> str:
        return f"<Stage {self.spec.name}, seed {self.seed}, defences {self.defences}>"

    if not TYPE_CHECKING:  # a type checker knows what a stage has

        def __getattr__(self, name: str) -> NoReturn:
            of_the_world = hasattr(World, name) or hasattr(object.__getattribute__(self, "_world"), name)
            there = f"; the world itself has it: world.inner.{name}"
            way_out = there if of_the_world else did_you_mean(name, dir(self))
            raise AttributeError(f"a scenario's world has no '{name}'{way_out}")

    # --- before the run -----------------------------------------------------------------------------------------

    def set(self, key: str, value: Any) -> None:
        """Change one dotted setting of the world before it is made."""
        if self._world is not None:
            raise RuntimeError(f"world.set({key!r}) must come before the world is used")
        self.spec = self.spec.with_setting(key, value)

    def attack(self, attack: Any, *, place: Place | None = None) -> Any:
        """Put an attack on stage; it starts with the world."""
        if self._world is not None:
            raise RuntimeError(f"world.attack({attack.record.id}) must come before the world is used")
        missing = self.spec.lacks(attack.record.needs)
        if missing:
            raise LeftOut(f"{attack.record.id} {missing}")
        attack_record.look(attack)
        self.staged.append(Staged(attack, place or Place()))
        return attack

    @property
    def inner(self) -> World:
        """The world itself, made at first use. Raises RuntimeError in place of an AttributeError, which Python would
        take for a world that the stage has not."""
        try:
            return self._made()
        except AttributeError as error:
            raise RuntimeError(f"the world cannot be made: {told(error)}") from error

    def _made(self) -> World:
        if self._world is None:
            world = World(self.spec, self.seed, self.directory, frames=self.frames, engine=self.engine)
            self._world = world
            self._air_log = AirLog(world, self.directory / "air.pcapng")
            secrets.listen(world)
            for staged in self.staged if self.defences != CLEAN else ():
                reach = reach_for(staged.attack.record, world, staged.place)
                steps = answer(staged.attack.run, reach, of="a process; write a yield in it", wanted=Generator)
                world.clock.process(steps)
        return self._world

    def run(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let world time pass. Several calls go on from one another."""
        duration_ns = round((days * 24 + hours + minutes / 60) * NS_PER_HOUR) + ns(seconds)
        self.inner.run(duration_ns, on_window=self._window_ended)

    def _window_ended(self, world: World, now_ns: int, end_ns: int) -> None:
        signals.obey()
        if self.on_window is not None:
            self.on_window(world, now_ns, end_ns)

    def fault(self, fault: AnyFault) -> Injection:
        """Inject a fault, now or when its settings say. The world is made by it: attacks come before."""
        missing = self.spec.lacks(fault.needs)
        if missing:
            raise LeftOut(f"{fault.id} {missing}")
        return self.inner.fault(fault)

    # --- after it -----------------------------------------------------------------------------------------------

    @property
    def truth(self) -> Truth:
        """What was really sent, against what the portal stored: see truth.md of the reference."""
        return self.inner.truth

    @property
    def history(self) -> History:
        """Everything that happened, and the counts of frames by fate (`history.fates`)."""
        return self.inner.history

    def expect(
        self,
        attack: Any,
        variant: str,
        *,
        threats: Iterable[str] = (),
        because: str | tuple[str, ...] = "",
        least: int = LEAST_SHOTS,
        few_because: str = "",
        within_s: float = 0.0,
        smgw: Here | None = None,
        **by_defences: tuple[Verdict | None, ...],
    ) -> None:
        """What must come out, as tuples over SECURITIES, for each set of defences ("on", "off", named). `threats`:
        those of the scenario's that this variant is about, where not all. `because`: the whole reasons
        (reasons.md of the reference) for which what is prevented is refused, alternatives with " | " between them, for
        all security modes or one text each. `least`: shots that must arrive; fewer than LEAST_SHOTS need the reason,
        `few_because`. `within_s`: how soon an alarm must come, where not as
        `clauses.limit_s` says. `smgw`: what must come out of the system of this name."""
        if self.defences == CLEAN:
            raise CurtainDown
        if least < LEAST_SHOTS and not few_because:
            raise ValueError(f"expect({variant!r}): least={least} needs few_because")
        known_threats(threats, f"expect({variant!r}): ")
        texts = (because,) * len(SECURITIES) if isinstance(because, str) else because
        if len(texts) != len(SECURITIES):
            raise ValueError(f"expect({variant!r}): because={because!r}: one text, or {len(SECURITIES)}, one a mode")
        terms = tuple(Terms(least, whole_reasons.read(text, attack.record), within_s) for text in texts)
        others = whole_reasons.read(smgw.because, attack.record) if smgw else ()
        if self.spec.system.kind != self.home:
            if smgw is None:
                raise ValueError(f"expect({variant!r}): say what system '{self.spec.system.kind}' must do")
            everywhere = (smgw.on,) * len(SECURITIES)
            off = by_defences.get("off", everywhere) if smgw.off is None else (smgw.off,) * len(SECURITIES)
            by_defences = {name: everywhere for name in by_defences if name != "off"} | {"off": off}
            terms = tuple(one._replace(least=min(one.least, smgw.least)) for one in terms)
            if others:
                terms = tuple(one._replace(because=others) for one in terms)
        for name, verdicts in by_defences.items():
            if len(verdicts) != len(SECURITIES):
                raise ValueError(f"expect({variant!r}, {name}=...): {len(SECURITIES)} verdicts, one a security mode")
        self.expectations.append(Expectation(attack.record.id, variant, by_defences, tuple(threats), terms))

    def service(self, *, at_least: float, because: str) -> None:
        """The share of the clean twin's readings that meters which are not attacked must still give, where the attack
        costs them more than a twentieth; `because` says how."""
        if not because:
            raise ValueError("world.service: say why these attacks cost others so much")
        self.service_floor = at_least

    def measure(self, name: str, value: float, unit: str = "") -> Measure:
        """A figure for the report; `.at_least(x)` and `.at_most(x)` give it limits."""
        measure = Measure(name, float(value), unit)
        self.measures.append(measure)
        return measure

    def outcomes(self) -> list[tuple[Any, Outcome]]:
        """(attack, outcome) of all attacks on stage, worked out from the truth."""
        return [
            (s.attack, outcome)
            for s in self.staged
            for outcome in answer(s.attack.outcomes, self.truth, of="a list of outcomes", wanted=(list, tuple))
        ]

    def close(self) -> None:
        """The rig's: close the world and its capture, pack what is large."""
        with contextlib.ExitStack() as stack:
            if self._world is not None:
                stack.callback(pack, self.directory)
                stack.callback(self._world.close)
            if self._air_log is not None:
                stack.callback(self._air_log.close)

    @property
    def made(self) -> bool:
        """Whether the scenario has used the world."""
        return self._world is not None
