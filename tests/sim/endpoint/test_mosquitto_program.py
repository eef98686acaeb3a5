"""The package is truly fetched, unpacked and started where there is an apt-get; the rest runs on stand-ins."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.endpoint import apt_packages, mosquitto_program
from sim.endpoint.apt_packages import AptPackages, CannotFetch
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.mosquitto_program import Found, NotFound, find_mosquitto
from sim.endpoint.port import EndpointError
from tests.sim.endpoint.brokers import until

NOWHERE = "/nonexistent"


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    mosquitto_program._find.cache_clear()
    yield
    mosquitto_program._find.cache_clear()


def stand_in(folder: Path, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "mosquitto"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def no_package(monkeypatch: pytest.MonkeyPatch, reason: str = "no network") -> None:
    class Broken(AptPackages):
        def unpack(self, package: str, into: Path) -> str:
            raise CannotFetch(reason)

    monkeypatch.setattr(mosquitto_program, "AptPackages", Broken)


def test_the_package_is_unpacked_started_and_carries_a_message(tmp_path: Path) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("allowed: no apt-get, so no package of a distribution")
    said: list[str] = []
    cache = tmp_path / "cache"
    found = find_mosquitto(path=NOWHERE, cache=cache, say=said.append)
    assert isinstance(found, Found), found
    assert found.program.is_relative_to(cache / found.program.relative_to(cache).parts[0])
    assert found.program.relative_to(cache).parts[0].startswith("mosquitto-2")
    assert found.environment is not None
    assert "LD_LIBRARY_PATH" in found.environment
    assert said
    assert not list(cache.glob(".unpacking-*"))

    broker = Mosquitto(tmp_path / "broker", program=found.program, environment=found.environment)
    try:
        broker.start()
        portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",))
        gateway = broker.connect(broker.identity("gw-1"))
        until(broker, lambda: portal.connected and gateway.connected)
        gateway.publish("gw/gw-1/up", b"a bundle")
        until(broker, lambda: bool(portal.inbox))
        assert (portal.inbox[0].topic, portal.inbox[0].payload) == ("gw/gw-1/up", b"a bundle")
    finally:
        broker.stop()

    # The next run finds it there, and needs no network.
    mosquitto_program._find.cache_clear()
    said.clear()
    again = find_mosquitto(path=NOWHERE, cache=cache, say=said.append)
    assert again == found
    assert said == []


def test_the_path_comes_first(tmp_path: Path) -> None:
    program = stand_in(tmp_path / "bin", "echo mosquitto version 2.1.9")
    assert find_mosquitto(path=str(tmp_path / "bin"), cache=tmp_path) == Found(program, None, "2.1.9")


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("echo mosquitto version 1.6.12", "is version 1.6.12, too old"),
        ("echo error while loading shared libraries: libx.so.1 >&2; exit 127", "libx.so.1"),
        ("exit 0", "it says nothing"),
    ],
)
def test_a_program_that_will_not_do_is_named_with_the_reason(
    says: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_package(monkeypatch)
    stand_in(tmp_path / "bin", says)
    found = find_mosquitto(path=str(tmp_path / "bin"), cache=tmp_path / "cache", say=lambda _: None)
    assert isinstance(found, NotFound)
    assert reason in found.reason
    assert "(no network)" in found.reason


def test_none_to_be_had_names_reason_and_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt_packages.shutil, "which", lambda tool: None)  # type: ignore[attr-defined]
    found = mosquitto_program._fetch(tmp_path, lambda _: None)
    assert isinstance(found, NotFound)
    assert found.reason == "this system has no apt-get"
    assert "apt install mosquitto" in found.way_out
    with pytest.raises(EndpointError, match=r"no apt-get.*--endpoint memory"):
        found.program  # noqa: B018


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    found = find_mosquitto(path=NOWHERE, cache=tmp_path / "cache", say=lambda _: None)
    assert isinstance(found, NotFound)
    assert f"cannot write in {tmp_path / 'cache'}" in found.reason


def test_a_damaged_unpacking_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FromHere(AptPackages):
        def unpack(self, package: str, into: Path) -> str:
            stand_in(into / "usr/sbin", "echo mosquitto version 2.0.18")
            return "2.0.18-1"

    monkeypatch.setattr(mosquitto_program, "AptPackages", FromHere)
    monkeypatch.setattr(mosquitto_program, "_add_libraries", lambda *_: None)
    stand_in(tmp_path / "mosquitto-2.0.18-1/usr/sbin", "exit 1")
    found = find_mosquitto(path=NOWHERE, cache=tmp_path, say=lambda _: None)
    assert isinstance(found, Found)
    assert found.version == "2.0.18"
    assert found.program == tmp_path / "mosquitto-2.0.18-1/usr/sbin/mosquitto"


def test_libraries_are_taken_level_by_level_and_only_those_that_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mosquitto needs liba and libhere; liba needs libb. The machine has libhere; adduser is no library."""
    needs = {"mosquitto": ["liba", "libhere", "adduser"], "liba": ["libb", "mosquitto"], "libb": ["libc"]}
    taken: list[str] = []

    class Made:
        def depends(self, package: str) -> list[str]:
            return needs[package]

        def has(self, package: str) -> bool:
            return package == "libhere"

        def unpack(self, package: str, into: Path) -> str:
            taken.append(package)
            return "1"

    monkeypatch.setattr(mosquitto_program, "_missing_libraries", lambda _: [] if "libb" in taken else ["libb.so.1"])
    mosquitto_program._add_libraries(Made(), tmp_path)  # type: ignore[arg-type]
    assert taken == ["liba", "libb"]


def test_depends_takes_the_first_of_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "mosquitto\n  Depends: adduser\n  Depends: libc6\n |Depends: lsb-base\n  Depends: sysvinit-utils\n"
    said += "  PreDepends: init-system-helpers\n  Depends: <virtual>\n    real\n"
    monkeypatch.setattr(apt_packages, "_run", lambda *_, **__: said)
    monkeypatch.setattr(apt_packages.shutil, "which", lambda tool: tool)  # type: ignore[attr-defined]
    found = AptPackages(Path("/nonexistent"), lambda _: None).depends("mosquitto")
    assert found == ["adduser", "libc6", "lsb-base", "init-system-helpers"]
