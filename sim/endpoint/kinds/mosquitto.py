"""Endpoint `mosquitto`: a real broker as a child process on a free port of 127.0.0.1, with mutual TLS from our own CA.

Started means that a client with a certificate got its CONNACK: an open port can belong to another program, and a broker
that is still reading its files loses signals. The directory holds everything: configuration, access list, pki/ and
the broker's own log; deleting it deletes the broker.

A PUBACK from this broker is not an outcome: it acknowledges what its access list or size limit makes it drop. Assert
at the subscriber.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sim.core import clock
from sim.core.settings import number
from sim.endpoint import mosquitto_config, mosquitto_program
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.mosquitto_config import QUEUED_MESSAGES, LeastTls, Revocation
from sim.endpoint.port import Address, EndpointError, EndpointFeature, Identity
from sim.endpoint.registry import EndpointKind, Readiness
from sim.endpoint.session import Dialled, MqttSession
from sim.endpoint.supervised_process import SupervisedProcess
from sim.endpoint.topic_acl import access_list
from sim.pki.authority import Authority, Pair, PkiError

START_DEADLINE_S = 10.0
_PORT_TRIES = 8
_IN_USE = "Address already in use"
LOOPBACK = "127.0.0.1"
PROBE = "probe"  # as whom we ask whether it is ready


@dataclass(frozen=True, slots=True)
class MosquittoSpec(EndpointSpec):
    """[endpoint] with kind = "mosquitto". Each switch that is off is a known weakness. `bind_client_id`: the client id
    must be the certificate's common name. `require_certificate`: off, a client may come without one, and its name is
    believed. `tls`: off, everything passes in clear, without certificates on either side. `queued_messages`: so
    many are kept for a client that is away; what comes then is acknowledged and dropped. `revocation`: what becomes of
    a certificate that was taken back: nothing, no new session, or the broker is started again too, which ends the live
    one. `least_tls`: 1.1 is a known weakness. `retained`: messages are kept for whoever subscribes later; off, whoever
    publishes one is thrown off."""

    kind: str = "mosquitto"
    bind_client_id: bool = True
    require_certificate: bool = True
    tls: bool = True
    queued_messages: int = number(QUEUED_MESSAGES, low=1)
    revocation: Revocation = "list"
    least_tls: LeastTls = "1.2"
    retained: bool = True


class Mosquitto(Dialled):
    """See port.Endpoint. `port=0` finds a free one; `address` and `hostname`: where it listens and how clients dial it,
    for a desk on a network; `foreign`: see topic_acl; `server` replaces the honest server certificate (expired, wrong
    host name); `authority` replaces the CA in pki/; `program` is for those who bring their own Mosquitto; `lines`:
    behind those of the configuration, for measurements of Mosquitto as others run it."""

    name: ClassVar[str] = "mosquitto"
    features: ClassVar[frozenset[EndpointFeature]] = frozenset(
        {"acl", "bind", "broker topics", "crl", "kill", "persistence", "retain", "size limit", "sockets", "takeover",
         "tls", "tls settings"}
    )

    def __init__(
        self,
        directory: Path,
        spec: MosquittoSpec | None = None,
        *,
        port: int = 0,
        address: str = LOOPBACK,
        hostname: str = "",
        foreign: Mapping[str, Sequence[str]] | None = None,
        server: Pair | None = None,
        authority: Authority | None = None,
        program: Path | None = None,
        environment: Mapping[str, str] | None = None,
        lines: Sequence[str] = (),
    ) -> None:
        self._lines = lines
        self.directory = directory.resolve()
        self.spec = spec or MosquittoSpec()
        super().__init__()
        self._fixed_port, self._port = port, port
        self._listen, self._foreign = address, foreign
        self._hostname = hostname or ("localhost" if address == LOOPBACK else address)
        self._server, self._authority = server, authority
        self._program, self._environment = program, environment
        self._process: SupervisedProcess | None = None
        self._refusing = False

    # --- life --------------------------------------------------------------------------------------------------

    @property
    def address(self) -> Address | None:
        return Address(self._hostname, self._port) if self._port else None

    @property
    def pid(self) -> int | None:
        """The broker's process, for measuring it; None when it does not run."""
        return self._process.pid if self._process is not None and self._process.running else None

    @property
    def authority(self) -> Authority:
        if self._authority is None:
            try:
                self._authority = Authority(self.directory / "pki")
            except PkiError as error:
                raise EndpointError(str(error)) from None
        return self._authority

    def start(self) -> None:
        if self._process is not None and self._process.running:
            return
        for attempt in range(_PORT_TRIES):
            if not self._fixed_port and not self._process:
                self._port = free_port(attempt)
            said = self._launch()
            if said is None:
                return
            if _IN_USE not in said or self._fixed_port or self._process is not None:
                raise EndpointError(self._explain(said))
        raise EndpointError(f"no free port for Mosquitto after {_PORT_TRIES} tries; give it one")

    def restart(self, *, refusing: bool = False) -> None:
        self._refusing = refusing
        if self._process is not None:
            self._process.stop()
        said = self._launch()
        if said is not None:
            raise EndpointError(self._explain(said))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        self._close_sessions()
        if self._process is not None:
            self._process.stop()

    # --- clients -----------------------------------------------------------------------------------------------

    def identity(self, client_id: str) -> Identity:
        if not self.spec.tls:
            return Identity(client_id)
        try:
            pair = self.authority.device(client_id)
        except PkiError as error:
            raise EndpointError(str(error)) from None
        return Identity(client_id, pair.certificate, pair.key, self.authority.certificate)

    def connect(
        self,
        identity: Identity,
        *,
        subscribe: tuple[str, ...] = (),
        address: Address | None = None,
        verify: bool = True,
        clean: bool = True,
    ) -> MqttSession:
        where = address or self.address
        if where is None:
            raise EndpointError("Mosquitto was never started: no address to dial")
        session = MqttSession(
            self.loop, identity, where, subscribe=subscribe, verify=verify, clean=clean, taps=self.taps
        )
        self._sessions.add(session)
        return session

    def revoke(self, client_id: str) -> None:
        """Put the device's certificate on the list and make the broker read it. Its next session is refused; a live
        one stays on Mosquitto until it ends (`restart` ends it, which `revocation` may ask for)."""
        try:
            self.authority.revoke(client_id)
        except PkiError as error:
            raise EndpointError(str(error)) from None
        if self._process is not None and self._process.running and self.spec.revocation == "list and restart":
            self.restart(refusing=self._refusing)
        elif self._process is not None and self._process.running:
            self._process.hang_up()

    # --- starting ----------------------------------------------------------------------------------------------

    def _launch(self) -> str | None:
        """Start the process and wait for a CONNACK; None when ready, else what the broker said before it ended."""
        files = self._write_files()
        program, environment = self._find_program()
        said_before = files.log.stat().st_size if files.log.exists() else 0
        try:
            child = SupervisedProcess([str(program), "-c", str(files.config)], environment, files.log)
        except OSError as error:
            raise EndpointError(
                f"cannot run {program}: {error.strerror or error}; `./wmbench doctor` says what is missing"
            ) from None
        if self._await_connack(child):
            self._process = child
            return None
        if not child.running:
            return files.log.read_bytes()[said_before:].decode("utf-8", "replace")
        child.kill()
        raise EndpointError(f"Mosquitto gave no CONNACK within {START_DEADLINE_S:.0f} s; its log: {files.log}")

    def _await_connack(self, child: SupervisedProcess) -> bool:
        end_s = clock.wall_s() + START_DEADLINE_S
        while child.running and clock.wall_s() < end_s:
            if _is_open(self._dialled, self._port):
                break
            clock.wall_sleep(0.002)
        # Not verified on purpose: a world may give its broker a certificate that an honest client refuses. That this
        # is our broker follows from its accepting our certificate.
        loop = EventLoop()
        probe = MqttSession(loop, self.identity(PROBE), Address(self._dialled, self._port), verify=False)
        loop.settle(lambda: self._answered(probe) or not child.running, max(0.0, end_s - clock.wall_s()))
        ready = self._answered(probe) and child.running
        probe.close()
        loop.close()
        return ready

    def _answered(self, probe: MqttSession) -> bool:
        return any("CONNACK" in reason for _, reason in probe.log) if self._refusing else probe.connected

    @property
    def _dialled(self) -> str:
        """Where we reach it ourselves: any of this machine's addresses will do when it listens on all."""
        return LOOPBACK if self._listen in ("0.0.0.0", "") else self._listen

    def _write_files(self) -> mosquitto_config.Files:
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._server is None:
                names = dict.fromkeys((self._hostname, self._dialled, "localhost", LOOPBACK))
                self._server = self.authority.server(tuple(names))
            user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else "nobody"
            files = mosquitto_config.Files(
                self.directory, self.authority.certificate, self.authority.crl, self._server, user
            )
            text = mosquitto_config.config(self.spec, files, self._port, self._listen, refusing=self._refusing)
            files.config.write_text(text + "".join(f"{line}\n" for line in self._lines), encoding="utf-8")
            files.acl.write_text(access_list(self._foreign), encoding="utf-8")
        except PkiError as error:
            raise EndpointError(str(error)) from None
        except OSError as error:
            raise EndpointError(
                f"cannot write the broker's files in {self.directory}: {error.strerror}; free some space or "
                "choose another directory"
            ) from None
        return files

    def _find_program(self) -> tuple[Path, Mapping[str, str] | None]:
        if self._program is None:
            found = mosquitto_program.find_mosquitto()
            self._program, self._environment = found.program, found.environment
        return self._program, self._environment

    def _explain(self, said: str) -> str:
        """The broker's last words as cause and way out."""
        words = said.strip().splitlines()
        errors = [line for line in words if "Error: " in line] or [line for line in words if "rror" in line]
        last = (errors or words or ["it said nothing"])[-1]
        log = self.directory / "broker.log"
        if _IN_USE in said:
            return f"port {self._port} is in use by another program; stop it or choose another port"
        if "Cannot assign requested address" in said:
            return f"{self._listen} is no address of this machine; `ip address` shows those it has"
        if "error while loading shared libraries" in said:
            return f"Mosquitto lacks a library: {last}; install the package 'mosquitto' or see `./wmbench doctor`"
        if "No space left" in said:
            return f"no space left for Mosquitto in {self.directory}; free some and start again"
        if "ermission denied" in said:
            return f"Mosquitto may not use a file of its own: {last}; check the owner of {self.directory}"
        return f"Mosquitto did not start: {last}; its log: {log}, its configuration: {self.directory}/mosquitto.conf"


def _is_open(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def free_port(attempt: int) -> int:
    """A port without a listener, below the range the kernel takes for outgoing connections: else a client that dials
    while the broker is down could be given the broker's own port."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    span = range(10_000, low) if low > 12_000 else range(0)
    for step in range(min(len(span), 200)):
        port = span[(os.getpid() * 131 + attempt * 977 + step * 7) % len(span)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready() -> Readiness:
    found = mosquitto_program.find_mosquitto()
    if isinstance(found, mosquitto_program.NotFound):
        return Readiness(False, found.reason, found.way_out)
    return Readiness(True, f"{found.version}, {found.program}")


KIND = EndpointKind(
    id=Mosquitto.name,
    title="Mosquitto child process with mutual TLS",
    features=Mosquitto.features,
    spec=MosquittoSpec,
    make=Mosquitto,
    ready=_ready,
)
