"""What is loaded: a broker that each trial starts anew, so that no trial begins with what another left, or one that
runs already. The certificates stay: one authority for all trials."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from bench.run_errors import CannotRun
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, Identity
from sim.endpoint.session import MqttSession
from sim.endpoint.topic_acl import PORTAL, READER
from sim.pki.authority import Authority

WORDS: Final = {
    "mosquitto": "Mosquitto, one process, mutual TLS, access list",
    "aws_local": "AWS IoT Core's rules with its quotas on, in front of Mosquitto (never confirmed against the service)",
}
PROBE_S: Final = 5.0
TRIES: Final = 3
TAKERS: Final = "taker{at}"


class Broker(Protocol):
    """One for all trials of a search."""

    words: str
    verify: bool
    loopback: bool
    """Only this machine reaches it."""
    own: bool
    """Its user says that one at a private address is theirs."""

    def start(self, directory: Path) -> None:
        """Ready for a trial. Raises EndpointError, CannotRun."""

    def stop(self) -> None: ...

    @property
    def address(self) -> Address: ...

    def identity(self, client_id: str) -> Identity:
        """Raises EndpointError, CannotRun."""

    def processes(self) -> dict[str, int]:
        """Its processes by what they are; those that can be seen from here."""

    def died(self) -> str:
        """Why it is gone, in a sentence; "" while it runs, or where that cannot be seen."""

    def discarded(self) -> Counter[tuple[str, str]]:
        """What its quotas refused since it was started: (quota, client) -> times."""


@dataclass
class OwnBroker:
    """Mosquitto, or AWS's rules in front of it with its quotas on. `takers`: subscribers beside the portal that may
    read what gateways publish."""

    kind: str
    authority_directory: Path
    takers: int = 0
    verify: bool = True
    loopback: bool = True
    own: bool = False
    _endpoint: Mosquitto | None = field(default=None, init=False)
    _directory: Path = field(default=Path(), init=False)

    def __post_init__(self) -> None:
        self.authority = Authority(self.authority_directory)
        self.words = WORDS[self.kind]

    def start(self, directory: Path) -> None:
        foreign: dict[str, Sequence[str]] = {TAKERS.format(at=at): ("gw/+/up",) for at in range(self.takers)}
        if self.kind == "aws_local":
            self._endpoint = AwsLocal(directory, AwsLocalSpec(enforce_rates=True), authority=self.authority)
        else:
            self._endpoint = Mosquitto(directory, authority=self.authority, foreign=foreign)
        self._directory = directory
        self._endpoint.start()

    def stop(self) -> None:
        if self._endpoint is not None:
            self._endpoint.stop()
            self._endpoint = None

    @property
    def address(self) -> Address:
        assert self._endpoint is not None and self._endpoint.address is not None
        return self._endpoint.address

    def identity(self, client_id: str) -> Identity:
        pair = self.authority.device(client_id)
        return Identity(client_id, pair.certificate, pair.key, self.authority.certificate)

    def processes(self) -> dict[str, int]:
        endpoint = self._endpoint
        if isinstance(endpoint, AwsLocal):
            found = {"companion": endpoint.pid, "broker": endpoint.broker_pid}
        else:
            found = {"broker": endpoint.pid if endpoint is not None else None}
        return {name: pid for name, pid in found.items() if pid is not None}

    def died(self) -> str:
        missing = {"companion", "broker"} if self.kind == "aws_local" else {"broker"}
        gone = sorted(missing - set(self.processes()))
        if not gone:
            return ""
        log = self._directory / "broker.log"
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] if log.exists() else []
        last = f'; the last that it wrote: "{said[0]}"' if said else ""
        return f"the {' and the '.join(gone)} process ended{last}"

    def discarded(self) -> Counter[tuple[str, str]]:
        if not isinstance(self._endpoint, AwsLocal):
            return Counter()
        return Counter((str(row["limit"]), str(row["client"])) for row in self._endpoint.enforced())


@dataclass
class GivenBroker:
    """One that runs already. `identities`: a folder with NAME.crt and NAME.key of each client (gw0, gw1, ..., portal),
    `authorities`: the PEM file that its own certificate is checked with."""

    address: Address
    name: str
    identities: Path
    authorities: Path
    pid: int | None = None
    verify: bool = True
    loopback: bool = True
    own: bool = False

    def __post_init__(self) -> None:
        self.words = f"a broker that runs at {self.name}:{self.address.port}"
        if not self.authorities.is_file():
            raise CannotRun(f"{self.authorities}: no such file; name the PEM file of the broker's authority with --ca")

    def start(self, directory: Path) -> None:
        if self.died():
            raise CannotRun(f"the broker at {self.name}:{self.address.port} is gone: start it again")
        loop = EventLoop()
        probe = MqttSession(loop, self.identity(PORTAL), self.address)
        try:
            loop.settle(lambda: probe.connected or len(probe.log) >= TRIES, PROBE_S)
            connected, said = probe.connected, probe.log[-1][1] if probe.log else "no answer"
        finally:
            probe.close()
            loop.close()
        if not connected:
            raise CannotRun(
                f"the broker at {self.name}:{self.address.port} gives no session to '{PORTAL}': {said}; is it up, does "
                "it trust the authority of --identities, and --ca its own?"
            )

    def stop(self) -> None:
        """It is not ours."""

    def identity(self, client_id: str) -> Identity:
        pair = [self.identities / f"{client_id}.{end}" for end in ("crt", "key")]
        for file in pair:
            if not os.access(file, os.R_OK):
                raise CannotRun(
                    f"{file}: cannot be read; --identities is a folder with {client_id}.crt and {client_id}.key "
                    f"({PORTAL}, {READER} for the client in C, gw0, gw1, ...)"
                )
        return Identity(client_id, pair[0], pair[1], self.authorities)

    def processes(self) -> dict[str, int]:
        return {"broker": self.pid} if self.pid is not None and Path(f"/proc/{self.pid}").exists() else {}

    def died(self) -> str:
        return "" if self.pid is None or self.processes() else f"process {self.pid} ended"

    def discarded(self) -> Counter[tuple[str, str]]:
        return Counter()
