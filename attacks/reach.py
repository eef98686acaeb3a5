"""The handle an attack is given: exactly the methods its capabilities allow, made from where it stands.

A listener is a receiver on the air at a place, with that place's shadowing; a speaker is a transmitter; on the network
path stands a real TLS proxy; a stolen certificate opens a real session. Nothing here gives an attacker what the
simulator knows: what it hears is bytes, time and signal strength. What it sends is noted for the truth, which it
cannot read.
"""

from __future__ import annotations

import contextlib
import importlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, cast

from attacks.attack import Can, Record
from attacks.reach_base import Base as _Base
from attacks.reach_base import Place as Place
from attacks.reach_radio import Hear as _Hear
from attacks.reach_radio import Shape as _Shape
from attacks.reach_radio import Speak as _Speak
from sim.core.clock import NS_PER_S, ns, wall_ns
from sim.core.meant import did_you_mean
from sim.endpoint.port import Endpoint, EndpointError, Identity, Message, Session
from sim.endpoint.tls_connect import ConnectFailed, offered_at_most
from sim.pki.authority import Authority
from sim.pki.device_requests import fits
from sim.portal.roles import Denied, HouseSum, TenantRow, Views
from sim.systems.keyless import keyless

if TYPE_CHECKING:
    from attacks.reach_homes import Biller, HomeNetwork
    from attacks.reach_lawful import Lawful
    from attacks.reach_smgw import BusClip, LineTap, ReceiverKey, Relay, RunningBox, Wan
    from sim.network.mitm_path import Alter, MitmPath
    from sim.network.tls_proxy import Answer
    from sim.world import World


class _Path(_Base):
    """Sits between one gateway and the broker. `certificate`: one of vocabulary.SERVER_CERTIFICATES."""

    def intercept(
        self, gateway: int, certificate: str, alter: Alter | None = None, answer: Answer | None = None
    ) -> MitmPath:
        """Redirect a gateway to a TLS proxy of our own until `release()`. Returns the proxy, which has seen what
        passed in clear. `alter`, `answer`: see mitm_path."""
        victim = self._world.gateways[gateway]
        self.note("intercept", f"gateway {victim.id}, showing: {certificate}")
        return self._world.paths.intercept(victim, certificate, alter, answer)

    def release(self, gateway: int) -> None:
        """Take the redirection away."""
        self._world.paths.release(self._world.gateways[gateway])

    def stay(self, gateway: int) -> None:
        """Let the network go on until a gateway has published what it publishes to the server of its session."""
        session = self._world.gateways[gateway].session
        self._world.settle(lambda: not session.connected or session.unacknowledged == 0, 10.0)

    def note_sent(self, telegrams: list[bytes]) -> None:
        """Telegrams of our own making that we put on the path, noted for the truth."""
        self._world.truth.note_published(telegrams)


