"""One scenario, run once with every defence on, and its messages taken again by portals with other switches.

What an attacker does on the air or at the broker does not depend on what the portal makes of it, so the same messages
at the same instants are a fair question to each portal. What came of the attack is asked of the scenario's own attack
and of the world's own truth, which look at the portal that took the messages last.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from attacks.attack import Outcome
from bench.defences.switches import portal_of
from bench.rig.scenario import CurtainDown, LeftOut, Mark, Stage, load_world
from sim.endpoint.port import Message
from sim.portal.portal import Portal
from sim.portal.store.sqlite import SqliteStore
from sim.systems.keyless import keyless
from sim.world import World

T = TypeVar("T")
Cell = tuple[str, str, str]
"""Attack, variant, security mode."""
Take = tuple[Sequence[Message], int]
"""Messages, and when (world ns) the portal took them."""
_MODULES: Final = "wmbench_traced_"


class Trace:
    """`cells(on)`: what each attack achieved against a portal with these defences; asked again, it is remembered. Close
    it, whatever happened. Raises LeftOut where the scenario cannot be traced, and what its world raises."""

    def __init__(self, entry: dict[str, Any], directory: Path, *, seed: int | None = None) -> None:
        self.id = str(entry["id"])
        function = _function(entry)
        mark: Mark = function.__wmbench__  # type: ignore[attr-defined]
        spec = load_world(mark.world, beside=Path(entry["file"]).parent)
        for key, value in mark.settings.items():
            spec = spec.with_setting(key, value)
        spec = spec.with_setting("endpoint.kind", "memory").with_setting("portal.store", "sqlite")
        missing = spec.lacks(mark.needs)
        if missing:
            raise LeftOut(missing)
        self.replays = 0
        self._known: dict[frozenset[str], dict[Cell, int]] = {}
        self.stage = Tapped(spec, mark.seeds[0] if seed is None else seed, directory, "on")
        try:
            with contextlib.suppress(AssertionError, CurtainDown):  # of its own defences; here others are asked
                function(world=self.stage)
            if not self.stage.staged:
                raise LeftOut("no attack is on its stage")
            if self.stage.inner.injections:
                raise LeftOut("a fault strikes in it, which messages alone do not repeat")
        except BaseException:
            self.stage.close()
            raise

    def cells(self, on: frozenset[str]) -> dict[Cell, int]:
        known = self._known.get(on)
        if known is None:
            known = self._known[on] = {
                (attack.record.id, outcome.variant, outcome.security): outcome.achieved
                for attack, outcome in self.with_portal(on, self.stage.outcomes)
            }
        return known

    def with_portal(
        self, on: frozenset[str], ask: Callable[[], list[tuple[Any, Outcome]]]
    ) -> list[tuple[Any, Outcome]]:
        """What `ask` finds while the world's portal is one with these defences."""
        self.replays += 1
        return with_other_portal(self.stage, on, ask)

    def close(self) -> None:
        self.stage.close()


class Tapped(Stage):
    """A stage that keeps what its portal took: (messages, when)."""

    @property
    def inner(self) -> World:
        made = self.made
        world = super().inner
        if not made:
            self.takes: list[Take] = []
            world.system.message_taps.append(lambda messages, at_ns: self.takes.append((list(messages), at_ns)))
        return world


def with_other_portal(stage: Tapped, on: frozenset[str], ask: Callable[[], T]) -> T:
    """The stage's messages taken by a new portal with these defences; what `ask` finds while it is the system's."""
    world, system = stage.inner, keyless(stage.inner.system)
    own, tables = system.portal, system.stored
    with tempfile.TemporaryDirectory(prefix="wmbench-defences-") as folder:
        portal = Portal(
            portal_of(world.spec.portal, on), Path(folder), world.calendar, lambda _event: None,
            keyring=system.keyring, registry=copy.deepcopy(system.registry),
        )  # fmt: skip
        if isinstance(portal.store, SqliteStore):
            portal.store.connection.execute("PRAGMA synchronous = OFF")  # nobody will want it back
        try:
            for messages, now_ns in stage.takes:
                portal.take(messages, now_ns)
            system.portal, system.stored = portal, system.tables_of(portal)
            world.truth.look_again()
            return ask()
        finally:
            system.portal, system.stored = own, tables
            world.truth.look_again()
            portal.close()


def _function(entry: dict[str, Any]) -> Callable[..., None]:
    """The scenario's function, from its file. Raises what importing it raises."""
    path = Path(entry["file"])
    name = _MODULES + path.stem
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None and found.loader is not None, "it was listed from there"
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    function: Callable[..., None] = getattr(module, str(entry["id"]).rpartition("::")[2])
    return function
