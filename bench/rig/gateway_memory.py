"""A gateway in a process of its own (`gateway_process`), and what its memory holds."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from bench.rig.secrets import BLOCK_BYTES, Found, Secrets
from bench.run_directory import ROOT
from sim.core.bundle import ACK, UP, Ack, Bundle, Taken, digest
from sim.core.clock import wall_s
from sim.endpoint.port import Endpoint, EndpointError
from sim.pki.statements import StatementKey

PORTAL: Final = "portal"
DEADLINE_S: Final = 30.0


class GatewayProcess:
    """A virtual gateway that dials `endpoint`, which has certificates and runs; its files lie in `directory`. This side
    is its portal: it takes bundles and acknowledges them. Use it with `with`. Raises EndpointError."""

    def __init__(self, endpoint: Endpoint, directory: Path, name: str = "gw-apart") -> None:
        self.taken: list[bytes] = []
        """Telegrams that arrived."""
        self._endpoint, self._name, self._statements = endpoint, name, StatementKey()
        directory.mkdir(parents=True, exist_ok=True)
        identity, address = endpoint.identity(name), endpoint.address
        if address is None or identity.key is None:
            raise EndpointError(f"a gateway of its own process needs a broker with certificates, not '{endpoint.name}'")
        self._session = endpoint.connect(endpoint.identity(PORTAL), subscribe=(UP.format(gateway="+"),), clean=False)
        settings = {
            "gateway": name, "certificate": str(identity.certificate), "key": str(identity.key),
            "authorities": str(identity.authorities), "host": address.host, "port": address.port,
            "outbox": str(directory / f"{name}.sqlite"), "portal_key": self._statements.public.hex(),
        }  # fmt: skip
        file = directory / "settings.json"
        file.write_text(json.dumps(settings), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.rig.gateway_process", str(file)], cwd=ROOT, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer()

    def __enter__(self) -> GatewayProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._session.close()

    def receive(self, telegram: bytes, at_ns: int, rssi_dbm: float = -60.0) -> None:
        """A telegram ends on the air."""
        self._order({"receive": telegram.hex(), "at_ns": at_ns, "rssi_dbm": rssi_dbm})

    def deliver(self, now_ns: int) -> int:
        """Let it publish what it has; returns how many bundles still wait."""
        return self._order({"deliver": now_ns})

    def hold(self, content: bytes) -> None:
        """Let it keep these bytes in its memory."""
        self._order({"hold": content.hex()})

    def in_memory(self, secrets: Secrets) -> list[Found]:
        """Secrets in its memory: of all that it has written to, and of nothing that is mapped from a file as it is.
        Raises OSError where this machine lets nobody look."""
        return [found for blocks in _regions(self._process.pid) for found in secrets.in_stream(blocks)]

    def _order(self, order: dict[str, object]) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return int(self._answer())

    def _answer(self) -> bytes:
        """Its next line; meanwhile what it publishes is taken and acknowledged."""
        stream, line = self._process.stdout, b""
        assert stream is not None
        end_s = wall_s() + DEADLINE_S
        while not line.endswith(b"\n") and wall_s() < end_s:
            self._endpoint.settle(lambda: bool(select.select([stream], [], [], 0)[0]) or self._take(), 1.0)
            if select.select([stream], [], [], 0)[0]:
                letter = stream.read(1)
                if not letter:
                    break
                line += letter
        if not line.endswith(b"\n"):
            raise EndpointError(f"the gateway's process gave no answer within {DEADLINE_S:.0f} s")
        return line

    def _take(self) -> bool:
        while self._session.connected and self._session.inbox:
            payload = self._session.inbox.popleft().payload
            bundle = Bundle.decode(payload)
            self.taken += [heard.telegram for heard in bundle.heard]
            taken = Taken(bundle.sequence, digest(payload))
            self._session.publish(
                ACK.format(gateway=self._name), Ack(self._name, (taken,)).signed(self._statements.sign).encode()
            )
        return False


def _regions(pid: int) -> Iterator[Iterator[bytes]]:
    """The memory of a process, one run of blocks for each of its mappings that can be written to."""
    with Path(f"/proc/{pid}/maps").open(encoding="utf-8") as maps:
        lines = [line.split(maxsplit=5) for line in maps]
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for span, rights, *_ in lines:
            if rights.startswith("rw"):
                begin, end = (int(edge, 16) for edge in span.split("-"))
                yield _blocks(lambda size, at: os.pread(memory, size, at), begin, end)
    finally:
        os.close(memory)


def _blocks(read: Callable[[int, int], bytes], begin: int, end: int) -> Iterator[bytes]:
    while begin < end:
        try:
            block = read(min(BLOCK_BYTES, end - begin), begin)
        except OSError:  # a device, or gone since
            return
        if not block:
            return
        begin += len(block)
        yield block
