"""`./wmbench aws provision | rotate | revoke | cleanup` by HTTP against moto's server, and each thing that can be
wrong: one sentence, INCONCLUSIVE, and a line that says what stands in the account."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.exit_codes import INCONCLUSIVE_EXIT, INTERRUPTED_EXIT, USAGE_EXIT
from sim.endpoint.aws.aws_refusals import sentence
from tests.sim.endpoint.aws.moto_account import REGION, boto3, credentials, left_in, signs_the_request

server = pytest.importorskip("moto.server", reason="the extra aws-tests is not here: ./wmbench setup aws-tests")


@pytest.fixture
def iot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    credentials(monkeypatch, tmp_path)
    signs_the_request(monkeypatch, tmp_path)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield boto3.client("iot", region_name=REGION)
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    running.stop()


def aws(folder: Path, *words: str) -> int:
    return main(["aws", *words, "--dir", str(folder / "aws")])


def test_from_nothing_to_nothing(iot: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aws(tmp_path, "provision", "gw-0001", "--prefix", "test") == 0
    said = capsys.readouterr().out
    assert "gw-0001: key made here" in said and "export WMBENCH_AWS_HOST=" in said
    assert left_in(iot)["things"] == ["portal", "doctor", "gw-0001"]
    assert sorted(left_in(iot)["policies"]) == ["test-gateway", "test-portal"]
    assert b"BEGIN CERTIFICATE" in (tmp_path / "aws" / "root.pem").read_bytes()
    assert aws(tmp_path, "rotate", "gw-0001") == 0 and aws(tmp_path, "revoke", "gw-0001") == 0
    assert aws(tmp_path, "cleanup") == 0
    assert "nothing is left in the account" in capsys.readouterr().out
    assert left_in(iot) == {"certificates": [], "things": [], "policies": []}
    secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    written = [path.read_bytes() for path in (tmp_path / "aws").rglob("*") if path.is_file()]
    assert written and not any(secret in one for one in written)


CASES = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no credentials; set AWS_"),
    "half of them": ({"AWS_SECRET_ACCESS_KEY": None}, "the credentials are not whole"),
    "no region": ({"AWS_REGION": None}, "no region; set --region or AWS_REGION"),
    "a wrong region": ({"AWS_REGION": "mars!"}, "that is no region"),
    "nobody listens": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "the endpoint cannot be reached; is the"),
    "no profile": ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE names no profile"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    credentials(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    changes, expected = CASES[case]
    for name, value in changes.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    assert aws(tmp_path, "provision") == INCONCLUSIVE_EXIT
    said = capsys.readouterr().err
    assert expected in said and said.count("\n") == 1 and said.startswith("wmbench: INCONCLUSIVE: ")
    assert not (tmp_path / "aws").exists()


def test_what_stands_is_told_when_aws_refuses_midway(
    iot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quota that is hit at the second device: the first stands, half of the second does."""
    from moto.iot.exceptions import IoTClientError
    from moto.iot.models import IoTBackend

    def refuse(*_: Any, **__: Any) -> None:
        raise IoTClientError("LimitExceededException", "no")

    assert aws(tmp_path, "provision") == 0
    capsys.readouterr()
    with monkeypatch.context() as full:
        full.setattr(IoTBackend, "attach_policy", refuse)
        assert aws(tmp_path, "provision", "gw-0001") == INCONCLUSIVE_EXIT
    stands, why = capsys.readouterr().err.splitlines()
    assert "2 policies, 3 things, 3 certificates stand in the account" in stands and "aws cleanup --dir" in stands
    assert "a quota of the account is full" in why
    assert aws(tmp_path, "provision", "gw-0001") == 0
    assert aws(tmp_path, "cleanup") == 0 and left_in(iot) == {"certificates": [], "things": [], "policies": []}


def test_an_interruption_tells_what_stands(
    iot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sim.endpoint.aws.provisioning.Provisioning._put_in_place", interrupt)
    assert aws(tmp_path, "provision") == INTERRUPTED_EXIT
    said = capsys.readouterr().err
    assert "1 policy, 1 thing, 1 certificate stand in the account, by" in said and "aws cleanup --dir" in said


def test_credentials_of_another_region_reach_nothing(
    iot: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aws(tmp_path, "provision") == 0
    assert aws(tmp_path, "rotate", "portal", "--region", "eu-west-1") == INCONCLUSIVE_EXIT
    said = capsys.readouterr().err
    assert "in eu-central-1, and these credentials are of" in said and "use the ones it was made with" in said


@pytest.mark.parametrize(
    ("code", "expected"),
    [("AccessDeniedException", "lack this permission"), ("InvalidSignatureException", "clock right?"),
     ("ExpiredTokenException", "expired; fetch new ones"), ("LimitExceededException", "a quota of the account is full"),
     ("ThrottlingException", "say it again"), ("UnrecognizedClientException", "is not known there"),
     ("Strange\x1b[2J", "AWS refused to ask whose credentials these are: Strange\\x1b")],
)  # fmt: skip
def test_what_aws_refuses_is_one_sentence(code: str, expected: str) -> None:
    from botocore.exceptions import ClientError

    said = sentence("ask whose credentials these are", ClientError({"Error": {"Code": code, "Message": "no"}}, "Ask"))
    assert expected in said and "\n" not in said and "\x1b" not in said


def test_names_and_folders_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        aws(tmp_path, "provision", "../x")
    assert "cannot be a device name" in capsys.readouterr().err
    assert aws(tmp_path, "cleanup") == USAGE_EXIT
    assert "no ledger" in capsys.readouterr().err
