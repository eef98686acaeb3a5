"""py-ppc-smgw, unchanged, against our HAN: from login to export and logout. It wants Python 3.13, so it runs as a
program of its own: the one that WMBENCH_PPC_PYTHON names, or `python3.13` on the PATH, where py-ppc-smgw is
installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sim.pki.signed_content import DATA, verify
from sim.smart_metering.han.dialects.ppc import DIALECT as PPC
from sim.smart_metering.han.export import readings
from sim.smgw.logs.log_entries import LogEvent
from tests.sim.smart_metering.han.home_bed import GATEWAY, NOW_S, BedSource, home

PROGRAM = Path(__file__).with_name("ppc_client_run.py")
PYTHON = os.environ.get("WMBENCH_PPC_PYTHON") or shutil.which("python3.13") or ""


def has_client() -> bool:
    if not PYTHON:
        return False
    try:
        done = subprocess.run([PYTHON, "-c", "import py_ppc_smgw"], capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return done.returncode == 0


def play(port: int, user: str, certificate: Path, pin: str) -> dict[str, Any]:
    command = [PYTHON, str(PROGRAM), str(port), user, str(certificate)]
    done = subprocess.run(command, input=pin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return dict(json.loads(done.stdout))


def test_the_free_client_reads_what_the_gateway_has(tmp_path: Path) -> None:
    if not has_client():
        pytest.skip("allowed: no Python 3.13 with py-ppc-smgw; name one in WMBENCH_PPC_PYTHON")
    source = BedSource(tmp_path / "gateway")
    at = home(tmp_path, PPC, source)
    with at.serving() as port:
        said = play(port, "consumer-1", at.certificate, at.pins["consumer-1"])
    assert said["wrong password"] == "refused"
    assert said["meters"] == [["emh000000010102", "EMH 00000001 01 02"]]
    assert list(said["reading"].values()) == [["1.26", "2026-03-03T03:00:00"]]
    assert said["profile"] == ["emh000000010102", 900, True, 1]
    assert len(said["entries"]) == said["signatures"] == 97
    assert said["entries"][0] == [pytest.approx(1.0), 2, "2026-03-02T01:00:00+01:00"]
    assert said["entries"][-1] == [pytest.approx(1.24), 2, "2026-03-03T01:00:00+01:00"]
    assert said["firmware"] == [["smart gateway", "1.0", "00" * 32]] and said["session"] is False
    events = [row.entry.event for row in source.log("flat 1")][2:]
    assert events == [LogEvent.LOGIN_FAILED, LogEvent.LOGIN, LogEvent.LOGOUT]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="allowed: no openssl on the PATH")
def test_openssl_checks_an_export_and_refuses_a_changed_one(tmp_path: Path) -> None:
    source = BedSource(tmp_path / "gateway")
    made = readings(GATEWAY, source.meters, source.certificate, source.sign, NOW_S)
    from cryptography.hazmat.primitives.serialization import Encoding

    (tmp_path / "signer.pem").write_bytes(source.certificate.public_bytes(Encoding.PEM))
    for name, data, code in (("good", made, 0), ("bad", made.replace(b">10000<", b">10001<", 1), 4)):
        (tmp_path / name).write_bytes(data)
        words = "openssl cms -verify -inform DER -noverify -nointern -certfile signer.pem"
        command = [*words.split(), "-in", name, "-out", f"{name}.xml"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == code, done.stderr
    assert (tmp_path / "good.xml").read_bytes() == verify(made, source.certificate, type_=DATA).content
