"""What the portal costs in a world: its processor time for each telegram received, copies included, all defences on.

    python -m bench.perf.portal
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.rig.scenario import load_world
from sim.core.clock import NS_PER_HOUR
from sim.core.events import BundleClosed
from sim.endpoint.port import Message
from sim.systems.keyless import keyless
from sim.world import World


def telegram_us(hours: int = 12) -> float:
    """Microseconds of processor time a telegram in a bundle, from the message to the commit: decoded, opened, judged,
    stored. A thousand meters at 900 s, embedded broker."""
    spec = load_world("day-1000").with_setting("endpoint.kind", "memory")
    with tempfile.TemporaryDirectory(prefix="wmbench-portal-") as folder, World(spec, 1, Path(folder)) as world:
        portal = keyless(world.system).portal
        took_s, take = 0.0, portal.take

        def timed(messages: list[Message], now_ns: int) -> list[Message]:
            nonlocal took_s
            begin_s = time.process_time()
            answers: list[Message] = take(messages, now_ns)
            took_s += time.process_time() - begin_s
            return answers

        portal.take = timed  # type: ignore[assignment]
        world.run(hours * NS_PER_HOUR)
        return 1e6 * took_s / sum(bundle.telegrams for bundle in world.history.of(BundleClosed))


if __name__ == "__main__":
    print(f"the portal takes {telegram_us():.1f} us of processor time a telegram received")
