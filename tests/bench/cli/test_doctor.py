from __future__ import annotations

import json
import re
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli import doctor
from sim.endpoint import mosquitto_program
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.mosquitto_program import NotFound
from sim.endpoint.registry import ENDPOINTS


def by_name(checks: list[doctor.Check]) -> dict[str, doctor.Check]:
    return {check.name: check for check in checks}


def test_a_ready_machine_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main() == 0
    said = capsys.readouterr().out
    assert said.rstrip().endswith("ready")
    assert "not ready" not in said
    assert "wmbusmeters (optional)" in said


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(as_json=True) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert set(checks["numpy"]) == {"name", "ok", "detail", "way_out", "required"}
    assert checks["numpy"]["required"]
    assert not checks["tshark"]["required"]


def test_the_broker_is_started_with_tls() -> None:
    checks = by_name(doctor.run_doctor())
    assert checks["endpoint mosquitto"].ok
    assert checks["endpoint mosquitto starts"].ok
    assert "took a client with a certificate" in checks["endpoint mosquitto starts"].detail


def test_each_kind_of_endpoint_is_tried() -> None:
    checks = by_name(doctor.run_doctor())
    tried = {id_ for id_, kind in ENDPOINTS.parts().items() if kind.ready().ok}
    assert {"memory", "mosquitto", "aws_local"} <= tried
    for id_ in tried:
        assert checks[f"endpoint {id_} starts"].ok, checks[f"endpoint {id_} starts"].detail


def test_an_endpoint_that_needs_an_account_is_no_fault_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WMBENCH_AWS_HOST", raising=False)
    check = by_name(doctor.run_doctor())["endpoint aws_iot"]
    assert (check.ok, check.required) == (False, False)
    assert "WMBENCH_AWS_HOST" in check.way_out


def test_a_machine_without_a_broker_is_ready_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mosquitto_program, "find_mosquitto", lambda: NotFound("nowhere"))
    assert doctor.main() == 0
    said = capsys.readouterr().out
    assert "nowhere" in said and "take another" in said.replace("\n", " ")
    assert "apt install mosquitto" in said
    assert "endpoint mosquitto starts" not in said


def test_an_endpoint_that_says_no_readiness_is_told_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = ENDPOINTS.find("memory")
    monkeypatch.setattr(ENDPOINTS, "_parts", {"odd": replace(memory, id="odd", ready=lambda: True), "memory": memory})
    odd, asked, _ = doctor._endpoints()
    assert (odd.name, odd.ok, asked.ok) == ("endpoint odd", False, True)
    said = r"<lambda> returned True and not a Readiness\(ok, detail, way_out\)"
    assert re.fullmatch(rf"{re.escape(__file__)}, line \d+: {said}", odd.detail)


def test_a_broker_that_does_not_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_broker: Mosquitto) -> None:
        raise RuntimeError("it lacks a library")

    monkeypatch.setattr(Mosquitto, "start", breaks)
    check = by_name(doctor.run_doctor())["endpoint mosquitto starts"]
    assert (check.ok, check.detail) == (False, "it lacks a library")


def test_a_missing_package_makes_it_unready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_NEEDED", {"nonesuch_package": "nonesuch"})
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "not ready: nonesuch" in said
    assert "./wmbench setup" in said


def test_a_full_disk_and_a_folder_of_others_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 10**8, 10**8))
    assert not doctor._space(tmp_path).ok
    assert "0.1 GB free" in doctor._space(tmp_path).detail
    assert doctor._writable(tmp_path / "runs").ok
    assert list(tmp_path.iterdir()) == []
    assert not doctor._writable(Path("/proc/runs")).ok


@pytest.mark.parametrize(
    ("text", "detail", "required"),
    [
        (None, "was not filled by ./wmbench", False),
        ("unfinished\n", "half made", True),
        ('{"requirements": "0123456789abcdef"}', "requirements 0123456789ab", True),
    ],
)
def test_the_environments_stamp(
    text: str | None, detail: str, required: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr(doctor, "_STAMP", tmp_path / "wmbench-stamp.json")
    if text is not None:
        (tmp_path / "wmbench-stamp.json").write_text(text, encoding="utf-8")
    check = doctor._environment()
    assert detail in check.detail
    assert check.required is required
