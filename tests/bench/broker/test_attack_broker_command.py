"""`./wmbench attack broker` from the command line on a real Mosquitto, and what sslyze, a program that nobody here
wrote, says of the same listener."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.cli.main import main
from tests.bench.broker.configured import PASSWORD, Broker, by_passwords, running
from tests.bench.broker.test_attack_broker import old_tls, weak_suites

VERSIONS = {"tls_1_0": "TLS 1.0", "tls_1_1": "TLS 1.1", "tls_1_2": "TLS 1.2", "tls_1_3": "TLS 1.3"}


def words(broker: Broker, *more: str) -> list[str]:
    ca = str(broker.authority.certificate)
    target = broker.target()
    first, second = target.first, target.second
    assert second is not None
    found = ["attack", "broker", f"127.0.0.1:{broker.port}", "--name", "localhost", "--ca", ca, "--patience", "0.1",
             "--system-wait", "0.1", "--config", str(broker.config), *more]  # fmt: skip
    for prefix, one in (("--", first), ("--second-", second)):
        if one.certificate is not None:
            found += [f"{prefix}certificate", str(one.certificate), f"{prefix}key", str(one.key)]
        else:
            file = broker.folder / "secret.txt"
            file.write_text(PASSWORD + "\n", encoding="utf-8")
            found += [f"{prefix}user", one.client_id, f"{prefix}password-file", str(file)]
    return found


def test_the_command_prints_a_table_and_leaves_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    rows = "retained-poison,client-id,server-name,live-revocation"
    with running(tmp_path / "b", lambda broker: broker.settings.update(retain_available="true")) as broker:
        assert main(words(broker, "--rows", rows)) == 1
    out = capsys.readouterr().out
    assert "FAIL           retained-poison    W09" in out and "remedy: in Mosquitto's words" in out
    assert "NOT APPLICABLE live-revocation" in out and "failed: 2 PASS, 1 FAIL, 0 INCONCLUSIVE, 1 NOT APPL" in out
    run = tmp_path / "runs" / "latest"
    body = json.loads((run / "run.json").read_text())
    assert {row["row"]: row["answer"] for row in body["scenarios"]}["client-id"] == "PASS"
    (failed,) = [row for row in body["scenarios"] if row["answer"] == "FAIL"]
    setting = broker.config.read_text().splitlines()[failed["line"] - 1]
    assert setting == "retain_available true" and failed["seen"]["kept"] == 1
    results = json.loads((run / "findings.sarif").read_text())["runs"][0]["results"]
    assert [one["ruleId"] for one in results if one["kind"] == "fail"] == ["retained-poison"]
    (case,) = [case for case in ET.parse(run / "junit.xml").iter("testcase") if case.find("failure") is not None]
    assert "given to a later subscriber" in str(case.find("failure").get("message"))  # type: ignore[union-attr]
    page = (run / "report.html").read_text()
    assert "retain_available false" in page and "W09" in page


def test_no_password_is_kept_and_none_is_told_to_a_stranger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    with running(tmp_path / "b", by_passwords) as broker:
        assert main(words(broker, "--rows", "any-topic,foreign-write", "--json")) == 0
        other = tmp_path / "other.crt"
        from sim.pki.authority import Authority

        shutil.copy(Authority(tmp_path / "other").certificate, other)
        stranger = [str(other) if word == str(broker.authority.certificate) else word for word in words(broker)]
        before = (broker.folder / "broker.log").read_text().count("as gw-1")
        assert main([*stranger, "--rows", "any-topic,server-chain", "--json"]) == 1
        assert (broker.folder / "broker.log").read_text().count("as gw-1") == before
    out = capsys.readouterr().out
    assert PASSWORD not in out
    kept = [
        path for path in (tmp_path / "runs").rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]
    assert kept == []


def weak_and_named(broker: Broker) -> None:
    """Without anonymous suites: sslyze cannot end a handshake with one where a client certificate is asked for."""
    weak_suites(broker)
    broker.settings["ciphers"] = "ALL:eNULL:!aNULL:@SECLEVEL=0"


@pytest.mark.skipif(
    shutil.which("sslyze") is None, reason="allowed: sslyze is a foreign program, tried where it is on the PATH"
)
@pytest.mark.parametrize("change", [None, old_tls, weak_and_named], ids=["well", "old", "weak"])
def test_sslyze_sees_the_same_versions_and_suites(
    change: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    with running(tmp_path / "b", change) as broker:  # type: ignore[arg-type]
        main(words(broker, "--rows", "tls-versions,tls-ciphers"))
        out = tmp_path / "sslyze.json"
        command = ["sslyze", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", f"--json_out={out}",
                   f"127.0.0.1:{broker.port}"]  # fmt: skip
        subprocess.run(command, check=False, capture_output=True, timeout=300)
    (seen,) = json.loads(out.read_text())["server_scan_results"]
    scans = seen["scan_result"]
    accepted = {
        version: scans[f"{key}_cipher_suites"]["result"]["accepted_cipher_suites"] for key, version in VERSIONS.items()
    }
    body = json.loads((tmp_path / "runs" / "latest" / "run.json").read_text())
    rows = {row["row"]: row for row in body["scenarios"]}
    assert rows["tls-versions"]["seen"]["agreed"] == [version for version, suites in accepted.items() if suites]
    names = [one["cipher_suite"]["name"] for one in accepted["TLS 1.2"]]
    weak = {
        "no encryption (NULL)": [one for one in names if "_NULL_" in one],
        "no authentication (aNULL)": [one for one in names if "_anon_" in one and "_NULL_" not in one],
        "no forward secrecy (RSA key exchange)": [
            one for one in names if one.startswith("TLS_RSA_") and "NULL" not in one
        ],
    }
    took = rows["tls-ciphers"]["seen"]["agreed"]
    assert {what: what in took for what in weak} == {what: bool(found) for what, found in weak.items()}
