"""What can be wrong between this machine and an account: one sentence each, with the way out. What stands for the
service is the local one, or a socket that does not speak; what it says in TLS and MQTT is what the service's words
would be taken from."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sim.core import clock
from sim.endpoint import event_loop
from sim.endpoint.kinds import aws_iot
from sim.endpoint.kinds.aws_iot import AwsIot, AwsIotSpec
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import OutOfReach, WrongFile
from sim.pki.authority import LEAF_DAYS, Authority
from tests.sim.endpoint.aws_as_service import Account
from tests.sim.endpoint.brokers import found_mosquitto


def nobody_listens(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        account.spec = replace(account.spec, port=free.getsockname()[1])


def no_such_host(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.start()
    account.spec = replace(account.spec, host="none-ats.iot.mars-north-1.invalid")


def says_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "DIAL_DEADLINE_S", 0.2)
    monkeypatch.setattr(aws_iot, "START_DEADLINE_S", 1.0)
    silent = socket.create_server(("127.0.0.1", 0))
    account.spec = AwsIotSpec(
        host="localhost", port=silent.getsockname()[1], identities=str(account.pki),
        authorities=str(account.pki / "ca.crt"),
    )  # fmt: skip
    account.local.stop = silent.close  # type: ignore[method-assign]


def expired(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.wall_now()
    with monkeypatch.context() as past:
        past.setattr(clock, "wall_now", lambda: now - timedelta(days=LEAF_DAYS + 2))
        for suffix in ("crt", "key"):
            (account.pki / f"portal.{suffix}").unlink()
        account.authority.device("portal")
    account.start()


def foreign(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.lay(Authority(account.pki / "other").device("portal"))
    account.start()


def revoked(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.start()
    account.local.revoke("portal")
    account.local.settle(lambda: False, 0.2)


def another_root(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.start()
    account.spec = replace(account.spec, authorities=str(Authority(account.pki / "other").certificate))


def the_clock_is_behind(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's certificate begins tomorrow by this machine's clock."""
    now = clock.wall_now()
    with monkeypatch.context() as ahead:
        ahead.setattr(clock, "wall_now", lambda: now + timedelta(days=2))
        account.local._write_files()
        monkeypatch.setattr(account.local, "_write_files", _kept(account.local._write_files()))
    account.start()


def _kept(files: Any) -> Callable[[], Any]:
    return lambda: files


