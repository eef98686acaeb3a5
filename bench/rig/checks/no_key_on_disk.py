"""No key and no plaintext leaves the portal: none is in a file of the run (the history, the gateways' outboxes, the
broker's state, the portal's tables, the packet capture) and none in a message or topic. What is looked for, and in
which forms, is in `bench.rig.secrets`.

The places that may hold keys are left out: the authority's folder, those of a system that has some by design, and what
an attacker owns. A real gateway that decodes has readings in clear where it works, and no key outside of its own
files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.rig import secrets
from bench.rig.checks.port import Invariant
from sim.endpoint.port import EndpointError
from sim.world import World


def check(world: World, attacked: bool) -> list[str]:
    world.history.flush()
    hidden = secrets.of_world(world)
    opened = {one.opened_in for one in world.gateways if one.opened_in is not None}
    problems: dict[tuple[str, Path], str] = {}
    for path in _files(world):
        with path.open("rb") as file:
            for found in hidden.in_file(file):
                if found.secret.startswith(secrets.CANARY) and not opened.isdisjoint(path.parents):
                    continue
                where = path.relative_to(world.directory)
                problems.setdefault((found.secret, path), f"{found.secret} stands in {where} ({found.form})")
    in_clear = secrets.said_in_clear(world, hidden, {secret for secret, _ in problems})
    stand = [line for (secret, _), line in problems.items() if secret not in in_clear]
    return [*stand, *secrets.said(world)]


def _files(world: World) -> Iterator[Path]:
    """Those of the run that may hold no secret."""
    places = {*world.system.key_places, world.directory / "attacker"}
    try:
        if world.system.endpoint is not None:
            places.add(world.system.endpoint.authority.directory)
    except EndpointError:  # a broker without certificates
        pass
    for path in sorted(world.directory.rglob("*")):
        if path.is_file() and places.isdisjoint([path, *path.parents]):
            yield path


INVARIANT = Invariant("no_key_on_disk", "no key and no plaintext is in a file or message of the run", check)
