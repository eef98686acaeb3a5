"""Every cell of the matrix of roles and things, tried over the real interfaces: each dialect of the HAN in TLS, and the
WAN's servers. What the matrix forbids is refused, and no word of it is in the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from sim.core.clock import wall_now
from sim.smart_metering.han.dialects.emh import DIALECT as EMH
from sim.smart_metering.han.dialects.ppc import DIALECT as PPC
from sim.smart_metering.han.dialects.ppc import PATH as CGI
from sim.smart_metering.han.dialects.theben import DIALECT as THEBEN
from sim.smart_metering.han.han_client import HanClient
from sim.smart_metering.han.role_matrix import MATRIX, WAN_MATRIX, Role, Sees, Thing
from sim.smart_metering.han.visits import Dialect
from sim.smart_metering.participant import Participant
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.server import WanServer
from sim.smart_metering.wan.tls import WanError
from tests.sim.smart_metering.han.home_bed import home, visiting
from tests.sim.smart_metering.wan.test_wan_sockets import Parties, parties

FORM: Final = "application/x-www-form-urlencoded"
SPAN: Final = b"&from=2026-03-02T01:00:00&to=2026-03-03T01:00:00"


class Ask(NamedTuple):
    """A request; OWN and OTHER in it stand for the consumer's meter and the neighbour's."""

    method: str
    path: str
    body: bytes = b""
    kind: str = "application/json"


def _theben(user: str, **asked: object) -> Ask:
    return Ask("POST", f"/smgw/m2m/{user}.sm/json", json.dumps(asked).encode())


def _ppc(body: bytes) -> Ask:
    return Ask("POST", CGI, body, FORM)


def asks(dialect: str, user: str, meter: str) -> dict[Thing, list[Ask]]:
    """How a thing can be asked for in a dialect; nothing where it has no way to. `meter`: a device's number."""
    point = "gw-0001.taf2-1.sm"
    return {
        "theben": {
            Thing.METERS: [_theben(user, method="user-info")],
            Thing.READINGS: [
                _theben(user, method="readings", database=one, **{"usage-point-id": point, "last-reading": True})
                for one in ("origin", "daily")
            ],
            Thing.CONTRACTS: [_theben(user, method="usage-point-info", **{"usage-point-id": point})],
            Thing.SENT: [_theben(user, method="readings", database="derived", **{"usage-point-id": point,
                                                                                "last-reading": True})],
            Thing.CONSUMER_LOG: [_theben(user, method="log")],
            Thing.STATE: [_theben(user, method="smgw-info")],
        },
        "ppc": {
            Thing.METERS: [_ppc(b"action=meterform")],
            Thing.READINGS: [
                _ppc(f"action={one}&mid={meter}".encode() + SPAN)
                for one in ("showMeterProfile", "exportMeterProfile", "exportMeterValues")
            ],
            Thing.STATE: [_ppc(b"action=swversions")],
        },
        "emh": {
            Thing.METERS: [Ask("GET", "/json/metering/origin")],
            Thing.READINGS: [Ask("GET", f"/json/metering/origin/{meter}.sm/extended")],
            Thing.CONTRACTS: [Ask("GET", "/json/metering/derived/taf2-1")],
        },
    }[dialect]  # fmt: skip


OWN_WORDS: Final = {"consumer-1": ("emh000000010102", "flat 1"), "consumer-2": ("qds100000023608", "flat 2")}
ALL_WORDS: Final = ("emh0000", "qds1000", "EMH 0000", "QDS 1000", "flat 1", "flat 2", "12600", "1.26", "10104")


def said(client: HanClient, one: Ask) -> tuple[int, bytes]:
    answer = client.ask(one.method, one.path, one.body, one.kind)
    return answer.status, answer.body


@pytest.mark.parametrize("dialect", [THEBEN, PPC, EMH], ids=lambda one: one.id)
@pytest.mark.parametrize("role", list(Role))
def test_every_cell_of_the_han(dialect: Dialect, role: Role, tmp_path: Path) -> None:
    user = "consumer-1" if role is Role.CONSUMER else "technician"
    own, other = (OWN_WORDS[one][0] for one in ("consumer-1", "consumer-2"))
    with visiting(home(tmp_path, dialect), user) as client:
        if dialect is PPC:
            assert client.ask("GET", CGI).status == 200
        for thing, ways in asks(dialect.id, user, own).items():
            sees = MATRIX[role][thing]
            for one in ways:
                status, body = said(client, one)
                assert (status == 200) is (sees is not Sees.NOTHING), (thing, one, body[:200])
                if sees is Sees.NOTHING:
                    assert not [word for word in ALL_WORDS if word.encode() in body]
                elif sees is Sees.OWN:
                    assert OWN_WORDS["consumer-2"][0].encode() not in body and b"flat 2" not in body
        for ways in asks(dialect.id, "consumer-2", other).values():  # the neighbour's, asked for by name
            for one in ways:
                status, body = said(client, one)
                words = (b"qds100000023608", b"QDS 10000002", b"flat 2", b"10104")
                assert not [word for word in words if word in body], one


