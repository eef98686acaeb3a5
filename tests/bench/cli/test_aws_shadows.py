"""`./wmbench aws shadows`: of a run's folder, of an account (moto's server), and what can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.exit_codes import INCONCLUSIVE_EXIT, USAGE_EXIT
from sim.endpoint.aws import shadow_file
from sim.endpoint.aws.account_ledger import Ledger
from sim.endpoint.aws.shadows import Shadows


def kept(folder: Path, **things: dict[str, object]) -> None:
    shadows = Shadows()
    for thing, reported in things.items():
        shadows.handle(thing, None, "update", json.dumps({"state": {"reported": reported}}).encode(), 1_700_000_000)
    folder.mkdir(parents=True)
    shadow_file.write(shadows, folder)


def test_a_run_lists_its_gateways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(tmp_path / "one" / "on" / "endpoint", gw1={"firmware": "1.0", "meters": 7, "backlog": 2, "quarantined": 0,
                                                    "last_heard_ns": 90_000_000_000})  # fmt: skip
    assert main(["aws", "shadows", str(tmp_path)]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "gateway",
        "firmware",
        "meters",
        "backlog",
        "quarantined",
        "last",
        "heard",
        "reported",
        "version",
    ]
    assert row.split() == ["gw1", "1.0", "7", "2", "0", "90.0", "2023-11-14T22:13:20+00:00", "1"]
    kept(tmp_path / "one" / "off" / "endpoint", gw1={"firmware": "1.1"})
    assert main(["aws", "shadows", "--json", str(tmp_path)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["gateway"], one["firmware"], one["meters"]) for one in rows] == [
        ("one/off: gw1", "1.1", None), ("one/on: gw1", "1.0", 7),
    ]  # fmt: skip


def test_what_a_device_reported_reaches_no_terminal_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tmp_path / "endpoint", gw1={"firmware": "\x1b[2J", "meters": {"a": ["\x07"]}, "last_heard_ns": "soon"})
    assert main(["aws", "shadows", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out and "\\x1b[2J" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], "name either a run's directory or --dir"), (["nowhere"], "no folder nowhere"), (["."], "holds no shadows"),
     (["--dir", "."], "no ledger ledger.jsonl")],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["aws", "shadows", *words]) == USAGE_EXIT
    said = capsys.readouterr().err
    assert expected in said and said.count("\n") == 1


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """moto's server, which checks what boto3 really sends."""
    server = pytest.importorskip("moto.server", reason="the extra aws-tests is not here: ./wmbench setup aws-tests")
    from tests.sim.endpoint.aws.moto_account import REGION, boto3, credentials

    credentials(monkeypatch, tmp_path)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*running.get_host_and_port()))
    yield boto3.Session(region_name=REGION)
    running.stop()


def test_an_account_lists_its_things(account: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(tmp_path / "aws" / "ledger.jsonl", "123456789012", account.region_name)
    for name in ("gw1", "gw2"):
        account.client("iot").create_thing(thingName=name)
        ledger.made("thing", name)
    account.client("iot-data").update_thing_shadow(
        thingName="gw1", payload=b'{"state":{"reported":{"firmware":"1.0"}}}'
    )
    assert main(["aws", "shadows", "--dir", str(tmp_path / "aws"), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["gateway"], one["firmware"], one["version"]) for one in rows] == [
        ("gw1", "1.0", 1),
        ("gw2", None, None),
    ]
    assert main(["aws", "shadows", "--dir", str(tmp_path / "aws"), "--region", "eu-west-1"]) == INCONCLUSIVE_EXIT
    assert "these credentials are of" in capsys.readouterr().err