class _Network(_Base):
    """Reaches the broker."""

    def _broker(self) -> Endpoint:
        if self._world.system.endpoint is None:
            raise EndpointError("there is no broker here that would let anybody in")
        return self._world.system.endpoint

    def name_of(self, gateway: int) -> str:
        """A gateway's name, which stands on its box."""
        return self._world.gateways[gateway].id

    def stranger(self, client_id: str) -> Identity:
        """Who has no certificate, and says any name."""
        return replace(self._broker().identity(client_id), certificate=None, key=None)

    def offer(self, identity: Identity, most: ssl.TLSVersion) -> str:
        """A TLS handshake that offers no more than this version: what was agreed on, or "refused: " and why."""
        address = self._broker().address
        if address is None:
            raise EndpointError("there is no socket here that could be offered TLS")
        try:
            agreed = offered_at_most(address, identity, most)
        except ConnectFailed as error:
            agreed = f"refused: {error}"
        self.note("handshake", f"at most {most.name}: {agreed.partition(':')[0]}")
        return agreed

    def connect(self, identity: Identity, *, subscribe: tuple[str, ...] = ()) -> Session:
        """Open a real session to the broker with it; waits until it is up or refused."""
        session = self._broker().connect(identity, subscribe=subscribe)
        self._world.follow(session)
        self._world.settle(lambda: bool(session.connects or session.log), 10.0)
        # Its owner may have taken the session back already: whether we were let in is what counts.
        self.note("connect", f"as {identity.client_id}: {'connected' if session.connects else 'refused'}")
        return session

    def let_work(self, session: Session) -> None:
        """Let the network go on until a session is up with everything acknowledged, or is refused again."""
        until = len(session.log)
        self._world.settle(lambda: len(session.log) > until or (session.connected and not session.unacknowledged), 10.0)

    def publish(self, identity: Identity, topic: str, payload: bytes, telegrams: list[bytes]) -> bool:
        """Log in, publish with QoS 1, log out; it is at the portal when this returns. `telegrams`: those inside, noted
        for the truth. False: not let in."""
        self._world.truth.note_published(telegrams)
        if not self.leave(identity, topic, [payload]):
            return False
        self.note("publish", f"{topic}, {len(telegrams)} telegrams")
        self._world.deliver()
        return True

    def leave(self, identity: Identity, topic: str, payloads: list[bytes]) -> bool:
        """Log in, publish these with QoS 1, log out; they are at the broker when this returns. An attacker that stays
        online fights for the session with its owner; one that is displaced goes on behind the last PUBACK: how often
        depends on the machine's speed, what the broker has does not. False: not let in."""
        session = self.connect(identity)
        said_on, left = 0, len(payloads)

        def taken() -> bool:
            nonlocal said_on, left
            if session.connects == said_on:
                left = session.unacknowledged
            elif session.connected:
                for payload in payloads[len(payloads) - left :]:
                    session.publish(topic, payload)
                said_on = session.connects
            return session.connects == said_on and not left

        try:
            if session.connects:
                self._world.settle(taken, 120.0)
            return session.connects > 0
        finally:
            session.close()

    def contend(self, session: Session, logins: int) -> None:
        """Let the network go on until a session that its owner keeps taking was opened so many times, or is refused."""
        self._world.settle(lambda: session.connects >= logins or any(s == "refused" for s, _ in session.log), 10.0)

    def come_to_rest(self, gateway: int) -> None:
        """Let what this set off come to its end: its owner is back, and the portal has what he says."""
        owner = self._world.gateways[gateway]
        self._world.settle(lambda: owner.session.connected or not owner.up, 10.0)
        self._world.deliver()

    def hold(self, identity: Identity, span_s: float, rest_s: float) -> tuple[int, int, int]:
        """For so many wall seconds take a session that its owner takes back, `rest_s` after he did: when that began and
        ended (clock.wall_ns), and how many logins it took. World time stands still meanwhile."""
        begin_ns, logins = wall_ns(), 0
        end_ns = begin_ns + ns(span_s)

        def until_s(most_s: float) -> float:
            return min(most_s, max(0.0, (end_ns - wall_ns()) / NS_PER_S))

        while wall_ns() < end_ns:
            session = self._broker().connect(identity)
            self._world.follow(session)
            self._world.settle(lambda here=session: bool(here.connects or here.log), until_s(span_s))  # type: ignore[misc]
            logins += session.connects > 0
            self._world.settle(lambda here=session: not here.connected, until_s(span_s))  # type: ignore[misc]
            session.close()
            self._world.settle(lambda: False, until_s(rest_s))
        return begin_ns, wall_ns(), logins


class _Certificate(_Network):
    """Owns a gateway's certificate, key and client id."""

    def steal(self, gateway: int) -> Identity:
        """What is stolen when a gateway is: its certificate, key and client id."""
        return self._broker().identity(self._world.gateways[gateway].id)

    def spare(self, name: str) -> Identity:
        """What is stolen when a gateway is that was never installed."""
        return self._broker().identity(name)


