"""The HAN over TLS on the loopback: logins, own data only, limits, and whatever should not be there."""

from __future__ import annotations

import json
import socket
import ssl
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sim.core.seeds import Seeds
from sim.pki.display_certificates import fingerprint, self_signed
from sim.pki.sealed_content import ContentError
from sim.smart_metering.han import han_accounts, han_server
from sim.smart_metering.han.bill_check import AGREES, DIFFERS, OPEN, compared
from sim.smart_metering.han.dialects.emh import DIALECT as EMH
from sim.smart_metering.han.dialects.ppc import DIALECT as PPC
from sim.smart_metering.han.dialects.ppc import PATH as CGI
from sim.smart_metering.han.dialects.theben import DIALECT as THEBEN
from sim.smart_metering.han.export import checked
from sim.smart_metering.han.han import Han
from sim.smart_metering.han.han_accounts import LOCK_S, PIN_TRIES
from sim.smart_metering.han.han_client import HanClient, HanClientError
from sim.smart_metering.han.http_digest import IDLE_S, SESSION_MOST_S
from sim.smart_metering.han.known_dialects import DIALECTS
from sim.smgw.logs.log_entries import LogEvent
from sim.smgw.module.in_world import draws
from sim.smgw.module.port import ModuleError
from tests.sim.smart_metering.han.home_bed import (
    ELECTRICITY,
    GATEWAY,
    HEAT,
    NOW_S,
    BedSource,
    bill,
    home,
    theben,
    visiting,
)


def test_dialects_are_found_by_folder() -> None:
    assert list(DIALECTS.parts()) == ["display", "emh", "ppc", "theben"]


def test_a_consumer_reads_the_own_meter_its_registers_and_who_was_sent_them(tmp_path: Path) -> None:
    with visiting(home(tmp_path, THEBEN), "consumer-1") as client:
        info = json.loads(theben(client, "consumer-1", method="user-info").body)
        (point,) = info["user-info"]["usage-points"]
        assert point["meter"] == [{"meter-id": "emh000000010102"}] and point["taf-number"] == "2"
        asked = {"method": "readings", "usage-point-id": point["usage-point-id"], "last-reading": "true"}
        last = json.loads(theben(client, "consumer-1", database="origin", **asked).body)
        (channel,) = last["readings"]["channels"]
        assert channel["obis"] == "0100010800ff.emh000000010102.sm" and channel["readings"][0]["value"] == "12600"
        sums = json.loads(theben(client, "consumer-1", database="derived", **asked).body)["readings"]
        assert {one["obis"][:12]: Decimal(one["readings"][0]["value"]) for one in sums["channels"]} == {
            "0100010801ff": Decimal("0.09"), "0100010802ff": Decimal("0.15"), "010001083fff": Decimal(0),
        }  # fmt: skip
        log = json.loads(theben(client, "consumer-1", method="log").body)["log"]
        events = [int(one["event-id"]) for one in log["entries"]]
        assert events == [LogEvent.VALUES_SENT, LogEvent.HANDED_OVER, LogEvent.LOGIN]
        assert "3 values" in log["entries"][0]["message"] and "flat 2" not in json.dumps([info, last, sums, log])


@pytest.mark.parametrize("dialect", [EMH, PPC, THEBEN])
def test_who_verifies_meets_only_the_own_gateway(tmp_path: Path, dialect: object) -> None:
    at = home(tmp_path, dialect)  # type: ignore[arg-type]
    draw = draws(Seeds(8), "rogue", "draws")
    rogue = self_signed("rogue", "prime256v1", tmp_path, draw, datetime(2026, 1, 1, tzinfo=UTC))
    with at.serving() as port:
        with pytest.raises(HanClientError, match="certificate"):
            HanClient(port, "consumer-1", "1", trusted=rogue.certificate, draw=draw)
        HanClient(port, "consumer-1", "1", trusted=at.certificate, draw=draw).close()
        HanClient(port, "consumer-1", "1", trusted=None, draw=draw).close()


