"""A security module as a program, until its input ends.

    python -m sim.smart_metering.module_process.module_server FOLDER SOCKET

FOLDER is the module's own disk. Where it is empty, the first line of the input is the PIN of the processor that it is
paired with from then on. "ready" stands on the output when it listens. One processor has a session; whoever comes
meanwhile is told so, and costs no try. A wrong PIN costs one of three, also over a restart; then the module is locked
for good, and with it its keys: it has to be exchanged.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from pathlib import Path
from typing import Final

from sim.core.clock import wall_s
from sim.pki import pace
from sim.pki.content_ciphers import library_bytes
from sim.pki.slot_keys import SlotKey
from sim.smart_metering.module_process.held import TRIES, Held, HeldError
from sim.smgw.module import wire
from sim.smgw.module.port import SLOTS, ModuleError
from sim.smgw.module.secure_messages import BadMessage, SecureMessages
from sim.smgw.module.slots import SlotModule
from wmbus.security import KEY_BYTES

SESSION_MOST_S: Final = 48 * 3_600
"""TR-03116-3: then both sides pair anew."""
PAIRING_MOST_S: Final = 5.0
FREED_MOST_S: Final = 1.0


class HeldModule(SlotModule):
    """Its keys are those of the disk, and new ones are there before they are used."""

    def __init__(self, name: str, held: Held) -> None:
        super().__init__(name, dict.fromkeys(SLOTS, library_bytes), library_bytes)
        self._held = held
        self._keys = {slot: SlotKey(drawn) for slot, drawn in held.keys.items()}

    def _keep(self, slot: str, drawn: bytes) -> None:
        self._held.keys[slot] = drawn
        self._held.write()


class ModuleServer:
    """Answers on a Unix socket from `serve` to `stop`. Raises HeldError."""

    def __init__(self, folder: Path, place: Path, pin: str = "") -> None:
        self._held = Held.make(folder, pin) if pin else Held(folder)
        self._module = HeldModule(folder.name, self._held)
        self._tries, self._session = threading.Lock(), threading.Lock()
        self._place = place
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            place.unlink(missing_ok=True)
            self._socket.bind(str(place))
            place.chmod(0o600)
            self._socket.listen(8)
        except OSError as error:
            self._socket.close()
            raise HeldError(f"{place}: no socket can be made there ({error.strerror or error}); "
                            "a path of at most 100 characters in a folder of your own serves") from None  # fmt: skip

    def serve(self) -> None:
        """Until `stop`."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._place.unlink(missing_ok=True)

    def _one(self, connection: socket.socket) -> None:
        """One connection; what it does wrong ends it and nothing else."""
        with connection, contextlib.suppress(OSError, wire.BadFrame, BadMessage, pace.NotPaired, HeldError):
            connection.settimeout(PAIRING_MOST_S)
            # A processor that ended its session and comes again may be quicker than the thread that served it.
            if not self._session.acquire(timeout=FREED_MOST_S):
                send(connection, wire.refusal(ModuleError("busy", "another processor has a session with this module")))
                return
            try:
                keys = self._paired(connection)
                if keys is not None:
                    self._answer(connection, SecureMessages(keys))
            finally:
                self._session.release()

    def _paired(self, connection: socket.socket) -> pace.Keys | None:
        held = self._held
        if not held.tries_left:
            send(connection, wire.refusal(ModuleError("locked", f"{TRIES} wrong PINs came; exchange the module")))
            return None
        nonce, side = library_bytes(KEY_BYTES), pace.Side(library_bytes)
        send(connection, b"\x00" + pace.sealed_nonce(held.pin.encode(), nonce) + side.mapping)
        point = side.agree(nonce, receive(connection))
        send(connection, b"\x00" + point)
        said = receive(connection)
        keys, token, wanted = side.finish(said[: pace.POINT_BYTES])
        with self._tries:  # written down before it is known, so that pulling the plug saves no try
            held.tries_left -= 1
            held.write()
            if not pace.shown(said[pace.POINT_BYTES :], wanted):
                left = "1 try is" if held.tries_left == 1 else f"{held.tries_left or 'no'} tries are"
                said_of = f"this module has another PIN; {left} left"
                send(connection, wire.refusal(ModuleError("pin", said_of)))
                return None
            held.tries_left = TRIES
            held.write()
        send(connection, b"\x00" + token)
        return keys

    def _answer(self, connection: socket.socket, messages: SecureMessages) -> None:
        ends_s = wall_s() + SESSION_MOST_S
        while (left_s := ends_s - wall_s()) > 0:
            connection.settimeout(left_s)
            asked = messages.open(receive(connection))
            send(connection, messages.seal(wire.answered(self._module, asked)))


def send(connection: socket.socket, body: bytes) -> None:
    """One frame. Raises OSError."""
    connection.sendall(wire.frame(body))


def receive(connection: socket.socket) -> bytes:
    """The body of one frame. Raises OSError, also where the other side is gone, and BadFrame."""
    return _exactly(connection, wire.length_of(_exactly(connection, 4)))


def _exactly(connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        more = connection.recv(count - len(got))
        if not more:
            raise ConnectionResetError("the other side is gone")
        got += more
    return got


def main(words: list[str]) -> int:
    """Serve until standard input ends."""
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder, place = map(Path, words)
    try:
        pin = "" if folder.exists() and any(folder.iterdir()) else sys.stdin.readline().strip()
        server = ModuleServer(folder, place, pin)
    except (HeldError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()
    thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
