"""What a part's port says of its fields is held against every part when it is loaded, by one rule for all kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bench.run_directory import ROOT
from sim.core.part_fields import ill_typed, key_twice, no_settings
from sim.core.parts import Folder
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.registry import ENDPOINTS
from sim.gateway.registry import GATEWAYS
from sim.meters.encodings import Field
from sim.meters.meter_type import KINDS, BadKind
from sim.portal.alarm import ALARMS, Watcher
from sim.portal.alarms import gap
from sim.portal.check import CHECKS
from sim.portal.checks import age, ts
from sim.portal.store_port import STORES


@dataclass(frozen=True)
class Kindless(EndpointSpec):
    lose_every: int = 0


@dataclass(frozen=True)
class Misspelt(EndpointSpec):
    kind: str = "leeky"


class Undecorated(EndpointSpec):
    kind: str = "memory"
    lose_every: int = 5


class Loose:
    deluge_least: int = 7


class Deluge:
    """It has a Watcher's methods, and is none."""

    def __init__(self, around: object) -> None: ...


KEYS = "and no @dataclass(frozen=True) above it"
MANY: list[tuple[Folder[Any], str, dict[str, Any], str]] = [
    (ALARMS, "gap", {"order": "late"}, "ALARM: order is 'late' and no whole number"),
    (ALARMS, "gap", {"order": True}, "ALARM: order is True and no whole number"),
    (ALARMS, "gap", {"watcher": Deluge}, "ALARM: watcher is Deluge, which is no Watcher; write class Deluge(Watcher)"),
    (ALARMS, "gap", {"watcher": "Gap"}, "ALARM: watcher is 'Gap' and no function"),
    (ALARMS, "gap", {"settings": Loose}, f"Loose has keys (deluge_least) {KEYS}"),
    (ALARMS, "gap", {"settings": 7}, "ALARM: settings is 7 and no class"),
    (CHECKS, "ts", {"settings": Loose}, f"Loose has keys (deluge_least) {KEYS}"),
    (CHECKS, "ts", {"window": 1.5}, "CHECK: window is 1.5 and no whole number"),
    (ENDPOINTS, "memory", {"features": frozenset({"acll"})},
     "KIND: features says 'acll', which there is not; did you mean 'acl'? Known: "),
    (ENDPOINTS, "memory", {"features": "acl"}, "KIND: features is 'acl' and no frozenset"),
    (ENDPOINTS, "memory", {"spec": Kindless},
     "Kindless has no kind, and the id is 'memory'; write kind: str = \"memory\" in Kindless"),
    (ENDPOINTS, "memory", {"spec": Misspelt}, "Misspelt has kind 'leeky', and the id is 'memory'"),
    (ENDPOINTS, "memory", {"spec": Undecorated}, f"Undecorated has keys (kind, lose_every) {KEYS}"),
    (ENDPOINTS, "memory", {"spec": Loose},
     "KIND: spec is Loose, which is no EndpointSpec; write class Loose(EndpointSpec)"),
    (ENDPOINTS, "memory", {"ready": None}, "KIND: ready is None and no function"),
    (GATEWAYS, "virtual", {"spec": Misspelt}, "KIND: spec is Misspelt, which is no GatewaySpec"),
    (GATEWAYS, "virtual", {"id": 7}, "KIND: id is 7 and no text"),
    (STORES, "sqlite", {"opened": None}, "STORE: opened is None and no function"),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "id_", "other", "said"), MANY)
def test_what_a_port_does_not_allow_is_said(folder: Folder[Any], id_: str, other: dict[str, Any], said: str) -> None:
    part = folder.find(id_)
    assert folder.unfit(part) == ""
    assert folder.unfit(replace(part, **other)).startswith(said)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"fields": ((b"\x0c\x13", "bcd8", "volume"),)}, r"fields \[0\] is \(.*\); write Field\(\.\.\.\)"),
        ({"fields": [Field(b"\x0c\x13", "bcd8", "volume")]}, r"fields is \[Field.*\] and no tuple"),
        ({"device_type": "02"}, "device_type is '02' and no whole number"),
        ({"securities": ("mode6",)}, r"securities \[0\] says 'mode6', which there is not; did you mean 'mode7'"),
        ({"id_range": (1, 2, 3)}, r"id_range is \(1, 2, 3\); it has 2 values"),
    ],
)  # fmt: skip
def test_a_meter_type_is_looked_at_before_its_tables(other: dict[str, Any], said: str) -> None:
    with pytest.raises(BadKind, match=f"^vipa-c10: {said}"):
        replace(KINDS.find("vipa-c10"), **other)


def test_a_key_that_two_parts_have_is_said_with_both_files() -> None:
    @dataclass(frozen=True)
    class Mine:
        age_max_s: float = 240.0

    @dataclass(frozen=True)
    class Derived(age.Settings):
        age_least_s: float = 1.0

    assert key_twice((ts.Settings, age.Settings, Derived, gap.Settings)) == ""
    assert key_twice((ts.Settings, age.Settings, Mine)) == (
        f"{age.__file__} (Settings) and {__file__} (Mine) both have the key 'age_max_s'; give yours another name"
    )


@pytest.mark.parametrize(("key", "file"), [("age_max_s", "checks/age.py"), ("billing", "portal_spec.py")])
def test_a_key_that_is_taken_is_refused_by_the_command_line(key: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "alarms").mkdir()
    (tmp_path / "wmbench.toml").write_text("")
    (tmp_path / "alarms" / "deluge.py").write_text(
        '"""Too much water."""\n\nfrom dataclasses import dataclass\n\n'
        "from sim.portal.alarm import Alarm, Watcher\n\n\n"
        f"@dataclass(frozen=True)\nclass Settings:\n    {key}: float = 1.0\n\n\n"
        'ALARM = Alarm("deluge", 90, Watcher, Settings)\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "bench", "show", "deluge"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{file} (" in done.stderr
    assert f"deluge.py (Settings) both have the key '{key}'" in done.stderr
    assert "cannot be imported" not in done.stderr


def test_other_classes_say_nothing() -> None:
    assert ill_typed(3) == "" and no_settings(int) == ""
    assert no_settings(EndpointSpec) == ""


def test_a_hook_that_a_watcher_has_not_is_said() -> None:
    class Wet(Watcher):
        def refuse(self, meter: str, gateway: str, now_ns: int, detail: str) -> None:
            """Misspelt."""

    class Dry(Watcher):
        def _refuse(self) -> None:
            """Its own."""

    gap = ALARMS.find("gap")
    said = (
        "Wet.refuse is no method of Watcher and is never called; did you mean 'refused'? One of its own begins with _"
    )
    assert ALARMS.lacks(replace(gap, watcher=Wet), "gap") == said
    assert ALARMS.lacks(replace(gap, watcher=Dry), "gap") == ""


def test_what_was_left_out_is_said_with_all_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "stores_left_out"
    place.mkdir()
    (place / "__init__.py").write_text("")
    (place / "tally.py").write_text("from sim.portal.store_port import StoreKind\n\nSTORE = StoreKind('tally', open)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = Folder("stores_left_out", "STORE", "store", STORES.port)
    with pytest.raises(Exception, match=r"line 3: .* argument: 'opened'; it takes, in this order, id, title, opened$"):
        folder.parts()
