"""The broker as a process: it is ready when it says so, comes back, dies with us, and explains itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sim.core import clock
from sim.endpoint.kinds import mosquitto as module
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.port import EndpointError
from sim.endpoint.supervised_process import SupervisedProcess
from tests.sim.endpoint.brokers import found_mosquitto, make, states, until

ROOT = Path(__file__).parents[3]


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def gone_within(pid: int, seconds_s: float) -> bool:
    end_s = clock.wall_s() + seconds_s
    while is_alive(pid) and clock.wall_s() < end_s:
        clock.wall_sleep(0.02)
    return not is_alive(pid)


def test_stop_leaves_no_process_and_may_be_said_twice(tmp_path: Path) -> None:
    broker = make(tmp_path)
    broker.stop()
    broker.start()
    broker.start()
    pid = broker.pid
    assert pid is not None and is_alive(pid)
    broker.stop()
    broker.stop()
    assert not is_alive(pid) and broker.pid is None


def test_a_broker_stopped_in_its_first_moment_stops(tmp_path: Path) -> None:
    """Mosquitto loses a SIGTERM that comes before its handlers: one is not enough."""
    found, make_files = found_mosquitto(), make(tmp_path)
    make_files.start()
    make_files.stop()
    for _ in range(5):
        command = [str(found.program), "-c", str(tmp_path / "mosquitto.conf")]
        child = SupervisedProcess(command, found.environment, tmp_path / "log")
        child.stop()
        assert not is_alive(child.pid)


def test_the_same_port_after_kill_and_restart(tmp_path: Path) -> None:
    broker = make(tmp_path)
    broker.start()
    session = broker.connect(broker.identity("gw1"))
    until(broker, lambda: session.connected)
    before = broker.address
    broker.kill()
    assert broker.pid is None
    until(broker, lambda: not session.connected)
    broker.restart()
    until(broker, lambda: session.connected)
    assert broker.address == before and session.connects == 2
    assert states(session)[:2] == ["connected", "dropped"]
    broker.stop()


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_what_a_sleeping_portal_missed_outlives_the_broker(tmp_path: Path, end: str) -> None:
    """A stop saves at once. What SIGKILL finds unsaved (it saves each second) is lost: no custody."""
    broker = make(tmp_path)
    broker.start()
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",), clean=False)
    gateway = broker.connect(broker.identity("gw1"))
    until(broker, lambda: portal.connected and gateway.connected)
    portal.cut()
    gateway.publish("gw/gw1/up", b"kept")
    until(broker, lambda: not gateway.unacknowledged)
    if end == "kill":
        database = tmp_path / "mosquitto.db"
        until(broker, lambda: database.exists() and b"kept" in database.read_bytes(), 60)
        broker.kill()
    broker.restart()
    portal = broker.connect(broker.identity("portal"), subscribe=("gw/+/up",), clean=False)
    until(broker, lambda: bool(portal.inbox))
    assert portal.inbox[0].payload == b"kept"
    broker.stop()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_orphan_when_the_parent_dies(tmp_path: Path, end: signal.Signals) -> None:
    found = found_mosquitto()
    program = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
        program, environment = Path({str(found.program)!r}), {found.environment!r}
        broker = Mosquitto(Path({str(tmp_path)!r}), program=program, environment=environment)
        broker.start()
        print(broker.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    os.kill(parent.pid, end)
    parent.wait(60)
    parent.stdout.close()
    assert gone_within(pid, 60)


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EndpointError, match=f"port {port} is in use.*choose another"):
            make(tmp_path, port=port).start()


def test_a_port_taken_meanwhile_is_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, free_port = other.getsockname()[1], module.free_port
        monkeypatch.setattr(module, "free_port", lambda attempt: taken if attempt == 0 else free_port(attempt))
        broker = make(tmp_path)
        broker.start()
        assert broker.address is not None and broker.address.port != taken
        broker.stop()


def test_a_broken_configuration_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.mosquitto_config, "config", lambda *_, **__: "listener nonsense\nbogus true\n")
    with pytest.raises(EndpointError, match=r"Mosquitto did not start: .*Error.*mosquitto\.conf"):
        make(tmp_path).start()


def test_a_missing_certificate_file_is_explained(tmp_path: Path) -> None:
    broker = make(tmp_path)
    broker.start()
    broker.stop()
    (tmp_path / "pki" / "server.key").unlink()
    with pytest.raises(EndpointError, match=r"(?i)did not start: .*key"):
        broker.restart()


def test_a_program_that_cannot_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match=r"cannot run /nowhere/mosquitto: No such file.*doctor"):
        Mosquitto(tmp_path, program=Path("/nowhere/mosquitto")).start()


def test_a_program_without_its_libraries_is_explained(tmp_path: Path) -> None:
    fake = tmp_path / "mosquitto"
    said = "mosquitto: error while loading shared libraries: libcjson.so.1: cannot open"
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 127\n")
    fake.chmod(0o700)
    with pytest.raises(EndpointError, match=r"lacks a library.*libcjson\.so\.1.*install"):
        Mosquitto(tmp_path / "broker", program=fake).start()


def test_a_program_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_DEADLINE_S", 0.5)
    fake = tmp_path / "mosquitto"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o700)
    with pytest.raises(EndpointError, match="no CONNACK"):
        Mosquitto(tmp_path / "broker", program=fake).start()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EndpointError, match="file"):
        make(tmp_path / "file" / "broker").start()


def test_secrets_stay_in_their_files(tmp_path: Path) -> None:
    broker = make(tmp_path, spec=MosquittoSpec())
    broker.start()
    session = broker.connect(broker.identity("gw1"))
    until(broker, lambda: session.connected)
    session.publish("gw/gw1/up", b"canary-4711")
    until(broker, lambda: not session.unacknowledged)
    broker.stop()
    for name in ("broker.log", "mosquitto.conf", "acl"):
        text = (tmp_path / name).read_text()
        assert "PRIVATE KEY" not in text and "canary-4711" not in text
    for key in (tmp_path / "pki").glob("*.key"):
        assert key.stat().st_mode & 0o777 == 0o600
