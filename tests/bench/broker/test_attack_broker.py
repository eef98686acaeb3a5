"""The attack on a broker: a Mosquitto that is configured well passes every row, and each defect of its configuration
turns exactly the rows red that speak of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.broker.broker_suite import Attack, rows_named
from bench.broker.rows.port import BROKER_ROWS
from bench.run_directory import ROOT
from tests.bench.broker import configured
from tests.bench.broker.configured import Broker, by_passwords, running
from tests.night import NIGHT

Change = Callable[[Broker], None]


def setting(**settings: str | None) -> Change:
    def change(broker: Broker) -> None:
        for key, value in settings.items():
            if value is None:
                del broker.settings[key]
            else:
                broker.settings[key] = value

    return change


def anonymous(broker: Broker) -> None:
    """Who has a password is who it says, and everybody else is let in too; with a client id that is bound to a name
    nobody would be."""
    by_passwords(broker)
    broker.settings["allow_anonymous"] = "true"
    del broker.settings["use_username_as_clientid"]


def acl(text: str) -> Change:
    def change(broker: Broker) -> None:
        broker.acl = configured.ACL + text

    return change


def old_tls(broker: Broker) -> None:
    broker.settings |= {"tls_version": "tlsv1.1", "ciphers": "DEFAULT:@SECLEVEL=0"}


def weak_suites(broker: Broker) -> None:
    configured.rsa_server(broker)
    broker.settings["ciphers"] = "ALL:eNULL:aNULL:@SECLEVEL=0"


def expired(broker: Broker) -> None:
    pair = broker.authority.expired()
    broker.settings |= {"certfile": str(pair.certificate), "keyfile": str(pair.key)}


def wrong_name(broker: Broker) -> None:
    pair = broker.authority.server(("broker.example",), file_name="other")
    broker.settings |= {"certfile": str(pair.certificate), "keyfile": str(pair.key)}


def rogue_server(broker: Broker) -> None:
    other = configured.Authority(broker.folder / "other-ca").server()
    broker.settings |= {"certfile": str(other.certificate), "keyfile": str(other.key)}


def any_authority(broker: Broker) -> None:
    """It trusts the authority of the test's own rogue, whose key the row makes when there is none yet."""
    rogue = configured.Authority(broker.folder / "runs" / "rogue-certificate" / "rogue", "wmbench rogue CA")
    both = broker.folder / "both.crt"
    both.write_bytes(broker.authority.certificate.read_bytes() + rogue.certificate.read_bytes())
    lists = broker.folder / "both.crl"
    lists.write_bytes(broker.authority.crl.read_bytes() + rogue.crl.read_bytes())
    broker.settings |= {"cafile": str(both), "crlfile": str(lists)}


def clear(broker: Broker) -> None:
    by_passwords(broker)
    for key in ("certfile", "keyfile", "tls_version"):
        del broker.settings[key]


def admin(broker: Broker) -> None:
    by_passwords(broker)
    broker.users["admin"] = "admin"
    broker.acl += "user admin\ntopic readwrite fence/admin\n"


DEFECTS: dict[str, tuple[Change, set[str]]] = {
    "anonymous": (anonymous, {"anonymous", "client-id"}),
    "old TLS": (old_tls, {"tls-versions"}),
    "weak suites": (weak_suites, {"tls-ciphers"}),
    "expired": (expired, {"server-dates"}),
    "wrong name": (wrong_name, {"server-name"}),
    "rogue server": (rogue_server, {"server-chain"}),
    "two authorities": (any_authority, {"rogue-certificate"}),
    "no revocation list": (setting(crlfile=None), {"revoked"}),
    "client id unbound": (setting(use_username_as_clientid=None), {"client-id"}),
    "wildcards read": (acl("pattern read fence/+\n"), {"foreign-read"}),
    "all write": (acl("pattern write fence/+\n"), {"foreign-write"}),
    "no access list": (
        setting(acl_file=None), {"any-topic", "foreign-read", "foreign-write", "sys-topics", "aws-topics"},
    ),
    "shadows": (acl("pattern readwrite $aws/#\n"), {"aws-topics"}),
    "system topics": (acl("pattern read $SYS/#\n"), {"sys-topics"}),
    "retained": (setting(retain_available="true"), {"retained-poison"}),
    "no message size": (setting(message_size_limit="0"), {"message-size"}),
    "no bound of waiting": (setting(max_queued_messages="0"), {"waiting"}),
    "few connections": (setting(max_connections="20"), {"idle-connections"}),
    "a default password": (admin, {"default-passwords"}),
    "in clear": (clear, {"encrypted", "on-the-wire"}),
}  # fmt: skip
BY_DAY = ("anonymous", "no access list")
NEVER = {"live-revocation"}


def answers(broker: Broker, directory: Path, rows: tuple[str, ...] = ()) -> dict[str, str]:
    directory.mkdir(exist_ok=True)
    attack = Attack(broker.target(), rows_named(rows), directory)
    attack.run()
    assert not attack.no_broker, attack.no_broker
    print(*(f"{one.answer} {one.row.id} {one.duration_s} {one.words}" for one in attack.findings), sep="\n")
    assert all(one.remedy for one in attack.findings if one.answer == "FAIL")
    return {one.row.id: one.answer for one in attack.findings}


def test_a_broker_that_is_configured_well_passes_every_row(tmp_path: Path) -> None:
    with running(tmp_path / "b") as broker:
        came = answers(broker, tmp_path / "runs")
    missing = NEVER if os.geteuid() == 0 else NEVER | {"on-the-wire"}
    assert came == {id_: "NOT APPLICABLE" if id_ in missing else "PASS" for id_ in BROKER_ROWS.parts()}


def test_the_page_shows_every_row() -> None:
    page = (ROOT / "docs" / "how-to" / "attack-a-broker.md").read_text(encoding="utf-8")
    shown = re.findall(r"^(?:PASS|FAIL|INCONCLUSIVE|NOT APPLICABLE) +([a-z-]+) ", page, re.M)
    assert set(shown) == set(BROKER_ROWS.parts()) and len(shown) == len(set(shown))


def test_names_by_password_do_as_well(tmp_path: Path) -> None:
    with running(tmp_path / "b", by_passwords) as broker:
        came = answers(broker, tmp_path / "runs")
    assert {answer for id_, answer in came.items() if id_ not in ("live-revocation", "revoked")} <= {
        "PASS", "NOT APPLICABLE" if os.geteuid() else "PASS",
    }  # fmt: skip


@pytest.mark.parametrize("name", BY_DAY if not NIGHT else DEFECTS)
def test_a_defect_turns_exactly_its_rows_red(tmp_path: Path, name: str) -> None:
    change, wanted = DEFECTS[name]
    with running(tmp_path, change) as broker:
        came = answers(broker, tmp_path / "runs")
    red = {id_ for id_, answer in came.items() if answer == "FAIL"}
    assert red == (wanted if os.geteuid() == 0 else wanted - {"on-the-wire"})
    assert "INCONCLUSIVE" not in came.values()


@pytest.mark.parametrize("name", [name for name in DEFECTS if name not in BY_DAY])
def test_a_defect_turns_its_rows_red(tmp_path: Path, name: str) -> None:
    change, wanted = DEFECTS[name]
    if os.geteuid():
        wanted = wanted - {"on-the-wire"}
    with running(tmp_path, change) as broker:
        came = answers(broker, tmp_path / "runs", tuple(wanted))
    assert set(came.values()) == {"FAIL"}
