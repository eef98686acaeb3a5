"""Keys of a world's smart meter gateways renewed while values go on: three new ones, certificates, the old ones taken
back.

The administrator tells a gateway that it is to have new keys; its module makes them, each signs the request, and the
gateway sends it over its line. The administrator authorises it, the sub-CA grants it, and the gateway signs under its
new certificates from then on and begins a session with them. What waits in its outbox was signed under those before,
which receivers take for that long. As soon as nothing of it waits, the gateway says so, and the administrator has the
old certificates taken back: whoever uses one of their keys then is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.core.events import KeysRenewed, SessionRefused
from sim.pki.authority import PkiError
from sim.pki.party_certificates import Certificate
from sim.pki.sm_chain import ChainError
from sim.pki.sm_triples import Request, RequestError, Triple, request
from sim.smart_metering.signers import gateways_name
from sim.smart_metering.wan import renewal
from sim.smart_metering.wan.http_messages import Question, Reply
from sim.smart_metering.wan.talk import Errand
from sim.smart_metering.wan.tls import WanError
from sim.smgw.module.port import ModuleError

if TYPE_CHECKING:
    from sim.smart_metering.smart_gateway import SmartGateway
    from sim.systems._smgw_running import Smgw
    from sim.systems.port import Ground


@dataclass
class _Own:
    """A gateway's side. `told`: it is to have new keys; `asked`: the request, until it is answered; `under_old`: what
    waited when it had them; `done`: the number of the triple before, until the administrator knows that it is done."""

    told: bool = False
    asked: Request | None = None
    under_old: frozenset[int] = field(default_factory=frozenset)
    done: int | None = None


class Renewals:
    """`former`: gateway -> the certificate before, under which receivers still take what waited; it stays here when it
    was taken back, and is refused for that. `retired`: all that there were before the one of now."""

    def __init__(self, system: Smgw, ground: Ground) -> None:
        self._system, self._ground = system, ground
        self._ordered: set[str] = set()
        self._of: dict[str, _Own] = {}
        self._before: dict[str, Triple] = {}
        self.former: dict[str, Certificate] = {}
        self.retired: dict[str, list[Certificate]] = {}

    # --- the administrator's side -----------------------------------------------------------------------------------

    def order(self, number: int) -> None:
        """A gateway is to have new keys: it hears of it over its line."""
        self._ordered.add(self._system.gateways[number].id)
        if self._system.gateways[number].up:
            self._system.wan.look(number)

    def waits(self, gateway: str) -> bool:
        """It does not know of it yet."""
        return gateway in self._ordered

    def answer(self, gateway: str, method: str, body: bytes) -> Reply:
        """Of /<gateway>.sm/certificates."""
        try:
            if method == "POST":
                return self._grant(renewal.read_request(gateways_name(gateway), body))
            if method == "DELETE":
                return self._take_back(gateway, renewal.read_number(body))
        except WanError as error:
            return Reply(400, str(error).encode())
        except (RequestError, ChainError) as error:
            self._tell(gateway, -1, "refused", error.clause)
            return Reply(409, str(error).encode())
        except PkiError as error:
            self._tell(gateway, -1, "refused", "authority")
            return Reply(409, str(error).encode())
        return Reply(405, b"certificates are asked for and given up, and nothing else")

    def _grant(self, asked: Request) -> Reply:
        root, gateway = self._system.root, asked.name.removesuffix(gateways_name(""))
        before = root.registration.triples[asked.name]
        triple = root.authorised(asked, self._ground.calendar.at(self._ground.clock.now_ns))
        self._before[gateway] = before
        self.former[gateway] = before.certificates["SIG"]
        self.retired.setdefault(gateway, []).append(self.former[gateway])
        self._system.signers[gateway] = triple.certificates["SIG"]
        self._tell(gateway, triple.number, "certified")
        return Reply(200, renewal.encode_triple(triple))

    def _take_back(self, gateway: str, number: int) -> Reply:
        before = self._before.get(gateway)
        if before is None or before.number != number:
            return Reply(409, b"these certificates are not the ones before")
        del self._before[gateway]
        now_ns = self._ground.clock.now_ns
        self._system.root.registration.take_back(before, self._ground.calendar.at(now_ns), "superseded")
        self._system.publish(now_ns)
        self._tell(gateway, number, "superseded")
        return Reply(204)

    def _tell(self, gateway: str, number: int, what: str, detail: str = "") -> None:
        self._ground.record(KeysRenewed(self._ground.clock.now_ns, gateway, number, what, detail))

    # --- sessions ---------------------------------------------------------------------------------------------------

    def admit(self, gateway: str, now_ns: int) -> None:
        """A gateway's session begins. Raises ChainError."""
        box = next(one for one in self._system.gateways if one.id == gateway)
        self.check(gateway, box.triple.certificates["TLS"], now_ns)

    def check(self, gateway: str, shown: Certificate, now_ns: int) -> None:
        """Somebody shows this certificate in a gateway's name. Raises ChainError."""
        system, now = self._system, self._ground.calendar.at(now_ns)
        system.root.trust.check(shown, now, "TLS", name=gateways_name(gateway), lists=system.settings.check_lists)

    def begins(self, gateway: str, shown: Certificate) -> bool:
        """Whether a session begins for who shows this certificate and has its key; who is refused is told."""
        try:
            self.check(gateway, shown, self._ground.clock.now_ns)
        except ChainError as error:
            self._ground.record(SessionRefused(self._ground.clock.now_ns, gateway, error.clause))
            return False
        return True

    # --- a gateway's side -------------------------------------------------------------------------------------------

    def heard(self, gateway: str) -> None:
        """It fetched what there is for it, and this was with it."""
        self._ordered.discard(gateway)
        self._of.setdefault(gateway, _Own()).told = True

    def due(self, number: int, gateway: SmartGateway) -> Errand | None:
        """What of this it has to say now. While its module does not answer it has nothing."""
        own = self._of.get(gateway.id)
        if own is None:
            return None
        path = f"/{gateway.id}.sm/certificates"
        if own.told and own.done is None:
            try:
                own.asked = own.asked or request(gateways_name(gateway.id), gateway.triple.number + 1, gateway.module)
            except ModuleError:
                return None
            asked = own.asked
            return Errand(
                Question("POST", path, renewal.encode_request(asked)), lambda reply: self._came(number, asked, reply)
            )
        if own.done is not None and not own.under_old.intersection(gateway.outbox):
            done = Question("DELETE", path, renewal.encode_number(own.done))
            return Errand(done, lambda reply: self._gone(own, reply))
        return None

    def _came(self, number: int, asked: Request, reply: Reply) -> bool:
        """It has its certificates, or why it has none: then it goes on under the old ones."""
        gateway = self._system.gateways[number]
        own = self._of[gateway.id]
        own.told, own.asked = False, None
        try:
            if reply.status != 200:
                raise WanError("certificates", "they were not granted")
            triple = renewal.read_triple(asked, reply.body)
        except WanError:
            gateway.counts["keys not renewed"] += 1
            return True
        own.done, own.under_old = gateway.triple.number, frozenset(gateway.outbox)
        gateway.certify(triple)
        self._system.administrator.end_session(gateway.id)
        self._system.wan.lines[number].hang_up()
        return True

    @staticmethod
    def _gone(own: _Own, reply: Reply) -> bool:
        own.done = None
        return reply.status == 204