def test_wrong_passwords_are_counted_and_lock_and_a_restart_gains_nothing(tmp_path: Path) -> None:
    source = BedSource(tmp_path / "gateway")
    at = home(tmp_path, EMH, source)
    path = "/json/metering/origin"
    with visiting(at, "consumer-1", pin="0000000000") as client:
        assert [client.ask("GET", path).status for _ in range(PIN_TRIES - 1)] == [401] * (PIN_TRIES - 1)
    again = home(tmp_path, EMH, source)
    with visiting(again, "consumer-1", pin="0000000000") as client:
        assert client.ask("GET", path).status == 401
    with visiting(again, "consumer-1") as client:
        locked = client.ask("GET", path)
        assert locked.status == 403
        assert locked.body == f"too many wrong passwords; locked for another {LOCK_S} s".encode()
        source.time_s += LOCK_S
        assert client.ask("GET", path).status == 200
    with visiting(again, "consumer-2") as other:
        assert other.ask("GET", path).status == 200
    events = [row.entry.event for row in source.log("flat 1")]
    assert events.count(LogEvent.LOGIN_FAILED) == PIN_TRIES and events.count(LogEvent.LOCKED) == 1
    assert "an account of the HAN is locked" in source.system()
    with visiting(again, "nobody", pin="1") as stranger:
        assert stranger.ask("GET", path).status == 401
    assert source.system()[-1] == "a user that there is not"


def test_a_login_ends_when_it_is_idle_and_after_two_days(tmp_path: Path) -> None:
    source = BedSource(tmp_path / "gateway")
    with visiting(home(tmp_path, PPC, source), "consumer-1") as client:
        assert client.ask("GET", CGI).status == 200
        form = {"body": b"action=meterform", "kind": "application/x-www-form-urlencoded"}
        assert client.ask("POST", CGI, **form).status == 200  # type: ignore[arg-type]
        source.time_s += IDLE_S + 1
        assert client.ask("POST", CGI, **form).status == 403, "no session"  # type: ignore[arg-type]
        for _ in range(SESSION_MOST_S // IDLE_S + 1):
            assert client.ask("GET", CGI).status == 200
            source.time_s += IDLE_S
        client.ask("GET", CGI)
        logins = [row for row in source.log("flat 1") if row.entry.event is LogEvent.LOGIN]
        assert len(logins) == 3, "at first, after the pause, after two days"


def test_a_connection_ends_with_its_session_and_when_nothing_comes(tmp_path: Path) -> None:
    draw = draws(Seeds(8), "limits", "draws")
    box = self_signed("box", "prime256v1", tmp_path, draw, datetime(2026, 1, 1, tzinfo=UTC))
    at = home(tmp_path, EMH)
    serving = han_server.HanServer(han_server.context(box, "prime256v1"), at.han, idle_s=0.3)
    serving.start()
    try:
        serving.session_most_s = 0.0
        with HanClient(serving.port, "consumer-1", at.pins["consumer-1"], trusted=None, draw=draw) as client:
            assert client.ask("GET", "/json/metering/origin").headers["connection"] == "close"
        loose = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", serving.port), 60) as plain,
            loose.wrap_socket(plain, suppress_ragged_eofs=True) as silent,
        ):
            assert silent.recv(10) == b"", "hung up on"
    finally:
        serving.stop()


def test_one_session_at_a_time_where_the_device_has_one(tmp_path: Path) -> None:
    at = home(tmp_path, PPC)
    with at.serving() as port:
        draw = draws(Seeds(9), "clients", "draws")
        one, two = (HanClient(port, f"consumer-{n}", at.pins[f"consumer-{n}"], trusted=None, draw=draw) for n in (1, 2))
        with one, two:
            assert (one.ask("GET", CGI).status, two.ask("GET", CGI).status) == (200, 503)
            kind = "application/x-www-form-urlencoded"
            assert b"logged out" in one.ask("POST", CGI, b"action=logout", kind).body
            assert two.ask("GET", CGI).status == 200