class _BrokerItself(_Base):
    def deliver_by(self, change: Callable[[Sequence[Message]], Sequence[Message]]) -> None:
        """What the broker delivers to the portal from now on, made of what it would."""
        keyless(self._world.system).delivers = change

    def kept_files(self) -> dict[str, bytes]:
        """Every file that the broker, and whatever runs beside it, keeps now, by name; none of its authority's."""
        endpoint = keyless(self._world.system).endpoint
        folder, authority = self._world.directory / "endpoint", None
        with contextlib.suppress(EndpointError):
            authority = endpoint.authority.directory
        self.note("read what is kept", str(endpoint.name))
        return {
            str(one.relative_to(folder)): one.read_bytes()
            for one in sorted(folder.rglob("*"))
            if one.is_file() and authority not in one.parents
        }

    def note_sent(self, telegrams: list[bytes]) -> None:
        """Telegrams that we bring to the portal, noted for the truth."""
        self._world.truth.note_published(telegrams)


class _Clock(_Base):
    def set_clock(self, gateway: int, offset_s: float) -> str:
        """The clock of a gateway shows so many seconds more than it is, from now on. Its name. Raises LookupError
        for a real one."""
        victim = self._world.gateways[gateway]
        victim.set_clock(offset_s)
        self.note("set the clock", f"{victim.id}: {offset_s:+.0f} s")
        return victim.id

    def answer_time(self, gateway: int, offset_s: float) -> str:
        """Answer a gateway's question for the time, so many seconds ahead, without the key of who is asked: a gateway
        that asks over TLS believes none of it. Its name."""
        if not self._world.spec.system.verifies_time:
            return self.set_clock(gateway, offset_s)
        self.note("answer for the time", "the gateway breaks off: it is not its administrator's certificate")
        return self._world.gateways[gateway].id


class _View(_Base):
    def _views(self) -> Views:
        return Views(keyless(self._world.system).portal.store, self._world.spec.portal.view_rules)

    def ask_as_tenant(self, tenant: str, flat: str | None) -> list[TenantRow] | str:
        """The rows that a tenant gets for a flat now, or why none."""
        try:
            return self._views().tenant(tenant, self.now_ns, flat)
        except Denied as error:
            return str(error)

    def ask_as_landlord(self, landlord: str, house: str, from_ns: int, until_ns: int) -> HouseSum | str:
        """The sum that a landlord gets for a house and a period, or why none."""
        try:
            return self._views().landlord(landlord, house, from_ns, until_ns)
        except Denied as error:
            return str(error)


class _MeterKey(_Base):
    def meter_key(self, address: str) -> bytes:
        """The key of the one meter that was taken apart."""
        key = self._world.fleet.key(self._world.fleet.find(address))
        if key is None:
            raise LookupError(f"meter {address} has no key")
        return bytes(key)


class _Disk(_Base):
    def portal_files(self) -> dict[str, bytes]:
        """Every file of the portal, by name."""
        folder = self._world.system.disk
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class _Kek(_Base):
    def key_encryption_key(self, partition: str) -> tuple[str, bytes]:
        """The key under which one partition of the portal's keys lies, as whoever looks after that partition has it;
        of another one where there is none of this name. Its name, and the key: empty where keys lie in clear."""
        keks = keyless(self._world.system).keks
        place = partition if partition in keks else next(iter(sorted(keks)), "")
        return place, keks.get(place, b"")


class _Taken(_Network):
    """Has files about a gateway that may hold its key."""

    def with_key(self, name: str, files: dict[str, bytes]) -> Identity:
        """Who one is with them: the gateway, where its private key is among them; else what anybody can make, the same
        name with a key and an authority of one's own. The files are put down in the attacker's own folder."""
        folder = self._world.directory / "attacker" / self._record.id
        own = Authority(folder, "an authority of the attacker's").device(name)
        authorities = self._broker().identity(name).authorities
        for certificate in files.values():
            for key in files.values():
                if fits(certificate, key):
                    own.certificate.write_bytes(certificate)
                    own.key.write_bytes(key)
        return Identity(name, own.certificate, own.key, authorities)


