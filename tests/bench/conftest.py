"""What the rig's tests begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.command_line import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """An empty folder for scenarios, and one for runs."""
    return Rig(tmp_path)
