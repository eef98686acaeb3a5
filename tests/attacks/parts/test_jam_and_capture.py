"""Between meters and their gateway: chosen telegrams are taken, others are not, and never our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks.attack import Can, Record
from attacks.parts.jam_and_capture import Shadow
from attacks.reach import Place, reach_for
from sim.core.bundle import Heard
from sim.core.clock import NS_PER_S
from sim.core.events import Fate
from sim.truth.ground_truth import Spoken, fingerprint
from sim.world import World
from tests.small_worlds import dozen, keyless
from tests.wmbus.published import telegrams
from wmbus.telegram import parse

FRAME = next(one.frame for one in telegrams() if one.record["mode"] == 0 and one.record.get("manufacturer") == "QDS")
MAKER = parse(FRAME).address.manufacturer


class Radio:
    """An attacker's handle that only remembers."""

    def __init__(self) -> None:
        self.now_ns = NS_PER_S
        self.heard: Callable[[Heard], None] = lambda _: None
        self.jams: Callable[[bytes], bool] = lambda _: False

    def listen(self, watcher: Callable[[Heard], None]) -> None:
        self.heard = watcher

    def on_header(self, decide: Callable[[bytes], bool]) -> None:
        self.jams = decide

    def note(self, action: str, detail: str) -> None:
        pass

    def speak(self, telegram: bytes) -> Spoken:
        return Spoken(0, 0, self.now_ns, telegram)


def test_own_frames_are_neither_jammed_nor_taken() -> None:
    taken: list[bytes] = []
    radio, shadow = Radio(), Shadow(lambda known, heard: taken.append(heard.telegram))
    shadow.listen(radio)
    for _ in range(2):
        radio.heard(Heard(FRAME, radio.now_ns, -60.0))
    assert taken == []
    shadow.begin(radio, each=1, makers=(MAKER,))
    assert radio.jams(FRAME[:10])
    radio.heard(Heard(FRAME, radio.now_ns, -60.0))
    assert taken == [FRAME]
    changed = FRAME[:-1] + b"\x00"
    shadow.speak(radio, changed)
    assert not radio.jams(changed[:10])
    radio.heard(Heard(changed, radio.now_ns, -40.0))
    radio.now_ns += NS_PER_S
    assert radio.jams(FRAME[:10]), "the meter's next frame is jammed again"
    shadow.end()
    assert not radio.jams(FRAME[:10])
    assert taken == [FRAME]


def test_the_gateway_loses_what_the_attacker_has(tmp_path: Path) -> None:
    # the jammer drowns its group at both gateways
    spec = dozen(tmp_path, site__mixed=False, site__gateways="every k-th")
    with World(spec, 1, tmp_path / "world") as world:
        record = Record("test.shadow", "A test", (), Can.HEAR | Can.SPEAK | Can.SHAPE, (), {}, "", frozenset(), "doc")
        place = Place(metres=1.0, power_dbm=0.0, ear=Place(metres=-12.0, sensitivity_dbm=-110.0))
        reach: Any = reach_for(record, world, place)
        held: list[Heard] = []
        shadow = Shadow(lambda known, heard: held.append(heard))

        def steps() -> Any:
            shadow.listen(reach)
            yield reach.wait(60.0)
            shadow.begin(reach, each=2, makers=("QDS",))

        reach.go(steps())
        world.run(180 * NS_PER_S)
        assert len(held) > 10
        assert world.history.fates[Fate.JAMMED.label] > 10
        stored = {row.fingerprint for row in keyless(world).portal.store.readings()}
        kept = [heard for heard in held if fingerprint(heard.telegram) not in stored]
        assert len(kept) > 0.8 * len(held)
