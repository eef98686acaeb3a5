"""What a flood of ghosts cost, worked out from the truth."""

from __future__ import annotations

from attacks.ghosts import bundled_bytes
from sim.core.clock import NS_PER_S
from sim.world import World


def test_bytes_are_counted_by_when_their_bundle_closed(run_world: World) -> None:
    truth, end_ns = run_world.truth, run_world.now_ns + 1
    whole, half = bundled_bytes(truth, 0, end_ns), bundled_bytes(truth, 0, 90 * NS_PER_S)
    assert whole > half > 0
    assert bundled_bytes(truth, 90 * NS_PER_S, end_ns) == whole - half
