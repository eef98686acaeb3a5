"""What the tests of single attacks share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.core.clock import NS_PER_S
from sim.world import World
from tests.small_worlds import dozen


@pytest.fixture
def run_world(tmp_path: Path) -> Iterator[World]:
    """A dozen meters after three minutes."""
    with World(dozen(tmp_path), 1, tmp_path / "world") as made:
        made.run(180 * NS_PER_S)
        yield made