class _Flash(_Taken):
    def flash(self, gateway: int) -> dict[str, bytes]:
        """The files of a gateway's identity in its flash memory."""
        name = self._world.gateways[gateway].id
        self.note("read the flash memory", name)
        return keyless(self._world.system).key_copies.flash(name)


class _Factory(_Taken):
    def factory_files(self, gateway: int) -> dict[str, bytes]:
        """What the factory kept of a gateway that it made."""
        name = self._world.gateways[gateway].id
        self.note("look into the factory's files", name)
        return keyless(self._world.system).key_copies.factory(name)


_PARTS: list[tuple[Can, type[_Base] | str]] = [
    (Can.HEAR, _Hear),
    (Can.SPEAK, _Speak),
    (Can.SHAPE, _Shape),
    (Can.PATH, _Path),
    (Can.CERTIFICATE, _Certificate),
    (Can.NETWORK, _Network),
    (Can.BROKER, _BrokerItself),
    (Can.CLOCK, _Clock),
    (Can.VIEW, _View),
    (Can.METER_KEY, _MeterKey),
    (Can.DISK, _Disk),
    (Can.KEK, _Kek),
    (Can.FLASH, _Flash),
    (Can.FACTORY, _Factory),
    (Can.BOX_DISK, "attacks.reach_smgw:BoxDisk"),
    (Can.BOX, "attacks.reach_smgw:RunningBox"),
    (Can.RELAY, "attacks.reach_smgw:Relay"),
    (Can.WAN, "attacks.reach_smgw:Wan"),
    (Can.RECEIVER_KEY, "attacks.reach_smgw:ReceiverKey"),
    (Can.HOME, "attacks.reach_homes:HomeNetwork"),
    (Can.BILLS, "attacks.reach_homes:Biller"),
    (Can.CLIP, "attacks.reach_smgw:BusClip"),
    (Can.TAP, "attacks.reach_smgw:LineTap"),
    (Can.LAWFUL, "attacks.reach_lawful:Lawful"),
]
"""What each capability adds, in the order in which methods are looked up. Where it needs the parts of the system
`smgw` it is named by its file, and is loaded for an attack that declares it."""

if TYPE_CHECKING:

    class _Elsewhere(RunningBox, Relay, Wan, ReceiverKey, HomeNetwork, Biller, BusClip, LineTap, Lawful): ...

else:
    _Elsewhere = _Base


class Reach(
    _Hear, _Speak, _Shape, _Path, _Certificate, _BrokerItself, _Clock, _View, _MeterKey, _Disk, _Kek, _Flash, _Factory,
    _Elsewhere,
):  # fmt: skip
    """The type of a handle as attacks name it: all methods there are. No object is made of it; `reach_for` makes one
    that has only those of the attack's capabilities, so a method that was not declared is an AttributeError,
    which says what to declare."""


def parts_of(can: Can) -> list[tuple[Can, type[_Base]]]:
    """(capability, the class with its methods) of each of these."""
    return [(one, _loaded(part) if isinstance(part, str) else part) for one, part in _PARTS if one in can]


def _loaded(where: str) -> type[_Base]:
    module, _, name = where.partition(":")
    return cast(type[_Base], getattr(importlib.import_module(module), name))


def reach_for(record: Record, world: World, place: Place) -> Reach:
    """A handle with exactly the methods that `record.can` allows."""
    parts = tuple(part for _, part in parts_of(record.can))
    return cast(Reach, type("Reach", parts or (_Base,), {"__getattr__": _undeclared})(world, record, place))


def _undeclared(reach: _Base, name: str) -> NoReturn:
    """Raises AttributeError, which names the capability that has the method."""
    if name[:1] == "_":
        raise AttributeError(name)
    having = [f"Can.{can.name}" for can, part in parts_of(~Can(0)) if hasattr(part, name)]
    if having:
        raise AttributeError(f"reach has no '{name}': add {' or '.join(having)} to this attack's `can`")
    raise AttributeError(f"reach has no '{name}'{did_you_mean(name, [one for one in dir(reach) if one[:1] != '_'])}")
