"""The module as a process: the same port as inside a world, paired with its processor, and nothing of it in a
gateway's memory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from bench.rig.gateway_memory import memory_of
from sim.core.clock import wall_sleep
from sim.core.seeds import Seeds
from sim.pki import pace
from sim.pki.content_ciphers import library_bytes
from sim.pki.slot_keys import CURVE, DRAWN_BYTES, SlotKey, verifies
from sim.pki.sm_triples import PURPOSES
from sim.smart_metering.module_process.held import HeldError
from sim.smart_metering.module_process.module_server import receive, send
from sim.smart_metering.module_process.process_module import ProcessModule
from sim.smart_metering.module_process.program import ModuleProgram
from sim.smgw.module import wire
from sim.smgw.module.in_world import InWorldModule
from sim.smgw.module.port import RANDOM_MOST_BYTES, SLOTS, ModuleError, SecurityModule
from sim.smgw.module.secure_messages import BadMessage, SecureMessages

ROOT = Path(__file__).resolve().parents[4]
PIN, OTHER_PIN = "4711081512", "4711081513"


class Place(NamedTuple):
    folder: Path
    socket: Path

    def program(self, pin: str = PIN) -> ModuleProgram:
        return ModuleProgram(self.folder, self.socket, pin)

    def kept(self) -> dict[str, str]:
        return dict(json.loads((self.folder / "module.json").read_text())["keys"])


@pytest.fixture
def place() -> Iterator[Place]:
    with TemporaryDirectory(prefix="wmbench-module-") as name:  # a socket's path has to be short
        yield Place(Path(name, "module"), Path(name, "socket"))


@pytest.fixture(params=["in the world", "a process"])
def module(request: pytest.FixtureRequest) -> Iterator[SecurityModule]:
    if request.param == "in the world":
        yield InWorldModule(Seeds(1), "gw-0001")
        return
    place: Place = request.getfixturevalue("place")
    with place.program() as program:
        client = ProcessModule(program.place, PIN)
        yield client
        client.close()


# --- the port's contract, for both --------------------------------------------------------------------------------


def test_it_makes_keys_signs_agrees_and_draws(module: SecurityModule) -> None:
    points = [module.make_key(slot) for slot in SLOTS]
    assert all(len(one) == 65 and one[0] == 4 for one in points)
    assert len({*points, module.make_key("ENC")}) == len(SLOTS) + 1
    signature = module.sign("SIG", b"register")
    assert signature == module.sign("SIG", b"register")
    assert verifies(points[SLOTS.index("SIG")], b"register", signature)
    assert not verifies(points[SLOTS.index("SIG")], b"Register", signature)
    peer = SlotKey(bytes(range(DRAWN_BYTES)))
    assert module.agree("TLS", peer.public) == peer.agree(points[SLOTS.index("TLS")])
    assert [len(module.random(count)) for count in (0, 1, 17, RANDOM_MOST_BYTES)] == [0, 1, 17, RANDOM_MOST_BYTES]
    assert module.random(32) != module.random(32)


def test_it_refuses_with_the_same_reasons_and_goes_on(module: SecurityModule) -> None:
    asks = (
        (lambda: module.sign("SIG", b""), "empty"), (lambda: module.agree("TLS", bytes(65)), "empty"),
        (lambda: module.make_key("MK"), "slot"), (lambda: module.sign("sig", b""), "slot"),
        (lambda: module.random(RANDOM_MOST_BYTES + 1), "count"), (lambda: module.random(-1), "count"),
        (lambda: (module.make_key("ENC"), module.agree("ENC", b"\x04" + bytes(64))), "point"),
        (lambda: module.agree("ENC", b""), "point"), (lambda: module.agree("ENC", bytes(100_000)), "point"),
    )  # fmt: skip
    for ask, reason in asks:
        with pytest.raises(ModuleError) as refused:
            ask()
        assert refused.value.reason == reason
    assert len(module.random(4)) == 4


# --- the process ------------------------------------------------------------------------------------------------------


_KILLED = """
import os, sys
from pathlib import Path
from sim.smart_metering.module_process.process_module import ProcessModule
ProcessModule(Path(sys.argv[1]), sys.argv[2]).random(1)
os.kill(os.getpid(), 9)
"""


def test_keys_outlive_sigkill_of_the_module_and_of_its_processor(place: Place) -> None:
    program = place.program()
    client = ProcessModule(place.socket, PIN)
    point = client.make_key("SIG")
    program.kill()
    with pytest.raises(ModuleError, match=r"silent: the security module at .* does not answer .*is kept") as refused:
        client.sign("SIG", b"register")
    assert "\n" not in str(refused.value)
    with place.program(""):
        assert verifies(point, b"register", client.sign("SIG", b"register")), "the same client, once it is back"
        client.close()
        words = (str(place.socket), PIN)
        killed = subprocess.run([sys.executable, "-c", _KILLED, *words], cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
        again = ProcessModule(place.socket, PIN)
        assert verifies(point, b"later", when_free(lambda: again.sign("SIG", b"later")))
        again.session_most_s = 0.0
        again.close()
        for _ in range(2):
            when_free(lambda: again.random(1))
        assert again.pairings == 3, "a session that is over is followed by a new pairing"
        again.close()


def test_a_module_that_hangs_is_silent_and_its_session_is_not_used_again(place: Place) -> None:
    with place.program() as program:
        client = ProcessModule(place.socket, PIN)
        point = client.make_key("SIG")
        client.answer_most_s = 0.3
        stop(program.pid)
        try:
            with pytest.raises(ModuleError, match=r"silent: .* does not answer in time"):
                client.sign("SIG", b"register")
        finally:
            os.kill(program.pid, signal.SIGCONT)
        patient = ProcessModule(place.socket, PIN)  # the module finds out by itself that the first one is gone
        assert verifies(point, b"register", when_free(lambda: patient.sign("SIG", b"register")))
        patient.close()


def stop(pid: int) -> None:
    """It stands still when this returns: a thread may have an answer under way when the signal is sent."""
    os.kill(pid, signal.SIGSTOP)
    threads = Path(f"/proc/{pid}/task")
    for _ in range(1_000):
        states = [(one / "stat").read_text().rpartition(")")[2].split()[0] for one in threads.iterdir()]
        if set(states) == {"T"}:
            return
        wall_sleep(0.01)
    raise AssertionError("the module does not stop")


def when_free(ask: Callable[[], bytes]) -> bytes:
    """What it says when the session before is over."""
    for _ in range(500):
        try:
            return ask()
        except ModuleError as error:
            if error.reason != "busy":
                raise
            wall_sleep(0.01)
    raise AssertionError("the module stays busy")


def test_wrong_pins_are_counted_over_a_restart_and_lock_it(place: Place) -> None:
    with place.program():
        for left in ("2 tries are", "1 try is"):
            with pytest.raises(ModuleError, match=f"pin: this module has another PIN; {left} left"):
                when_free(lambda: ProcessModule(place.socket, OTHER_PIN).random(1))
        right = ProcessModule(place.socket, PIN)
        when_free(lambda: right.random(1))  # which gives all tries back
        with pytest.raises(ModuleError, match="busy"):  # and who comes meanwhile costs none
            ProcessModule(place.socket, OTHER_PIN).random(1)
        right.close()
    with place.program("") as program:
        _refused_for_its_pin(place)
        program.kill()
    with place.program(""):
        for _ in range(2):
            _refused_for_its_pin(place)
        with pytest.raises(ModuleError, match="locked: 3 wrong PINs came; exchange the module"):
            when_free(lambda: ProcessModule(place.socket, PIN).random(1))


def _refused_for_its_pin(place: Place) -> None:
    with pytest.raises(ModuleError, match="pin"):
        when_free(lambda: ProcessModule(place.socket, OTHER_PIN).random(1))


def test_what_does_not_know_the_pin_is_no_module(place: Place) -> None:
    """A process that took the socket's place: it gets one token, and nothing else ever again."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place.socket))
    server.listen()
    client = ProcessModule(place.socket, PIN)

    def false_module() -> None:
        connection, _ = server.accept()
        with connection:
            side = pace.Side(library_bytes)
            nonce = library_bytes(16)
            send(connection, b"\x00" + pace.sealed_nonce(OTHER_PIN.encode(), nonce) + side.mapping)
            send(connection, b"\x00" + side.agree(nonce, receive(connection)))
            _, token, _ = side.finish(receive(connection)[: pace.POINT_BYTES])
            send(connection, b"\x00" + token)

    thread = threading.Thread(target=false_module)
    thread.start()
    for _ in range(2):  # the second time nobody is asked
        with pytest.raises(ModuleError, match=r"foreign: what answers at .* is not this processor's module"):
            client.sign("SIG", b"register")
    thread.join()
    server.close()


