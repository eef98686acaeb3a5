"""A path that leads, refuses, swallows and cuts, on real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sim.endpoint.port import Address, EndpointError
from sim.network.tcp_switch import TcpSwitch

PATIENCE_S = 10.0


@contextmanager
def echo(mark: bytes) -> Iterator[Address]:
    """A server that says `mark` and then what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(one,), daemon=True).start()

        def answer(one: socket.socket) -> None:
            with one:
                one.sendall(mark)
                while data := _received(one):
                    one.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Address("localhost", server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(65_536)
    except OSError:
        return b""


def dialled(switch: TcpSwitch) -> socket.socket:
    return socket.create_connection(("127.0.0.1", switch.port), timeout=PATIENCE_S)


def test_it_leads_refuses_and_leads_again_on_the_same_port() -> None:
    threads = threading.active_count()
    with echo(b"a") as first:
        switch = TcpSwitch(first)
        with dialled(switch) as client:
            assert client.recv(1) == b"a"
            client.sendall(b"x" * 200_000)
            got = b""
            while len(got) < 200_000:
                got += client.recv(65_536)
            assert got == b"x" * 200_000
            switch.refuse()
            assert _received(client) == b"", "reset"
        with pytest.raises(ConnectionRefusedError):
            dialled(switch)
        switch.lead()
        with dialled(switch) as client:
            assert client.recv(1) == b"a"
            switch.cut()
            assert _received(client) == b""
        assert switch.dialled == 2
        switch.stop()
        switch.stop()
        with pytest.raises(ConnectionRefusedError):
            dialled(switch)
    assert threading.active_count() <= threads + 2, "the echo's own may still end"


def test_a_black_hole_keeps_connections_and_passes_nothing_until_it_leads_again() -> None:
    with echo(b"a") as first:
        switch = TcpSwitch(first)
        with dialled(switch) as client:
            assert client.recv(1) == b"a"
            switch.swallow()
            client.sendall(b"kept")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(1)
            with dialled(switch) as another:
                another.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    another.recv(1)
                switch.lead()
                another.settimeout(PATIENCE_S)
                assert another.recv(1) == b"a"
            client.settimeout(PATIENCE_S)
            assert client.recv(4) == b"kept"
        switch.stop()


def test_another_address_resets_what_there_is() -> None:
    with echo(b"a") as first, echo(b"b") as second:
        switch = TcpSwitch(first)
        with dialled(switch) as client:
            assert client.recv(1) == b"a"
            switch.lead(first)
            client.sendall(b"still")
            assert client.recv(5) == b"still"
            switch.lead(second)
            assert _received(client) == b""
        with dialled(switch) as client:
            assert client.recv(1) == b"b"
        switch.stop()


def test_connections_that_come_and_go_at_once_break_none() -> None:
    """As of a program that dials for each telegram: while one is closed, the next one gets its number."""
    broken: list[str] = []

    def come_and_go() -> None:
        for _ in range(60):
            try:
                with dialled(switch) as one:
                    for _ in range(2):
                        one.sendall(b"x")
                        assert one.recv(1), "an end that nobody made"
            except (OSError, AssertionError) as error:
                broken.append(repr(error))

    with echo(b"a") as server:
        switch = TcpSwitch(server)
        threads = [threading.Thread(target=come_and_go) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        switch.stop()
    assert not broken


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EndpointError, match=f"port {port} of 127.0.0.1: Address already in use; stop the program"):
            TcpSwitch(Address("localhost", 1), "127.0.0.1", port)
