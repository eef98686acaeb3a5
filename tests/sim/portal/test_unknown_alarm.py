"""An alarm that is raised or asked for under a name that there is not is refused, at the line that says it."""

from pathlib import Path

import pytest

from sim.core.parts import PartError
from sim.portal.portal_spec import PortalSpec
from tests.sim.portal.bed import Bed


def test_an_alarm_that_there_is_not_is_neither_raised_nor_asked(tmp_path: Path) -> None:
    bed = Bed(tmp_path, PortalSpec(alarms=()))
    episodes = bed.portal.alarms.episodes
    episodes.occur("freshness", "meter", 1, "it is off, and known")
    assert episodes.raised == []
    for ask in (lambda: episodes.occur("freshnes", "meter", 1, "odd"), lambda: episodes.standing("freshnes")):
        with pytest.raises(PartError, match=r"^there is no alarm 'freshnes'; did you mean 'freshness'\?$"):
            ask()