def test_a_certificate_logs_in_without_a_password_and_a_foreign_one_not_at_all(tmp_path: Path) -> None:
    draw, since = draws(Seeds(8), "display", "draws"), datetime(2026, 1, 1, tzinfo=UTC)
    own = self_signed("display", "prime256v1", tmp_path, draw, since)
    other = self_signed("other", "prime256v1", tmp_path, draw, since)
    box = self_signed("box", "prime256v1", tmp_path, draw, since)
    account = han_accounts.Account("display", "consumer", "flat 2", {}, fingerprint(own.certificate))
    source, known = BedSource(tmp_path / "gateway"), han_accounts.Accounts([account], tmp_path / "tries")
    han = Han(source, known, EMH, GATEWAY, draw, lambda: NOW_S)
    serving = han_server.HanServer(han_server.context(box, "prime256v1", own.certificate), han)
    serving.start()
    try:
        with HanClient(serving.port, "", "", trusted=box.certificate, draw=draw, own=own) as client:
            assert json.loads(client.ask("GET", "/json/metering/origin").body) == ["qds100000023608.sm"]
        with (
            pytest.raises(HanClientError),
            HanClient(serving.port, "", "", trusted=box.certificate, draw=draw, own=other) as client,
        ):
            client.ask("GET", "/json/metering/origin")
        with HanClient(serving.port, "", "", trusted=box.certificate, draw=draw) as client:
            assert client.ask("GET", "/json/metering/origin").status == 401
    finally:
        serving.stop()


def test_an_export_is_signed_and_a_bill_is_worked_out_from_it(tmp_path: Path) -> None:
    source = BedSource(tmp_path / "gateway")
    with visiting(home(tmp_path, THEBEN, source), "consumer-1") as client:
        taken = client.ask("GET", "/display/export").body
    readings = checked(taken, GATEWAY, source.certificate)
    assert [(one.name, len(one.captured)) for one in readings] == [("emh000000010102", 105)]
    right = compared(bill(source.values, "flat 1"), readings)
    assert [one.outcome for one in right] == [AGREES] * 3
    wrong = compared(bill(source.values, "flat 1", Decimal("0.1")), readings)
    assert [one.outcome for one in wrong] == [DIFFERS] * 3
    assert wrong[0].why.startswith("the readings give 0.09")
    foreign = compared(bill(source.values, "flat 2"), readings)
    assert {one.outcome for one in foreign} == {OPEN}
    at = taken.index(b"<ns1:long64>") if b"<ns1:long64>" in taken else taken.index(b"long64>") - 5
    flipped = bytearray(taken)
    flipped[at + 12] ^= 1
    with pytest.raises(ContentError, match="message-digest"):
        checked(bytes(flipped), GATEWAY, source.certificate)


def test_a_module_that_does_not_answer_is_said_and_costs_no_login(tmp_path: Path) -> None:
    source = BedSource(tmp_path / "gateway")
    with visiting(home(tmp_path, EMH, source), "consumer-1") as client:
        signs = source.module.sign

        def silent(slot: str, message: bytes) -> bytes:
            raise ModuleError("silent", "no answer")

        source.module.sign = silent  # type: ignore[method-assign]
        told = client.ask("GET", "/display/export")
        assert (told.status, told.body) == (503, b"the security module does not do it (silent)")
        assert client.ask("GET", "/json/metering/origin").status == 200
        source.module.sign = signs  # type: ignore[method-assign]
        assert client.ask("GET", "/display/export").status == 200


def test_whatever_arrives_the_server_goes_on(tmp_path: Path) -> None:
    at = home(tmp_path, EMH)
    with at.serving() as port:
        for sent in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(300)):
            with socket.create_connection(("127.0.0.1", port), 5) as plain:
                plain.sendall(sent)
        loose = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
        for sent in (
            b"GET /json/metering/origin HTTP/1.1\r\nAuthorization: Digest " + b"a" * 5_000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            b"GET /json/metering/origin HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b'GET /json/metering/origin HTTP/1.1\r\nAuthorization: Digest username="\xff\xfe"\r\n\r\n',
            b"\x00\x01\x02\r\n\r\n",
        ):
            with (
                socket.create_connection(("127.0.0.1", port), 5) as plain,
                loose.wrap_socket(plain) as tls,
            ):
                tls.sendall(sent)
                assert tls.recv(100)[:10] in (b"HTTP/1.1 4", b"HTTP/1.0 4", b"<!DOCTYPE "), sent[:40]
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode, old.minimum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3
        with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", port), 5) as plain:
            old.wrap_socket(plain)
        draw = draws(Seeds(9), "last", "draws")
        with HanClient(port, "consumer-2", at.pins["consumer-2"], trusted=at.certificate, draw=draw) as client:
            assert json.loads(client.ask("GET", "/json/metering/origin").body) == ["qds100000023608.sm"]


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    at = home(tmp_path, EMH)
    with at.serving() as port, pytest.raises(han_server.HanError, match=f"port {port}: .*; free it or choose another"):
        at.server(port)
    assert ELECTRICITY != HEAT
