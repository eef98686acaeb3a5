"""Rows whose defect is a fault of a broker and of no setting, revocation while sessions live, the companion for AWS."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.broker.broker_suite import Attack, rows_named
from bench.broker.broker_target import Shown, Target
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import Address
from sim.pki.authority import Authority
from tests.bench.broker.configured import SMALL, Broker, running
from tests.bench.broker.fragile_broker import fragile
from tests.sim.endpoint.brokers import make

ROWS = {"malformed": "not-mqtt", "resets": "resets", "flood": "flooding", "half": "resets"}


def played(target: Target, directory: Path, *rows: str) -> dict[str, tuple[str, str]]:
    directory.mkdir(exist_ok=True)
    attack = Attack(target, rows_named(rows), directory)
    attack.run()
    print(
        attack.no_broker,
        *(f"{one.answer} {one.row.id} {one.duration_s} {one.words}" for one in attack.findings),
        sep="\n",
    )
    return {one.row.id: (one.answer, one.words) for one in attack.findings}


@pytest.mark.parametrize("defect", ["", *ROWS])
def test_a_fault_of_the_broker_turns_its_row_red(tmp_path: Path, defect: str) -> None:
    with fragile(defect) as broker:
        where = Address("127.0.0.1", broker.port)
        target = Target(where, "localhost", Shown("a"), Shown("b"), deadline_s=2.0, **SMALL)  # type: ignore[arg-type]
        came = played(target, tmp_path / "runs", "not-mqtt", "resets", "flooding", "encrypted", "anonymous")
    red = {id_ for id_, (answer, _) in came.items() if answer == "FAIL"}
    assert red == {"encrypted", "anonymous", *([ROWS[defect]] if defect else [])}
    assert all(answer in ("PASS", "FAIL") for answer, _ in came.values())


KICK = """
import os, signal, sys
from pathlib import Path
from sim.pki.authority import Authority
Authority(Path(sys.argv[1])).revoke(sys.argv[2])
os.kill(int(sys.argv[3]), getattr(signal, sys.argv[4]))
"""


@pytest.mark.parametrize("how", ["SIGHUP", "SIGKILL"])
def test_a_live_session_of_a_revoked_certificate(tmp_path: Path, how: str) -> None:
    """On SIGHUP Mosquitto reads the list and leaves live sessions alone; a broker that ends does not."""
    with running(tmp_path / "b") as broker:
        target = with_revocation(broker, how)
        came = played(target, tmp_path / "runs", "live-revocation", *(["revoked"] if how == "SIGHUP" else []))
    if how == "SIGHUP":
        assert came["live-revocation"][0] == "FAIL" and "goes on" in came["live-revocation"][1]
        assert came["revoked"] == ("PASS", "it refuses it: TLS: alert certificate revoked")
    else:
        assert came["live-revocation"][0] == "PASS"


def with_revocation(broker: Broker, how: str) -> Target:
    pid = broker.child.pid  # type: ignore[attr-defined]
    place = str(broker.authority.directory)
    broker.more |= {"revoked": None, "deadline_s": 2.0,
                    "revoke": (sys.executable, "-c", KICK, place, "{client}", str(pid), how)}  # fmt: skip
    return broker.target()


@pytest.mark.parametrize(
    ("command", "said"),
    [((sys.executable, "-c", "raise SystemExit(3)"), "ended with 3"), (("no-such-program",), "did not run")],
)
def test_a_revocation_that_did_not_happen_decides_nothing(tmp_path: Path, command: tuple[str, ...], said: str) -> None:
    with running(tmp_path / "b") as broker:
        broker.more["revoke"] = command
        answer, words = played(broker.target(), tmp_path / "runs", "live-revocation")["live-revocation"]
    assert answer == "INCONCLUSIVE" and said in words


def test_a_certificate_refused_for_another_reason_decides_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "b") as broker:
        pair = Authority(tmp_path / "other").device("gw-9")
        broker.more["revoked"] = Shown("gw-9", pair.certificate, pair.key)
        answer, words = played(broker.target(), tmp_path / "runs", "revoked")["revoked"]
    assert answer == "INCONCLUSIVE" and "unknown ca" in words


def test_a_topic_that_nobody_may_use_decides_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "b") as broker:
        broker.more |= {"topic": "other/{client}", "deadline_s": 0.5}
        came = played(broker.target(), tmp_path / "runs", "foreign-read", "any-topic", "message-size")
    assert {answer for answer, _ in came.values()} == {"INCONCLUSIVE"}
    assert all("--topic" in words for _, words in came.values())


def test_without_a_second_identity_its_rows_are_named(tmp_path: Path) -> None:
    with running(tmp_path / "b") as broker:
        target = broker.target()
        target = Target(target.address, target.name, target.first, None, authorities=target.authorities)
        came = played(target, tmp_path / "runs", "foreign-read", "foreign-write", "client-id", "flooding")
    assert {answer for answer, _ in came.values()} == {"NOT APPLICABLE"}
    assert all("--second-certificate" in words for _, words in came.values())


def test_the_companion_for_aws_withstands_what_its_service_would(tmp_path: Path) -> None:
    program = make(tmp_path / "unused")
    made = AwsLocal(tmp_path / "b", AwsLocalSpec(), program=program._program, environment=program._environment)
    made.start()
    try:
        assert made.address is not None
        first, second = (made.identity(f"gw-{n}") for n in (1, 2))
        where = Address("127.0.0.1", made.address.port)
        target = Target(
            where, "localhost", Shown("gw-1", first.certificate, first.key),
            Shown("gw-2", second.certificate, second.key), authorities=first.authorities, broker="aws", **SMALL,
        )  # type: ignore[arg-type]  # fmt: skip
        rows = ("anonymous", "any-topic", "aws-topics", "client-id", "foreign-read", "foreign-write", "retained-poison",
                "sys-topics", "tls-versions", "server-chain", "message-size", "on-the-wire")  # fmt: skip
        came = played(target, tmp_path / "runs", *rows)
    finally:
        made.stop()
    assert {id_ for id_, (answer, _) in came.items() if answer == "FAIL"} == set()
    assert {id_ for id_, (answer, _) in came.items() if answer == "INCONCLUSIVE"} == set()
