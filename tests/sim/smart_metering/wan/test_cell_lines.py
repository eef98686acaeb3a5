"""Lines that always say as much: in a world and on sockets, seen from outside TLS."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from attacks.parts.records_seen import Record, Records
from sim.core.clock import NS_PER_S
from sim.core.events import RuleSetTaken
from sim.core.settings import SpecError
from sim.faults.gateway_disturbed import GatewayDisturbed
from sim.smart_metering.wan import answers, tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.http_messages import Question, Reply, read_request, read_response, request, response
from sim.smart_metering.wan.server import WanServer
from sim.smart_metering.wan.talk import Errand
from sim.smart_metering.wan.tls import WanError
from sim.smart_metering.wan.world_line import Passing
from sim.systems._smgw_lines import Order
from sim.systems._smgw_running import Smgw, smgw
from sim.systems.smgw import SUPPLIER
from sim.world import World
from tests.sim.smart_metering.wan.test_wan_sockets import Parties, parties
from tests.small_worlds import dozen
from wmbus.tls_records import APPLICATION

CELL = 1_024
GCM = 8 + 16  # what AES-GCM of TLS 1.2 adds to a record


# --- in a world -----------------------------------------------------------------------------------------------------


def seen(world: World) -> list[Passing]:
    found: list[Passing] = []
    smgw(world.system).wan.taps.append(found.append)
    return found


def records_of(passed: list[Passing], gateway: str) -> list[tuple[int, bool, Record]]:
    """(world time, outward, record), by a parser of its own for each direction."""
    streams: dict[bool, Records] = defaultdict(Records)
    out = []
    for one in passed:
        if one.gateway == gateway and not one.datagram:
            out += [(one.time_ns, one.outward, record) for record in streams[one.outward].feed(one.data)]
    assert not any(stream.strange for stream in streams.values())
    return out


def run(tmp_path: Path, **settings: object) -> tuple[Smgw, list[Passing], World]:
    """Two hours and a quarter in which a housing is opened and a rule set is sent."""
    tmp_path.mkdir(exist_ok=True)
    spec = dozen(tmp_path, system__kind="smgw", window_s=900.0, fleet__interval_s=300.0, **settings)
    with World(spec, 1, tmp_path / "world") as world:
        passed, system = seen(world), smgw(world.system)
        world.fault(GatewayDisturbed(gateway=1, after_s=1_000.0))
        world.run(2_000 * NS_PER_S)
        system.send_rules(1, Order(SUPPLIER, 2))
        world.run(6_100 * NS_PER_S)
        return system, passed, world


def test_without_them_each_thing_shows_when_it_happens(tmp_path: Path) -> None:
    system, passed, _ = run(tmp_path)
    own = [one for one in records_of(passed, "gw-0002") if one[2].kind == APPLICATION]
    assert [time_ns // NS_PER_S for time_ns, outward, _ in own if outward] == [900, 1_800, 2_000, 3_600, 7_200]
    assert [one.time_ns // NS_PER_S for one in passed if one.datagram] == [2_000]
    assert len({record.length for _, outward, record in own if outward}) >= 4, "of an alarm, a question, containers"
    assert [one.what for one in system.administrator.alarms] == ["housing opened"]
    assert system.wan.lines[1].record_bytes == sum(5 + record.length for _, _, record in own)


def test_with_both_every_time_has_as_many_records_of_one_length(tmp_path: Path) -> None:
    settings = {"system__padding_bytes": CELL, "system__dummy_every_s": 600.0, "system__dummy_cells": 3}
    system, passed, world = run(tmp_path, **settings)
    for gateway in ("gw-0001", "gw-0002"):
        own = [one for one in records_of(passed, gateway) if one[2].kind == APPLICATION]
        times = Counter((time_ns // NS_PER_S, outward) for time_ns, outward, _ in own)
        assert times == {(at_s, outward): 3 for at_s in range(600, 8_100, 600) for outward in (True, False)}
        assert {record.length for _, _, record in own} == {CELL + GCM}
    assert not any(one.datagram for one in passed)
    assert [one.what for one in system.administrator.alarms] == ["housing opened"]
    taken = world.history.of(RuleSetTaken)
    assert [(one.gateway, one.taken) for one in taken] == [("gw-0002", True)]
    assert taken[0].time_ns // NS_PER_S == 2_400, "it is fetched at the next of its times"
    assert len(system.administrator.relayed) >= 2, "containers pass as well"
    assert 0 < max(one.longest_wait_ns for one in system.wan.lines) <= 1_200 * NS_PER_S


def test_padding_alone_has_one_length_and_dummies_alone_one_count(tmp_path: Path) -> None:
    _, padded, _ = run(tmp_path / "padding", system__padding_bytes=CELL)
    own = [one for one in records_of(padded, "gw-0002") if one[2].kind == APPLICATION]
    assert {record.length for _, _, record in own} == {CELL + GCM}
    assert {time_ns // NS_PER_S for time_ns, _, _ in own} == {900, 1_800, 2_000, 3_600, 7_200}
    _, paced, _ = run(tmp_path / "dummies", system__dummy_every_s=600.0, system__dummy_cells=3)
    own = [one for one in records_of(paced, "gw-0002") if one[2].kind == APPLICATION]
    assert set(Counter((time_ns, outward) for time_ns, outward, _ in own).values()) == {3}
    assert len({record.length for _, _, record in own}) > 3


def test_a_size_that_no_cell_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"system\.padding_bytes: 255 is no size of a cell: 0 \(none\), or 256"):
        World(dozen(tmp_path, system__kind="smgw", system__padding_bytes=255), 1, tmp_path / "world")


# --- messages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"x", bytes(20_000)])
def test_messages_are_read_as_they_were_written(body: bytes) -> None:
    asked, reply = Question("POST", "/supplier.sm/delivery", body), Reply(204, body)
    assert read_request(request(asked)) == asked
    assert read_response(response(reply)) == reply


@pytest.mark.parametrize(
    "message",
    [
        b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
        b"GET  / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\nx",
        b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + bytes(5_000) + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(message: bytes) -> None:
    with pytest.raises(WanError, match="message"):
        read_request(message)


# --- on sockets -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    return parties(tmp_path_factory.mktemp("cells"))


@contextlib.contextmanager
def tapped(port: int) -> Iterator[tuple[int, list[tuple[bool, bytes]]]]:
    """A relay for one connection to a port, and what passed in it, by direction."""
    passed: list[tuple[bool, bytes]] = []
    listening = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket, outward: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                passed.append((outward, data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
            ends.extend((near, far))
            back = threading.Thread(target=pump, args=(far, near, False))
            back.start()
            pump(near, far, True)
            back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], passed
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for one in ends:
            one.close()


def lengths(passed: list[tuple[bool, bytes]]) -> dict[bool, list[int]]:
    streams = {True: Records(), False: Records()}
    out: dict[bool, list[int]] = {True: [], False: []}
    for outward, data in passed:
        out[outward] += [one.length for one in streams[outward].feed(data) if one.kind == APPLICATION]
    return out


@contextlib.contextmanager
def administrator(known: Parties, taken: list[bytes], *, paced: bool) -> Iterator[int]:
    made = tls.context(known.tls_of(answers.ADMINISTRATOR), known.folder / "root.crt", server=True)

    def answer(party: str, method: str, path: str, body: bytes) -> Reply:
        if method == "GET":
            return Reply(200, bytes(3_000))
        taken.append(body)
        return Reply(204)

    server = WanServer(made, answer, cell_bytes=CELL, paced=paced)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def test_padded_on_a_socket_each_record_has_one_length(known: Parties) -> None:
    taken: list[bytes] = []
    context = known.context("gw-0001.SMGW")
    with (
        administrator(known, taken, paced=False) as real,
        tapped(real) as (port, passed),
        WanClient(context, port, answers.ADMINISTRATOR, cell_bytes=CELL) as client,
    ):
        assert client.ask("POST", "/supplier.sm/delivery", bytes(5_000)) == b""
        assert client.ask("GET", "/gw-0001.sm/rules") == bytes(3_000)
    assert taken == [bytes(5_000)]
    assert set(lengths(passed)[True]) == set(lengths(passed)[False]) == {CELL + GCM}


def next_of(waiting: list[bytes]) -> Errand | None:
    if not waiting:
        return None
    return Errand(Question("POST", "/supplier.sm/delivery", waiting[0]), lambda _: bool(waiting.pop(0)))


def test_paced_on_a_socket_nothing_shows_whether_something_was_said(known: Parties) -> None:
    taken: list[bytes] = []
    found = []
    for something in (False, True):
        waiting = [bytes(2_500), b"short"] if something else []
        with administrator(known, taken, paced=True) as real, tapped(real) as (port, passed):
            context = known.context("gw-0001.SMGW")
            with WanClient(context, port, answers.ADMINISTRATOR, cell_bytes=CELL, paced=True) as client:
                for _ in range(3):
                    client.strike(2, partial(next_of, waiting))
                assert not waiting
        found.append(lengths(passed))
    assert found[0] == found[1] == {True: [CELL + GCM] * 6, False: [CELL + GCM] * 6}
    assert taken == [bytes(2_500), b"short"]


def test_who_speaks_without_cells_gets_no_answer(known: Parties) -> None:
    with (
        administrator(known, [], paced=False) as port,
        WanClient(known.context("gw-0001.SMGW"), port, answers.ADMINISTRATOR) as plain,
        pytest.raises(WanError, match="unreachable"),
    ):
        plain.ask("POST", "/supplier.sm/delivery", bytes(CELL))
