"""Settings of a world that are allowed each and contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.options import Options, changed
from sim.core.settings import SpecError
from sim.gateway.bundling import LONGEST_TELEGRAM_BYTES, limits_of
from sim.world import World
from sim.world_spec import load
from tests.small_worlds import TOML, dozen

BOTH = r"gateway\[0\]\.bundle_bytes.* {} is above endpoint\.max_message_bytes, {}"


def written(folder: Path, *, bundle_bytes: int, max_message_bytes: int) -> Path:
    text = TOML.replace("count = 2\n", f"count = 2\nbundle_bytes = {bundle_bytes}\n")
    path = folder / "dozen.toml"
    path.write_text(f"{text}max_message_bytes = {max_message_bytes}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_bundle_larger_than_a_message_is_refused_with_both_keys(tmp_path: Path, over: int) -> None:
    path = written(tmp_path, bundle_bytes=5_000 + over, max_message_bytes=5_000)
    if over <= 0:
        assert load(path).gateway[0].bundle_bytes == 5_000 + over
        return
    line = 1 + path.read_text(encoding="utf-8").splitlines().index("bundle_bytes = 5001")
    with pytest.raises(SpecError, match=f"line {line}: " + BOTH.format(5_001, 5_000)):
        load(path)


def test_so_it_is_when_the_command_line_or_code_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=BOTH.format(100_000, 50_000)):
        changed(dozen(tmp_path), Options(None, ("endpoint.max_message_bytes=50000",)))
    both = ("endpoint.max_message_bytes=50000", "gateway.bundle_bytes=50000")
    assert changed(dozen(tmp_path), Options(None, both)).endpoint.max_message_bytes == 50_000
    with pytest.raises(SpecError, match=BOTH.format(100_000, 50_000)):
        World(dozen(tmp_path, endpoint__max_message_bytes=50_000), 1, tmp_path / "world")
    assert not (tmp_path / "world").exists()


def test_a_name_that_leaves_no_room_for_a_telegram_is_refused(tmp_path: Path) -> None:
    spec = dozen(tmp_path, gateway__bundle_bytes=1_000)
    spec.refuse_contradictions()
    assert limits_of(spec.gateway[0], "gw-0001").size_bytes > 2 * LONGEST_TELEGRAM_BYTES
    with pytest.raises(SpecError, match="no room for one telegram"):
        spec.with_setting("gateway.name", "g" * 400).refuse_contradictions()


@pytest.mark.parametrize(
    ("table", "line", "says"),
    [
        ('[system]\nkind = "smgw"\ndelivery_s = 1_000', "delivery_s", "system.delivery_s: 1000 is no multiple"),
        ('[system]\nkind = "smgw"\npadding_bytes = 255', "padding_bytes", "system.padding_bytes: 255 is no size"),
        ('[system]\nkind = "smgw"\nfeed_in = true', "feed_in", "system.feed_in: wired meters alone measure it"),
        ('[portal]\nstore = "parquet"\n[system]\nkind = "smgw"', "store", "portal.store: system 'smgw' keeps"),
        ('[backhaul]\nkind = "nb-iot"\n[system]\nkind = "smgw"', "kind = \"nb-iot", "needs bundles; system 'smgw'"),
        ('[[gateway]]\nname = "b"\nshadow = true', "shadow", "shadow = true needs an endpoint with shadows"),
    ],
    ids=["delivery", "padding", "feed in", "store", "backhaul", "shadow"],
)  # fmt: skip
def test_what_a_system_cannot_be_is_refused_with_file_and_line(
    tmp_path: Path, table: str, line: str, says: str
) -> None:  # fmt: skip
    path = tmp_path / "dozen.toml"
    path.write_text(f"{TOML}{table}\n", encoding="utf-8")
    number = next(n for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text.startswith(line))
    with pytest.raises(SpecError, match=rf"dozen\.toml, line {number}: ") as refused:
        load(path)
    assert says in str(refused.value)


def test_an_unknown_kind_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"endpoint.kind.*mosquito.*did you mean 'mosquitto'.*memory"):
        dozen(tmp_path, endpoint__kind="mosquito")
    with pytest.raises(SpecError, match=r"gateway.kind.*virtul.*did you mean 'virtual'"):
        dozen(tmp_path, gateway__kind="virtul")
    assert dozen(tmp_path, gateway__kind="virtual").gateway[0].kind == "virtual"


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"kind 'memory' has no key 'bind_client_id'.*mosquitto have it"):
        dozen(tmp_path, endpoint__bind_client_id=False)
    spec = dozen(tmp_path, endpoint__kind="mosquitto").with_setting("endpoint.bind_client_id", False)
    assert "bind_client_id=False" in repr(spec.endpoint)
