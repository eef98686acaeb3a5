"""A box: one gateway of the inventory at work, with all that it needs around it.

    with Box(entry, directory) as box:
        box.feed(Sent(frame, "T1", -70.0, wall_ns()))
        box.turn(1.0)                                    # real sockets move
        for delivered in box.take(): ...
        box.power_cut(); box.power_on()

Started in this order: the broker, readers, feeders, the gateway's program; stopped in the other one. However it ends,
no process, no port and no thread is left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

from sim.core import clock
from sim.core.quoting import last_line
from sim.desk.inventory import GatewayEntry
from sim.desk.placeholders import UnknownPlaceholder, filled
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.port import Endpoint, EndpointError
from sim.endpoint.supervised_process import SupervisedProcess
from sim.endpoint.topic_acl import READER
from sim.feeders.handed import Handed, Torn
from sim.feeders.port import FEEDERS, Feeder, FeederError, FeedGround, Sent
from sim.pki.authority import Authority, PkiError
from sim.pki.statements import StatementKey
from sim.readers import push_tls
from sim.readers.port import READERS, Delivered, Reader, ReaderError, ReadGround
from sim.readers.push_server import PushSpec

ROOT: Final = Path(__file__).resolve().parents[2]
_LOOK_S: Final = 0.01
_RELAY_S: Final = 30.0
_SAID_BYTES: Final = 4_096  # of a program's last words
_LOG_BYTES: Final = 65_536


class BoxError(Exception):
    """A gateway of the desk cannot do what was asked: one sentence with the way out."""


M = TypeVar("M", bound=Mosquitto)


def broker_for(entry: GatewayEntry, directory: Path, kind: type[M]) -> M:
    """The desk's broker as this gateway needs it, not started. One that has topics of its own may use those, and may
    have several sessions (a program that publishes by a shell has one for each message)."""
    listen = entry.listen
    spec = MosquittoSpec(tls=listen.tls, bind_client_id=not listen.topics, per_device_acl=listen.tls)
    foreign = {entry.name: listen.topics} if listen.topics else None
    authority = None
    if listen.pki:
        try:
            authority = Authority(Path(listen.pki))
        except PkiError as error:
            raise BoxError(f"{entry.name}: listen.pki: {error}") from None
    return kind(
        directory, spec, port=listen.port, address=listen.address, hostname=listen.hostname, foreign=foreign,
        authority=authority,
    )


class Box:
    """`endpoint`: a broker that runs already, where it is not to be the box's own. `feeders` and `readers` are there
    from the beginning. Use it with `with`, or `start` and `stop`. Raises BoxError for a reader that means nothing."""

    def __init__(self, entry: GatewayEntry, directory: Path, *, endpoint: Endpoint | None = None) -> None:
        self.entry = entry
        self.directory = directory.resolve()
        self.starts = 0
        """Of its program."""
        self._own_endpoint = endpoint is None and entry.listen.broker
        self.endpoint: Endpoint | None = endpoint
        if self._own_endpoint:
            self.endpoint = broker_for(entry, self.directory / "endpoint", Mosquitto)
        self.feeders: list[Feeder] = [
            FEEDERS.find(spec.kind).open(spec, FeedGround(self.directory / f"feed{at}" if at else self.directory))
            for at, spec in enumerate(entry.feed)
        ]
        self._portal_key = (Path(entry.listen.pki) if entry.listen.pki else self.directory) / "acknowledgements.key"
        try:
            self.readers: list[Reader] = [
                READERS.find(spec.kind).open(spec, self._ground(f"{READER}-{at}" if at else READER))
                for at, spec in enumerate(entry.read)
            ]
        except ReaderError as error:
            raise BoxError(f"{entry.name}: {error}") from None
        self._program: SupervisedProcess | None = None
        self._powered = False
        self._said_before: dict[Path, int] = {}  # bytes of its output, before the latest start
        self._running = contextlib.ExitStack()

    def _ground(self, client_id: str) -> ReadGround:
        return ReadGround(
            self.directory, self.endpoint, self.stdout, self._portal_key, client_id, self._authority_folder
        )

    @property
    def _pushes_by_tls(self) -> bool:
        return any(isinstance(spec, PushSpec) and spec.tls != "none" for spec in self.entry.read)

    @property
    def _authority_folder(self) -> Path:
        """Of the authority that a gateway trusts: the inventory's, or the broker's, or one of this start."""
        if self.entry.listen.pki:
            return Path(self.entry.listen.pki)
        if self._pushes_by_tls and isinstance(self.endpoint, Mosquitto):
            return self.endpoint.authority.directory
        return self.directory / "pki"

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Box:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the gateway can be fed. Raises BoxError."""
        with contextlib.ExitStack() as stack:
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
                self.stdout.touch()
                if self._own_endpoint and self.endpoint is not None:
                    stack.callback(self.endpoint.stop)
                    self.endpoint.start()
                for reader in self.readers:
                    stack.callback(reader.stop)
                    reader.start()
                for feeder in self.feeders:
                    stack.callback(feeder.stop)
                    feeder.start()
                stack.callback(self._end_program)
                self.power_on()
            except (EndpointError, ReaderError, FeederError) as error:
                raise BoxError(f"{self.entry.name}: {error}") from None
            except OSError as error:
                raise BoxError(f"{self.entry.name}: {self.directory}: {error.strerror or error}") from None
            self._running = stack.pop_all()

    def stop(self) -> None:
        """Idempotent."""
        self._running.close()
        self._powered = False

    # --- power ------------------------------------------------------------------------------------------------------

    @property
    def powered(self) -> bool:
        """As far as we know: nobody has cut its power, and its program, where it is one, runs."""
        return self._powered and (self._program is None or self._program.running)

    def power_cut(self) -> None:
        """At once, by its relay, or SIGKILL to its program and all that this one started. Raises BoxError."""
        self._powered = False
        if self.entry.power.cut:
            self._relay(self.entry.power.cut)
        elif self._program is not None:
            self._program.kill()
        elif not self.entry.run.command:
            raise BoxError(f"{self.entry.name}: nothing here can cut its power; name a relay in power.cut and power.on")

    def power_on(self, *, wait: bool = True) -> None:
        """And wait until it can be fed; a gateway that is ready when it has its session is not while the broker is
        away, and nobody should `wait`. Raises BoxError."""
        if self._powered and self._program is not None and self._program.running:
            return
        if self.entry.power.on and self.starts:
            self._relay(self.entry.power.on)
        if self.entry.run.command:
            self._start_program()
        self.starts += 1
        self._powered = True
        if wait:
            self.await_ready()

    def _relay(self, command: Iterable[str]) -> None:
        words = self._filled(command)
        try:
            done = subprocess.run(words, capture_output=True, timeout=_RELAY_S, check=False, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BoxError(f"{self.entry.name}: its relay: {error}; see power in the inventory") from None
        if done.returncode:
            said = last_line(done.stderr or done.stdout)
            raise BoxError(f"{self.entry.name}: its relay's {words[0]} ended with {done.returncode}: {said}")

    # --- its program ------------------------------------------------------------------------------------------------

    @property
    def stdout(self) -> Path:
        return self.directory / "stdout"

    @property
    def stderr(self) -> Path:
        return self.directory / "stderr"

    @property
    def pid(self) -> int | None:
        """Its program's; None where none runs here."""
        return self._program.pid if self._program is not None and self._program.running else None

    def _start_program(self) -> None:
        run = self.entry.run
        for name, content in run.files.items():
            file = self.directory / name
            if not file.resolve().is_relative_to(self.directory):
                raise BoxError(f"{self.entry.name}: run.files: {name!r} is outside of the gateway's own directory")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._filled([content])[0], encoding="utf-8")
        command = self._filled(run.command)
        if shutil.which(command[0]) is None:
            raise BoxError(f"{self.entry.name}: no program {command[0]!r} is on the PATH; install it, or name its path")
        self._said_before = {file: file.stat().st_size if file.exists() else 0 for file in (self.stdout, self.stderr)}
        environment = dict(zip(run.env, self._filled(run.env.values()), strict=True))
        reads, writes = os.pipe()
        try:
            self._program = SupervisedProcess(
                command, environment, self.stdout, errors=self.stderr, directory=self.directory, standard_input=reads,
                group=True,
            )  # fmt: skip
        except OSError as error:
            os.close(writes)
            raise BoxError(f"{self.entry.name}: cannot start {command[0]}: {error.strerror or error}") from None
        finally:
            os.close(reads)
        for at, feeder in enumerate(self.feeders):
            if not feeder.place:
                feeder.attach(writes)
                if any(not other.place for other in self.feeders[at + 1 :]):
                    raise BoxError(f"{self.entry.name}: two feeders cannot share one standard input; take one away")
                return
        os.close(writes)

    def _end_program(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.stop()

    def await_ready(self) -> None:
        """Until it can be fed. Raises BoxError."""
        end_s = clock.wall_s() + self.entry.run.ready_s
        while problem := self.problem or self._unsaid():
            if clock.wall_s() > end_s or (self._program is not None and not self._program.running):
                refused, why = self.refused_by_broker(), self.problem or problem  # it may have ended since we looked
                why = f"{why}; {refused}" if refused else why
                raise BoxError(f"{self.entry.name} is not ready within {self.entry.run.ready_s:g} s: {why}")
            self.turn(_LOOK_S)
        self.turn(self.entry.run.settle_s)
        if not self.powered and self.problem:
            raise BoxError(f"{self.entry.name}: {self.problem}")

    def _unsaid(self) -> str:
        """That its ready_line has not come since the latest start; "" when it has, or none is named."""
        wanted = self.entry.run.ready_line.encode()
        if not wanted or any(wanted in file.read_bytes()[at:] for file, at in self._said_before.items()):
            return ""
        return f"its output does not say {self.entry.run.ready_line!r}; its last line is: {self.last_words()}"

    def _filled(self, words: Iterable[str]) -> list[str]:
        try:
            return [filled(word, self.known) for word in words]
        except UnknownPlaceholder as error:
            raise BoxError(f"{self.entry.name}: {error}") from None

    @property
    def known(self) -> dict[str, str]:
        """What stands for what in commands and files (see inventory). Its program works in a directory of its own, so
        paths are whole ones."""
        known = {"directory": str(self.directory), "name": self.entry.name, "python": sys.executable, "root": str(ROOT)}
        known |= {f"feed{at or ''}": feeder.place for at, feeder in enumerate(self.feeders)}
        known |= {f"read{at or ''}": reader.place for at, reader in enumerate(self.readers)}
        if self.endpoint is not None and self.endpoint.address is not None:
            known |= {"host": self.endpoint.address.host, "port": str(self.endpoint.address.port)}
            known |= self._certificates(self.endpoint)
        elif self._pushes_by_tls:
            known |= self._made_certificates()
        if self._portal_key.exists():
            known["portalkey"] = StatementKey.kept(self._portal_key).public.hex()
        return known

    def _certificates(self, endpoint: Endpoint) -> dict[str, str]:
        """None where the box keeps its own key."""
        with contextlib.suppress(EndpointError):
            identity = endpoint.identity(self.entry.name)
            files = {"ca": identity.authorities, "certificate": identity.certificate, "key": identity.key}
            return {name: str(file.absolute()) for name, file in files.items() if file is not None}
        return {}

    def _made_certificates(self) -> dict[str, str]:
        """Where there is no broker that makes them. Raises BoxError."""
        try:
            authority = Authority(self._authority_folder)
            pair = authority.device(self.entry.name)
        except PkiError as error:
            raise BoxError(f"{self.entry.name}: {error}") from None
        files = {"ca": authority.certificate, "certificate": pair.certificate, "key": pair.key}
        return {name: str(file.absolute()) for name, file in files.items()}

    # --- at work ----------------------------------------------------------------------------------------------------

    def feed(self, sent: Sent) -> bool:
        """To every feeder; True when one handed it over."""
        handed = [feeder.feed(sent) for feeder in self.feeders]
        return any(handed)

    def take(self) -> list[Delivered]:
        """What it delivered since the last call, by all readers, in the order in which it came."""
        rows = [delivered for reader in self.readers for delivered in reader.take()]
        return sorted(rows, key=lambda row: row.received_ns)

    @property
    def descriptor(self) -> int | None:
        """Readable when `pump` has something to do; None where there is no broker of its own."""
        return self.endpoint.loop.descriptor if isinstance(self.endpoint, Mosquitto) else None

    def pump(self) -> None:
        """Let real sockets move, without waiting."""
        if isinstance(self.endpoint, Mosquitto):
            self.endpoint.loop.turn(0.0)

    def turn(self, seconds_s: float) -> None:
        """Let real sockets move for so many wall seconds."""
        if self.endpoint is not None:
            self.endpoint.settle(lambda: False, seconds_s)
        else:
            clock.wall_sleep(seconds_s)

    @property
    def handed(self) -> Handed:
        """Of all feeders together."""
        return Handed.together(feeder.handed for feeder in self.feeders)

    @property
    def torn(self) -> list[Torn]:
        """Frames that were taken and that none of its feeders then gave it whole."""
        first, *others = (feeder.handed.torn for feeder in self.feeders) if self.feeders else ([],)
        elsewhere = [{(one.frame, one.ended_ns) for one in torn} for torn in others]
        return [one for one in first if all((one.frame, one.ended_ns) in torn for torn in elsewhere)]

    @property
    def problem(self) -> str | None:
        """What keeps it from work, in one sentence; None when nothing is known to be wrong."""
        if self._program is not None and not self._program.running and self._powered:
            return f"its program ended with {self._program.exit_code}: {self.last_words()}"
        parts: list[Feeder | Reader] = [*self.feeders, *self.readers]
        return next((problem for part in parts if (problem := part.problem)), None)

    def refused_by_broker(self) -> str:
        """Why the broker's log says that the latest client got no TLS session, in one sentence; "" where it says
        nothing of that, or one connected since."""
        if not isinstance(self.endpoint, Mosquitto):
            return ""
        with contextlib.suppress(OSError):
            log = _end_of(self.endpoint.directory / "broker.log", _LOG_BYTES).decode("utf-8", "replace")
            for line in reversed(log.splitlines()):
                if f" as {self.entry.name} " in line:
                    return ""
                if "SSL routines:" in line and (said := push_tls.remedy(line)):
                    return f"the broker gave a client no TLS session: {said}"
        return ""

    def last_words(self) -> str:
        """The last line that its program wrote to standard error, or else to standard output; printable."""
        for file in (self.stderr, self.stdout):
            with contextlib.suppress(OSError):
                data = _end_of(file, _SAID_BYTES)
                if data.strip():
                    return last_line(data)
        return "it said nothing"


def _end_of(file: Path, most: int) -> bytes:
    """After days of work a log is longer than what is wanted of it. Raises OSError."""
    with file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - most))
        return stream.read(most)


__all__ = ["READER", "ROOT", "Box", "BoxError", "broker_for"]