@pytest.mark.parametrize("said", [b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x41" + b"\x04" * 65, bytes(3_000)])
def test_nothing_that_arrives_stops_it(place: Place, said: bytes) -> None:
    with place.program():
        stranger = socket.socket(socket.AF_UNIX)
        stranger.connect(str(place.socket))
        stranger.sendall(said)
        stranger.close()
        client = ProcessModule(place.socket, PIN)
        assert len(when_free(lambda: client.random(8))) == 8
        client.close()


def test_a_module_that_cannot_be_has_a_reason(place: Place) -> None:
    with pytest.raises(HeldError, match="a module's PIN has 10 to 32 digits"):
        place.program("123456789")
    place.folder.mkdir(exist_ok=True)
    (place.folder / "module.json").write_text("{}")
    with pytest.raises(HeldError, match=r"module\.json: it cannot be read"):
        place.program("")
    with TemporaryDirectory() as name, pytest.raises(HeldError, match="no socket can be made there"):
        ModuleProgram(Path(name), Path(name, "x" * 150), PIN)


def test_messages_that_are_changed_repeated_or_left_out_do_not_open() -> None:
    keys = pace.Keys(bytes(range(16)), bytes(range(16, 32)))
    one, other = SecureMessages(keys), SecureMessages(keys)
    first, second = one.seal(b"first"), one.seal(b"first")
    assert first != second
    assert other.open(first) == b"first"
    for wrong in (first, second[:-1], second[:8], b"", bytes((second[0] ^ 1,)) + second[1:]):
        late = SecureMessages(keys)
        late.open(first)
        with pytest.raises(BadMessage):
            late.open(wrong)
    with pytest.raises(BadMessage):
        SecureMessages(keys).open(second)
    assert other.open(second) == b"first"


@pytest.mark.parametrize("answer", [b"", b"\x02", b"\x01other\nx", b"\x01"])
def test_what_is_no_answer_is_said_to_be_none(answer: bytes) -> None:
    with pytest.raises(wire.BadFrame):
        wire.result(answer)


# --- memory -----------------------------------------------------------------------------------------------------------

_GATEWAY = """
import sys
import threading
from pathlib import Path
from sim.smart_metering.module_process.process_module import ProcessModule
module = ProcessModule(Path(sys.argv[1]), sys.argv[2])
points = [module.make_key(slot) for slot in ("TLS", "ENC", "SIG")]
peer = module.make_key("TLS")
for number in range(20):
    module.sign("SIG", b"register %d" % number), module.agree("ENC", peer), module.random(64)
held = bytes.fromhex(sys.argv[3])[::-1]
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_gateways_memory_holds_no_private_key_and_the_modules_does(place: Place) -> None:
    """Control: the module's own memory, where each is found, and a number that the gateway was given."""
    known = library_bytes(32)
    with place.program() as program:
        command = [sys.executable, "-c", _GATEWAY, str(place.socket), PIN, known[::-1].hex()]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as gateway:
            assert gateway.stdout is not None and gateway.stdin is not None
            try:
                assert gateway.stdout.readline() == b"ready\n"
                try:
                    memory = {"gateway": memory_of(gateway.pid), "module": memory_of(program.pid)}
                except PermissionError:
                    pytest.skip("allowed: this machine lets nobody read another process's memory")
            finally:
                gateway.stdin.close()
                gateway.wait(30)
    found: dict[str, set[str]] = {"gateway": set(), "module": set()}
    looked_for = {"known": known}
    for slot, drawn in place.kept().items():
        value = (int.from_bytes(bytes.fromhex(drawn), "big") % (CURVE.group_order - 1) + 1).to_bytes(32, "big")
        looked_for[slot] = value
    for who, blocks in memory.items():
        for name, value in looked_for.items():
            if value in blocks or value[::-1] in blocks:  # OpenSSL keeps numbers with their lowest word first
                found[who].add(name)
    assert set(PURPOSES) <= set(looked_for)
    assert found["module"] >= set(PURPOSES), "the control: they can be found"
    assert found["gateway"] == {"known"}