@pytest.mark.parametrize("role", list(Role))
def test_the_page_shows_what_the_matrix_says_and_changes_nothing(role: Role, tmp_path: Path) -> None:
    user = "consumer-2" if role is Role.CONSUMER else "technician"
    with visiting(home(tmp_path, EMH), user) as client:
        page = client.ask("GET", "/display").body.decode()
        assert ("QDS 10000002" in page) is (role is Role.CONSUMER) and "EMH 0000" not in page and "flat 1" not in page
        assert ("Meters paired" in page) is (role is Role.TECHNICIAN)
        for path in ("/display/export", "/display/log"):
            assert client.ask("GET", path).status == (200 if role is Role.CONSUMER else 403)
        for method in ("PUT", "DELETE", "POST"):
            assert client.ask(method, "/display").status == 405
            assert client.ask(method, "/json/metering/origin").status == 405
        for path in ("/", "/display/../keys.csv", "/logs/system.jsonl", "/gw-0001.sm/rules", "/%2e%2e/keys.csv"):
            assert client.ask("GET", path).status == 404


def test_no_role_of_the_han_sees_the_administrators_logs_or_changes_a_rule() -> None:
    closed = (Thing.SYSTEM_LOG, Thing.CALIBRATION_LOG, Thing.RULES)
    assert all(MATRIX[role][thing] is Sees.NOTHING for role in Role for thing in closed)
    assert all(set(MATRIX[role]) == set(Thing) for role in Role), "no cell is open"


# --- the WAN --------------------------------------------------------------------------------------------------------


@contextmanager
def wan(known: Parties, folder: Path) -> Iterator[tuple[int, int]]:
    """Ports of an administrator and a participant."""
    made = [tls.context(known.tls_of(name), known.folder / "root.crt", server=True)
            for name in (answers.ADMINISTRATOR, "supplier.EMT")]  # fmt: skip
    store = Participant("supplier", folder / "store", known.receiver, {}, lambda _: None)
    rules: Mapping[str, Any] = {"gw-0001": [{"taf": 2}], "gw-0002": [{"taf": 7}]}
    servers = [
        WanServer(made[0], answers.administrator(lambda *_: None, rules, wall_now)),
        WanServer(made[1], answers.participant(store, lambda: 0)),
    ]
    for one in servers:
        one.start()
    try:
        yield servers[0].port, servers[1].port
    finally:
        for one in servers:
            one.stop()
        store.close()


PARTIES: Final = {
    "the gateway itself": "gw-0001.SMGW", "another gateway": "gw-0002.SMGW", "participant": "supplier.EMT",
    "administrator": answers.ADMINISTRATOR,
}  # fmt: skip
WANTED: Final = {
    "its clock": (0, "GET", "/gw-0001.sm/clock"), "its rules": (0, "GET", "/gw-0001.sm/rules"),
    "another's rules": (0, "GET", "/gw-0002.sm/rules"), "hand a container in": (1, "POST", "/gw-0001.sm/delivery"),
}  # fmt: skip


def test_every_cell_of_the_wan(tmp_path: Path) -> None:
    known = parties(tmp_path / "parties")
    assert {name: set(cells) for name, cells in WAN_MATRIX.items()} == {party: set(WANTED) for party in PARTIES}
    with wan(known, tmp_path) as ports:
        for party, name in PARTIES.items():
            for thing, (server, method, path) in WANTED.items():
                must = WAN_MATRIX[party][thing]
                with WanClient(known.context(name), ports[server], "") as client:
                    if must < 300:
                        client.ask(method, path, b"x")
                    else:
                        with pytest.raises(WanError, match=f"refused: {must}"):
                            client.ask(method, path, b"x")
        with WanClient(known.context(PARTIES["administrator"]), ports[0], "") as client:
            for path in ("/gw-0001.sm/readings", "/gw-0001.sm/logs", "/"):
                with pytest.raises(WanError, match="404"):
                    client.ask("GET", path)
