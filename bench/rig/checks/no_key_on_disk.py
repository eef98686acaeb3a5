"""No meter key lies in a file of the run: not in the history, the gateways' outboxes, the broker's state, the portal's
tables, the packet capture. The portal holds keys in memory; a run writes none.

Some sixteen meters' keys are looked for, spread over the fleet, as raw bytes and as hex in either case.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sim.world import World

TITLE = "no meter key is in a file of the run"
KEYS = 16
BLOCK_BYTES = 1 << 20  # files of a month do not fit in memory
OVERLAP_BYTES = 31  # a key in hex, but for its last letter, may end a block


def check(world: World, attacked: bool) -> list[str]:
    world.history.flush()
    step = max(1, world.fleet.n // KEYS)
    keys = {str(world.fleet.address(m)): key for m in range(0, world.fleet.n, step) if (key := world.fleet.key(m))}
    places = set(world.system.key_places)
    files = [p for p in sorted(world.directory.rglob("*")) if p.is_file() and places.isdisjoint([p, *p.parents])]
    return [
        f"the key of {address} stands in {path.relative_to(world.directory)}" for path, address in found_in(files, keys)
    ]


def found_in(paths: Iterable[Path], keys: dict[str, bytes]) -> list[tuple[Path, str]]:
    """(file, meter) of each key that stands in a file."""
    found = []
    for path in paths:
        left = dict(keys)
        with path.open("rb") as file:
            content = b""
            while block := file.read(BLOCK_BYTES):
                content = content[-OVERLAP_BYTES:] + block
                lower = content.lower()
                for address, key in keys.items():
                    if address in left and (key in content or key.hex().encode() in lower):
                        del left[address]
                        found.append((path, address))
    return found