def denied(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.lay(account.authority.device("gw1"))
    account.start()


def a_quota_is_used_up(account: Account, _monkeypatch: pytest.MonkeyPatch) -> None:
    account.local.spec = replace(account.local.spec, enforce_rates=True)  # type: ignore[call-arg]
    account.start()
    other = account.local.connect(account.local.identity("portal"))
    account.local.settle(lambda: other.connected, 10.0)


def another_region(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket's address is signed for a region."""
    users = account.pki / "users.json"
    users.write_text(json.dumps({"AKIDLOCAL": {"secret_key": "made-here", "client": "portal"}}))
    account.local.spec = replace(account.local.spec, web=True, web_users=str(users))  # type: ignore[call-arg]
    account.start()
    assert account.local.web_address is not None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDLOCAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-here")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    account.spec = replace(account.spec, port=account.local.web_address.port, transport="websocket", region="us-east-1")


ROWS: dict[str, tuple[Callable[[Account, pytest.MonkeyPatch], None], str]] = {
    "nobody listens": (nobody_listens, "is endpoint.port right, 8883 or 443"),
    "no such host": (no_such_host, "is endpoint.host right, and the network up"),
    "nothing is said": (says_nothing, "is the port open from here? 443 is, where 8883 is not"),
    "another region": (another_region, "is endpoint.region the endpoint's, and the access key active"),
    "an expired certificate": (expired, "renew it: `./wmbench aws rotate portal`"),
    "a foreign certificate": (foreign, "is its certificate active and of this account and region"),
    "a revoked certificate": (revoked, "it was revoked: `./wmbench aws rotate portal`"),
    "another root": (another_root, "is endpoint.authorities Amazon's root"),
    "the clock is behind": (the_clock_is_behind, "is this machine's clock right"),
    "a policy denies": (denied, "does the policy of its certificate allow iot:Connect under this client id"),
    "a quota is used up": (a_quota_is_used_up, "Or a quota of the account is used up"),
}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    found_mosquitto()
    made = Account(tmp_path)
    yield made
    made.local.stop()


@pytest.mark.parametrize("row", ROWS)
def test_one_sentence_names_it_and_the_way_out(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    prepare, expected = ROWS[row]
    prepare(account, monkeypatch)
    aws = AwsIot(tmp_path / "aws", account.spec)
    with contextlib.closing(_Stopped(aws)), pytest.raises(OutOfReach) as raised:
        aws.start()
    said = str(raised.value)
    print(said)
    assert expected in said
    assert "\n" not in said and said.startswith("endpoint aws_iot: ")


class _Stopped:
    def __init__(self, aws: AwsIot) -> None:
        self.close = aws.stop


# --- what is not there, and what is not followed -----------------------------------------------------------------


def test_a_setting_that_is_missing_is_named_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in aws_iot._VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "root.pem").write_text("")
    given: dict[str, str] = {}
    for key, value in (("host", "localhost"), ("identities", str(tmp_path)), ("authorities", f"{tmp_path}/root.pem")):
        spec = AwsIotSpec(**given)  # type: ignore[arg-type]
        variable = f"WMBENCH_AWS_{key.upper()}"
        assert aws_iot.KIND.missing is not None
        assert aws_iot.KIND.missing(spec).startswith(
            f"endpoint aws_iot: no {key}; set endpoint.{key} or the variable {variable}"
        )
        with pytest.raises(OutOfReach, match=f"no {key}"):
            spec.found()
        given[key] = value
    spec = AwsIotSpec(**given)  # type: ignore[arg-type]
    assert aws_iot.KIND.missing(spec) == ""
    with pytest.raises(OutOfReach, match=r"no file .*portal\.crt; prepare 'portal'"):
        AwsIot(tmp_path / "aws", spec).start()
    assert "is not there" in aws_iot.KIND.missing(replace(spec, authorities=f"{tmp_path}/none.pem"))


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("rules", None, "no such file or directory; name a file of JSON"),
        ("rules", "[", "no JSON"),
        ("rules", "{}", "holds no JSON list"),
        ("rules", '[{"ruleName": "r", "topicRulePayload": {"sql": "SELEC 1", "actions": []}}]', "should; mend it"),
        ("rules", '[{"ruleName": "r", "topicRulePayload": {"sql": "SELECT 1 AS a FROM \'a\'", "actions": [{"sqs": '
         '{"queueUrl": "${"}}]}}]', "rule 'r': action sqs, 'queueUrl': character"),
        ("rules", '[{"ruleName": "r", "topicRulePayload": {"sql": "SELECT 1 AS a FROM \'a\'", "actions": [{"lambda": '
         '{"functionArn": "arn:aws:lambda:eu-central-1:1:function:f"}}]}}]', "endpoint.functions names no program for"),
        ("rules", '[{"ruleName": "r", "topicRulePayload": {"sql": "SELECT 1 AS a FROM \'a\'", "actions": '
         '[{"republish": {"topic": "b", "qos": 2}}]}}]', "'qos' is 0 or 1, not 2"),
        ("rules", '[{"ruleName": "r", "topicRulePayload": {"sql": "SELECT 1 AS a FROM \'a\'", "actions": '
         '[{"timestream": {"tableName": "b", "dimensions": ["x"]}}]}}]', "'dimensions' is a list of"),
        ("policies", '{"gw1": "{"}', "policy of 'gw1': not JSON"),
        ("policies", '{"*": [{"Statement": {"Effect": "Allow"}}]}', "Statement[0] needs either Action or NotAction"),
        ("functions", '{"f": "rm"}', "'f' is to be a list of texts, a program and its words"),
        ("web_users", '{"AKID": {"client": "a"}}', "'AKID' is to be"),
        ("templates", '{"t": {}}', "template 't'"),
    ],
)
def test_a_file_that_cannot_be_followed_is_named(tmp_path: Path, key: str, text: str | None, said: str) -> None:
    found_mosquitto()
    place = tmp_path / "given.json"
    if text is not None:
        place.write_text(text)
    local = AwsLocal(tmp_path / "local", AwsLocalSpec(**{key: str(place)}))  # type: ignore[arg-type]
    with pytest.raises(WrongFile) as raised:
        local.start()
    local.stop()
    words = str(raised.value)
    assert words.startswith(f"endpoint.{key}: ") and str(place) in words and said.lower() in words.lower(), words
