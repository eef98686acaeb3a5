"""What is no broker, one that hangs, and what may not be tried: one sentence each, and no answer."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.broker.broker_target import found_address, refusal
from bench.cli.main import main
from bench.run_errors import CannotRun

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """A server on the loopback that does this with each connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_safely, args=(serve, connection), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept is not woken by close
        thread.join()
        listener.close()


def _safely(serve: Serve, connection: socket.socket) -> None:
    with contextlib.suppress(OSError), connection:
        serve(connection)


def hangs(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def is_a_web_server(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def closes(connection: socket.socket) -> None:
    connection.recv(1)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers_byte_by_byte_without_end(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"\x20")
        threading.Event().wait(0.05)


def is_noise(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(bytes(range(255, -1, -1)) + b"\x1b[2J")


def gives_half_a_connack(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"\x20\x02\x00")
    connection.recv(1024)


def gives_a_long_connack(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"\x20\x03\x00\x00\x00")


def greets_with_half_a_hello(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"\x16\x03\x03\x00\x08\x02\x00\x00\x04\x03\x03ab")


@pytest.mark.parametrize(
    "serve",
    [hangs, is_a_web_server, closes, resets, answers_byte_by_byte_without_end, is_noise, gives_half_a_connack,
     gives_a_long_connack, greets_with_half_a_hello],
)  # fmt: skip
def test_what_is_no_broker_is_named_in_one_sentence(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    with serving(serve) as port:
        assert main(["attack", "broker", f"127.0.0.1:{port}", "--deadline", "0.3"]) == 6
    first, report = capsys.readouterr().out.splitlines()
    assert first.startswith(f"INCONCLUSIVE: 127.0.0.1:{port}: ") and "; see that" in first and first.isprintable()
    assert report.startswith("report: ")
    run = json.loads((tmp_path / "runs" / "latest" / "run.json").read_text())
    assert run["outcome"] == "inconclusive"
    assert {row["answer"] for row in run["scenarios"]} == {"INCONCLUSIVE"}


def test_a_port_where_nobody_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        assert main(["attack", "broker", f"127.0.0.1:{port}", "--json"]) == 6
    assert "refused" in json.loads(capsys.readouterr().out)["check"]["no_broker"]


@pytest.mark.parametrize(
    ("address", "own", "tried"),
    [
        ("127.0.0.1", False, True), ("127.255.255.254", False, True), ("::1", False, True),
        ("::ffff:127.0.0.1", False, True), ("10.1.2.3", False, False), ("10.1.2.3", True, True),
        ("192.168.1.9", False, False), ("192.168.1.9", True, True), ("172.31.255.255", True, True),
        ("172.32.0.1", True, False), ("169.254.1.1", True, True), ("fd00::1", True, True), ("fe80::1%eth0", True, True),
        ("8.8.8.8", False, False), ("8.8.8.8", True, False), ("2001:4860:4860::8888", True, False),
        ("0.0.0.0", True, False), ("::", True, False), ("192.0.2.1", True, False), ("::ffff:8.8.8.8", True, False),
        ("224.0.0.1", True, False), ("100.64.0.1", True, False),
    ],
)  # fmt: skip
def test_which_addresses_are_tried(address: str, own: bool, tried: bool) -> None:
    assert (refusal(address, own=own) is None) is tried


def test_a_name_is_refused_for_any_of_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (one, 8883)) for one in ("127.0.0.1", "8.8.4.4")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(CannotRun, match=r"two\.example is 8\.8\.4\.4: .* not attacked"):
        found_address("two.example", 8883, own=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["8.8.8.8:8883"], "8.8.8.8 is 8.8.8.8: not this machine and no private network"),
        (["10.0.0.7:8883"], "say so with --i-own-this"),
        (["nobody.invalid:8883"], "nobody.invalid: "),
        (["127.0.0.1:1", "--rows", "anonymus"], "known, nearest first: anonymous"),
        (["127.0.0.1:1", "--certificate", "x.crt"], "certificate without a key"),
        (["127.0.0.1:1", "--certificate", "x.crt", "--key", "x.key"], "x.crt: cannot be read"),
        (["127.0.0.1:1", "--password-file", "x"], "password without a user name"),
        (["127.0.0.1:1", "--user", "a", "--password-file", "none.txt"], "none.txt: "),
        (["127.0.0.1:1", "--ca", "none.crt"], "none.crt: no such file"),
        (["127.0.0.1:1", "--topic", "x/#"], "--topic"),
        (["127.0.0.1:1", "--topic", "x/{client}/{0}"], "--topic"),
        (["127.0.0.1:1", "--revoke", "a 'b"], "--revoke"),
        (["127.0.0.1:1", "--config", "none.conf"], "none.conf: "),
        (["127.0.0.1:1", "--user", "a", "--second-user", "a"], "both identities are a"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    assert main(["attack", "broker", *words]) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.splitlines()) == 1


@pytest.mark.parametrize("text", ["x", "x:", ":1", "x:0", "x:65536", "x:1e3", "x:-1", "x:99999999999"])
def test_an_address_is_a_host_and_a_port(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["attack", "broker", text])
    assert "no HOST:PORT" in capsys.readouterr().err
