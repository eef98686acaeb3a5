"""A world whose gateway outside of it decodes: it has the fleet's keys, and its values are held against the truth."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench.rig import checks
from sim.core.clock import NS_PER_S
from sim.feeders.kinds.codec import CodecFeeder
from sim.gateway.kinds.box import VALUES, BoxGateway, BoxSpec
from sim.truth.given_values import judged
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import dozen

DESK = """
[[gateway]]
name = "decoder"
feed = [{{ kind = "codec", format = "rtl_wmbus", line = {{ kind = "stdin" }} }}]
read = [{{ kind = "stdout", values = "$", meter = "$.id", means = {{ total_m3 = "volume_l m3" }} }}]
listen = {{ broker = false }}
claims = {{ forwards = "decoded", modes = ["T1"] }}
keys = {{ path = "keys/{{meter}}", content = "{{meterkey}}" }}

[gateway.run]
command = ["sh", "-c", '''{script}''']
env = {{ PYTHONPATH = "{{root}}" }}
ready_line = "ready"
"""
DECODER = "exec {python} -m tests.bench.desk.small_gateway decoder"
GIVEN = "values that a gateway gave are the values sent"
AT_WORK = "the real gateway was at work"
NO_KEY = "no key and no plaintext is in a file or message of the run"


def decoded(folder: Path, script: str = DECODER, **more: object) -> WorldSpec:
    desk = folder / "inventory.toml"
    desk.write_text(DESK.format(script=script))
    spec = dozen(folder, clock__kind="wall", clock__rate=20.0, clock__late_most_s=30.0, fleet__type="qundis-q-water")
    box = BoxSpec("gw", entry="decoder", inventory=str(desk), bundle_age_s=5.0, drain_s=4.0, **more)  # type: ignore[arg-type]
    return dataclasses.replace(spec, gateway=(box,))


def found_in(spec: WorldSpec, folder: Path) -> tuple[dict[str, str], World]:
    with World(spec, 3, folder) as world:
        world.run(60 * NS_PER_S)
        world.truth.look_again()
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        assert gateway.box.handed.frames == 36
        return dict(checks.apply(world, attacked=False)), world


def test_its_values_are_those_that_its_meters_sent(tmp_path: Path) -> None:
    with World(decoded(tmp_path), 3, tmp_path / "run") as world:
        world.run(60 * NS_PER_S)
        world.truth.look_again()
        assert checks.apply(world, attacked=False) == []
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        found = judged(world.truth, gateway)
        assert (found.true, found.all) == (36, 36), "of meters in all three modes, with their keys"
        assert world.stored.count_readings() == 0, "no telegram came out of it"
        assert len(gateway.key_places) == 8 and all(place.exists() for place in gateway.key_places)
        rows = [json.loads(line) for line in (gateway.box.directory / VALUES).read_text().splitlines()]
        assert len(rows) == gateway.as_json()["values_told"] == 36


def test_without_keys_it_reads_what_is_in_clear(tmp_path: Path) -> None:
    with World(decoded(tmp_path, give_keys=False), 3, tmp_path / "run") as world:
        world.run(60 * NS_PER_S)
        world.truth.look_again()
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        found = judged(world.truth, gateway)
        assert gateway.key_places == () and not found.wrong
        assert 0 < found.true == found.all <= 12, "telegrams of four meters are in clear"
        assert checks.apply(world, attacked=False) == []


@pytest.mark.parametrize(
    ("script", "title", "words"),
    [
        ('{python} -m tests.bench.desk.small_gateway decoder | sed -u "s/total_m3...../&9/"', GIVEN,
         "36 of 36 deliveries, first: meter "),
        ('{python} -m tests.bench.desk.small_gateway decoder | sed -u "s/id...../&9/"', GIVEN,
         "of which no telegram was received by then"),
        ("cp -r keys copied; " + DECODER, NO_KEY, "stands in gateways/gw-0001/copied/"),
        ("echo ready; cat >/dev/null", AT_WORK, "decoder delivered none of 36 telegrams: nothing is known to be wrong"),
        ('echo ready; while read line; do echo "{{"; done', AT_WORK, "cannot be read (not JSON"),
    ],
)  # fmt: skip
def test_one_that_is_worse_is_found_out(tmp_path: Path, script: str, title: str, words: str) -> None:
    found, _ = found_in(decoded(tmp_path, script), tmp_path / "run")
    assert words in found.pop(title)
    assert not found


def test_one_that_ends_is_named_and_proves_nothing(tmp_path: Path) -> None:
    with World(decoded(tmp_path, "echo ready; read line; exit 3"), 3, tmp_path / "run") as world:
        world.run(60 * NS_PER_S)
        found = dict(checks.apply(world, attacked=False))
    assert "decoder: its program ended with 3" in found[AT_WORK]
    assert AT_WORK in checks.unproven()


def test_a_dongle_that_falls_silent_is_named(tmp_path: Path) -> None:
    """It is there and takes nothing: no frame is lost at its line, and none is handed over."""
    with World(decoded(tmp_path), 3, tmp_path / "run") as world:
        gateway = world.gateways[0]
        assert isinstance(gateway, BoxGateway)
        feeder = gateway.box.feeders[0]
        assert isinstance(feeder, CodecFeeder)
        feeder.mute = True
        world.run(30 * NS_PER_S)
        found = dict(checks.apply(world, attacked=False))
    assert "was handed none of 19 telegrams: the rtl_wmbus at standard input is mute" in found.pop(AT_WORK)
    assert not found
