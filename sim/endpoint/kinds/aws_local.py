"""Endpoint `aws_local`: AWS IoT Core's rules on this machine, so that a gateway that breaks them fails here first.

A companion process (sim.endpoint.aws.companion) terminates mutual TLS and enforces the rules of aws_limits;
Mosquitto behind it listens on a Unix socket in the same directory. Unlike Mosquitto alone, what a client may not do
ends its connection. **Its verdicts were never confirmed against the service.**

`rules`: a JSON file with a list of topic rules as AWS takes them (ruleName, topicRulePayload). `policies`: a JSON file,
common name of a certificate ("*": all others) to a policy document or a list of them, instead of the bench's own; what
they deny leaves a run INCONCLUSIVE. `functions`: a JSON file that names the programs behind Lambda functions.
`templates`: a JSON file of provisioning templates by name, and certificates by claim are issued (see
aws.certificate_claims). `portal_by` "queue" or "file": two rules put what gateways publish into a queue or a bucket,
byte for byte, and the portal takes it from there; it subscribes to nothing.
`web`: a second port speaks MQTT over WebSocket, signed by SigV4, MQTT by ALPN, and takes POST /topics/TOPIC by HTTPS;
`web_users`: a JSON file, access key to {"secret_key", "client"}, made for this machine and nothing of an account's.
`enforce_rates`: quotas a second are counted on the wall clock; that fits a wall-clock world or a load test, while
simulated time is compressed. The switches of Mosquitto's that AWS does not have (`tls`, `require_certificate`) are
weaknesses for controls, as there; `least_tls`, `revocation` and `retained` change nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from sim.core import clock
from sim.endpoint import mosquitto_config
from sim.endpoint.aws import claim_registry, companion, given_files, portal_files, portal_queue, shadow_file
from sim.endpoint.aws.account import DEFAULT
from sim.endpoint.aws.aws_limits import NEVER_CONFIRMED
from sim.endpoint.aws.bill import Meter
from sim.endpoint.aws.fleet_policies import HTTPS, fleet_policies, policy_name
from sim.endpoint.aws.own_session import BROKER_SOCKET
from sim.endpoint.kinds.mosquitto import KIND as MOSQUITTO
from sim.endpoint.kinds.mosquitto import LOOPBACK, PROBE, START_DEADLINE_S, Mosquitto, MosquittoSpec, free_port
from sim.endpoint.port import Address, EndpointError, EndpointFeature, Message, Session, WrongFile
from sim.endpoint.registry import EndpointKind
from sim.endpoint.supervised_process import SupervisedProcess

_ROOT = Path(__file__).resolve().parents[3]
_READ_HERE = frozenset({"kind", "rules", "policies", "functions", "templates", "web", "web_users", "portal_by"})
_Way = tuple[Callable[[Path], portal_queue.Inbox], list[dict[str, Any]]]
_WAYS: Final[dict[str, _Way]] = {
    "queue": (portal_queue.Queue, portal_queue.RULES),
    "file": (portal_files.Files, portal_files.RULES),
}
"""By which the portal hears without a subscription: what reads it, and the rules that write it."""
_ANOTHER = 50  # of free_port: not the one that the first port was given a moment ago


@dataclass(frozen=True, slots=True)
class AwsLocalSpec(MosquittoSpec):
    """[endpoint] with kind = "aws_local". `per_device_acl` off: a policy that allows every topic. `bind_client_id` off:
    policies with ${iot:ClientId} alone, which any certificate satisfies."""

    kind: str = "aws_local"
    enforce_rates: bool = False
    require_sni: bool = True
    rules: str = ""
    policies: str = ""
    functions: str = ""
    templates: str = ""
    portal_by: Literal["subscription", "queue", "file"] = "subscription"
    web: bool = False
    web_users: str = ""


class AwsLocal(Mosquitto):
    """See port.Endpoint and Mosquitto, whose broker, directory and clients it has."""

    name: ClassVar[str] = "aws_local"
    features: ClassVar[frozenset[EndpointFeature]] = Mosquitto.features - {
        "broker topics",
        "retain",
        "tls settings",
    } | {"denial closes", "shadows"}

    def __init__(self, directory: Path, spec: AwsLocalSpec | None = None, **how: Any) -> None:
        super().__init__(directory, spec or AwsLocalSpec(), **how)
        self._companion: SupervisedProcess | None = None
        self._web_port = 0
        self._way = _WAYS.get(self.spec.portal_by if isinstance(self.spec, AwsLocalSpec) else "")
        self._inbox = self._way[0](directory / "actions") if self._way else None

    @property
    def by_queue(self) -> bool:
        return self._inbox is not None

    def queued(self) -> list[Message]:
        """See port.Queues. What is no message of the rules' is left out: they encode what they pass on."""
        return self._inbox.waiting() if self._inbox is not None else []

    def taken(self) -> None:
        if self._inbox is not None:
            self._inbox.taken()

    @property
    def web_address(self) -> Address | None:
        """Of WebSocket and HTTPS; None without `web`."""
        return Address("localhost", self._web_port) if self._web_port else None

    @property
    def pid(self) -> int | None:
        """The companion's: what clients talk to."""
        return self._companion.pid if self._companion is not None and self._companion.running else None

    @property
    def broker_pid(self) -> int | None:
        """Mosquitto's, behind it."""
        return super().pid

    def kill(self) -> None:
        if self._companion is not None:
            self._companion.kill()
        super().kill()

    def stop(self) -> None:
        self._close_sessions()
        if self._companion is not None:
            self._companion.stop()
        super().stop()

    def restart(self, *, refusing: bool = False) -> None:
        if self._companion is not None:
            self._companion.stop()
        super().restart(refusing=refusing)

    def revoke(self, client_id: str) -> None:
        """See Mosquitto; also of what a gateway came to by claim, which no file of the authority's holds."""
        if not claim_registry.take_back(self.directory, client_id):
            super().revoke(client_id)
        if self._companion is not None and self._companion.running:
            self._companion.hang_up()

    def enforced(self) -> list[dict[str, Any]]:
        """Each time a rule was enforced: unix_ms, client, limit (an id of aws_limits.LIMITS), detail."""
        place = self.directory / companion.LOG
        lines = place.read_text(encoding="utf-8").splitlines() if place.exists() else []
        return [json.loads(line) for line in lines]

    def let_down(self, session: Session, what: str) -> WrongFile | None:
        """See port.Elsewhere. What our own policies deny is the client's fault: such a one is what is looked for."""
        assert isinstance(self.spec, AwsLocalSpec)
        mine = [one for one in self.enforced() if one["client"] == session.client_id and "denied" in one["limit"]]
        if not self.spec.policies or not mine:
            return None
        return WrongFile(
            f"endpoint.policies: {self.spec.policies}: {what}: {mine[-1]['limit']} for '{session.client_id}' "
            f"({mine[-1]['detail']}); allow it there, `./wmbench aws policy` tries a document"
        )

    def meter(self) -> Meter:
        """What AWS would have billed so far, the bench's own markers left out; connection time is the wall's."""
        return Meter(**{key: value for key, value in self._brought_up().items() if key != "asked"})

    def shadows(self) -> dict[str, dict[str, Any]]:
        """Thing -> its classic shadow as `get` gives it."""
        self._brought_up()
        return shadow_file.classic(shadow_file.read(self.directory))

    def _brought_up(self) -> dict[str, Any]:
        """The companion's files are written anew; its meter."""
        place = self.directory / companion.METER

        def read() -> dict[str, Any]:
            return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}

        if self.pid is not None:
            before = read().get("asked", 0)
            os.kill(self.pid, signal.SIGUSR1)
            self._wait(lambda: self.pid is None or read().get("asked", 0) > before)
        return read()

    @property
    def _dialled(self) -> str:
        """By name: a handshake to an address carries no server name."""
        return "localhost" if super()._dialled == LOOPBACK else super()._dialled

    # --- starting ----------------------------------------------------------------------------------------------

    def _launch(self) -> str | None:
        files = self._write_files()
        self._write_config(files)
        program, environment = self._find_program()
        (self.directory / BROKER_SOCKET).unlink(missing_ok=True)
        files.config.write_text(mosquitto_config.behind(self.spec, files, BROKER_SOCKET), encoding="utf-8")
        said_before = files.log.stat().st_size if files.log.exists() else 0
        command = [str(program), "-c", str(files.config)]
        broker = self._child(command, environment, files.log)
        self._wait(lambda: (self.directory / BROKER_SOCKET).exists() or not broker.running)
        front = self._child(
            [sys.executable, "-m", "sim.endpoint.aws.companion"],
            {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)},
            files.log,
        )
        if broker.running and self._await_connack(front):
            self._process, self._companion = broker, front
            return None
        ended = not front.running or not broker.running
        for child in (front, broker):
            child.kill()
        if ended:
            return files.log.read_bytes()[said_before:].decode("utf-8", "replace")
        raise EndpointError(f"aws_local gave no CONNACK within {START_DEADLINE_S:.0f} s; its log: {files.log}")

    def _explain(self, said: str) -> str:
        mine = [line for line in said.splitlines() if line.startswith("companion: Error: ")]
        if not mine:
            return super()._explain(said)
        said = mine[-1].removeprefix("companion: Error: ")
        told = self.directory / companion.CONFIG
        return f"the companion in front of Mosquitto did not start: {said}; what it was told: {told}"

    def _child(self, command: list[str], environment: Any, log: Path) -> SupervisedProcess:
        try:
            return SupervisedProcess(command, environment, log, directory=self.directory)
        except OSError as error:
            raise EndpointError(
                f"cannot run {command[0]}: {error.strerror or error}; `./wmbench doctor` says what is missing"
            ) from None

    @staticmethod
    def _wait(done: Callable[[], bool]) -> None:
        end_s = clock.wall_s() + START_DEADLINE_S
        while not done() and clock.wall_s() < end_s:
            clock.wall_sleep(0.002)

    def _write_config(self, files: mosquitto_config.Files) -> None:
        spec = self.spec
        assert isinstance(spec, AwsLocalSpec)
        policies = fleet_policies(bound=spec.bind_client_id, narrow=spec.per_device_acl)
        policies = {PROBE: policies[DEFAULT], **policies, **given_files.policies(spec.policies)}
        if self._refusing:
            policies = {name: [] for name in policies}
        functions = given_files.functions(spec.functions)
        rules = given_files.rules(spec.rules, functions) + (self._way[1] if self._way else [])
        named = {policy_name(name): many for name, many in policies.items()}
        if spec.web:
            self._web_port = self._web_port or free_port(_ANOTHER)
            policies[DEFAULT] = [*policies[DEFAULT], *policies.get(HTTPS, [])]
        templates = given_files.templates(spec.templates, named)
        config = {
            **{key: value for key, value in asdict(spec).items() if key not in _READ_HERE},
            "address": self._listen, "port": self._port, "authorities": str(files.authorities), "crl": str(files.crl),
            "certificate": str(files.server.certificate), "key": str(files.server.key), "policies": policies,
            "rules": rules,
            "functions": functions,
            "web_port": self._web_port, "web_users": given_files.web_users(spec.web_users),
            "templates": templates, "authority": str(self.authority.directory), "named": named,
        }  # fmt: skip
        (self.directory / companion.CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")


KIND = EndpointKind(
    id=AwsLocal.name,
    title="AWS IoT Core's rules in front of Mosquitto, never confirmed against the service",
    features=AwsLocal.features,
    spec=AwsLocalSpec,
    make=AwsLocal,
    ready=MOSQUITTO.ready,
    caveat=NEVER_CONFIRMED,
)
