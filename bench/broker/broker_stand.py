"""Sessions with a broker for one row, the control that a message would have come, and what was seen.

What decides without long waits: a client hears what it publishes on a topic of its own (`Target.topic`), and a broker
hands one client its messages in order. So behind an attack the listener sends itself a message; once that came,
what was to come before it would be there, but for a broker of several machines, for which `patience_s` is.
"""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.broker.broker_target import Shown, Target
from bench.broker.rows.port import Failed, NotApplicable, Undecided
from sim.core.clock import unix_ns
from sim.endpoint.one_session import Login, OneSession, Refused, Silent, dialled, pump
from sim.endpoint.port import Message
from sim.endpoint.tls_connect import ConnectFailed, reason_of
from sim.endpoint.tls_hello import NoTls, offer
from sim.pki.server_certificate import NO_CHECK_TIME

SYSTEM_VERSION: Final = "$SYS/broker/version"
_CANARIES = itertools.count(1)


class NoBroker(Exception):
    """Nothing can be tried there; one sentence with the way out."""


class BrokerStand:
    """`folder`: of the row. `evidence`: what the row keeps for the report."""

    def __init__(self, target: Target, folder: Path, *, tls: bool) -> None:
        self.target, self.folder, self.tls = target, folder, tls
        self.first, self.second = target.first, target.second
        self.evidence: dict[str, Any] = {}

    def note(self, **facts: Any) -> None:
        self.evidence.update(facts)

    # --- sessions -------------------------------------------------------------------------------------------------

    def context(self, shown: Shown | None) -> ssl.SSLContext | None:
        """For a client that shows this (None: nothing). A password goes to a server only that the authorities vouch
        for, where they were given; otherwise the server is believed, for its certificate has rows of its own."""
        if not self.tls:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        try:
            if shown is not None and shown.password is not None and self.target.authorities is not None:
                context.load_verify_locations(self.target.authorities)
                context.verify_flags |= NO_CHECK_TIME  # whether it is in date has a row of its own
            else:
                context.verify_mode = ssl.CERT_NONE
            if shown is not None and shown.certificate is not None:
                context.load_cert_chain(shown.certificate, shown.key)
        except (OSError, ValueError) as error:
            raise Undecided(
                f"a certificate, key or authority that was given cannot be used: {reason_of(error)}"
            ) from None
        return context

    def open(self, shown: Shown, *, client_id: str = "", clean: bool = True) -> OneSession:
        """One session, or the broker's refusal. Raises Refused, Silent."""
        login = Login(client_id or shown.client_id, shown.user, shown.password, clean)
        return OneSession(self.target.address, self.context(shown), self.target.name, login, self.target.deadline_s)

    @contextmanager
    def session(self, shown: Shown | None, *, clean: bool = True) -> Iterator[OneSession]:
        """A session that an honest client must get. Raises Undecided."""
        if shown is None:
            raise NotApplicable("no second identity was given")
        try:
            opened = self.open(shown, clean=clean)
        except (Refused, Silent) as error:
            raise Undecided(
                f"it gives {shown.client_id} no session: {error}; see that what was given is right"
            ) from None
        with opened:
            yield opened

    @contextmanager
    def both(self) -> Iterator[tuple[OneSession, OneSession]]:
        """The first and the second identity, each shown to hear itself."""
        with ExitStack() as stack:
            pair = (stack.enter_context(self.session(self.first)), stack.enter_context(self.session(self.second)))
            for one in pair:
                self.control(one)
            yield pair

    def stranger(self, *, user: str | None = None, password: str | None = None) -> OneSession:
        """A session without a certificate, with these words or none. Raises Refused, Silent."""
        return self.open(Shown(f"wmbench-stranger-{next(_CANARIES)}", user=user, password=password))

    def lets_anybody_in(self) -> bool:
        try:
            self.stranger().close()
        except (Refused, Silent):
            return False
        return True

    def silent_connection(self) -> Any:
        """TCP and nothing more. Raises Refused, Silent."""
        return dialled(self.target.address, None, self.target.name, self.target.deadline_s)

    # --- messages -------------------------------------------------------------------------------------------------

    def own_topic(self, shown: Shown) -> str:
        return self.target.topic.format(client=shown.client_id)

    def canary(self, what: str = "canary") -> bytes:
        """Bytes that nobody else publishes."""
        return f"wmbench {what} {unix_ns():x} {next(_CANARIES)}".encode()

    def control(self, session: OneSession) -> None:
        """It hears what it publishes on its own topic. Raises Undecided."""
        topic = self.target.topic.format(client=session.login.client_id)
        session.subscribe(topic)
        if not self.echoes(session):
            ended = f" (it ended the session: {session.ended})" if session.ended else ""
            raise Undecided(
                f"{session.login.client_id} does not hear what it publishes on {topic}{ended}, so silence would say "
                "nothing; name by --topic one that it may write and read ({client} stands for its id)"
            )

    def echoes(self, session: OneSession) -> bool:
        """It sends itself one message more, and gets it."""
        mark = self.canary("control")
        session.publish(self.target.topic.format(client=session.login.client_id), mark)
        return session.turn(lambda: has(session.inbox, mark))

    def came(self, listener: OneSession, payloads: Sequence[bytes], speaker: OneSession | None = None) -> list[Message]:
        """Which of these the listener was given, when they must be there or will not come."""
        if speaker is not None and speaker is not listener and not speaker.ended:
            self.echoes(speaker)
        if not listener.ended:
            self.echoes(listener)
        sessions = [listener] if speaker is None or speaker is listener else [listener, speaker]
        pump(sessions, lambda: any(has(listener.inbox, one) for one in payloads), self.target.patience_s)
        return [one for one in listener.inbox if one.payload in payloads]

    def still_serves(self, session: OneSession, what: str) -> None:
        """`session` goes on, and a new one opens. Raises Failed."""
        if session.ended or not self.echoes(session):
            raise Failed(f"{what}, and the session of {session.login.client_id} is over: {session.ended or 'silent'}")
        shown = self.first if session.login.client_id == self.first.client_id else self.second
        session.close()
        try:
            self.open(shown or self.first).close()
        except (Refused, Silent) as error:
            raise Failed(f"{what}, and it opens no session any more: {error}") from None


def has(inbox: Sequence[Message], payload: bytes) -> bool:
    return any(one.payload == payload for one in inbox)


def met(target: Target, folder: Path) -> BrokerStand:
    """The broker at an address: does it speak TLS, and MQTT? Raises NoBroker."""
    words = target.words
    try:
        tls = offer(target.address, target.name, deadline_s=target.deadline_s)
        stand = BrokerStand(target, folder, tls=True)
        if tls.agreed or tls.alert is not None:
            _speaks_mqtt(stand)
            return stand
    except NoTls:
        pass
    except ConnectFailed as error:
        if "said nothing" not in str(error):
            raise NoBroker(f"{words}: {error}; see that a broker listens there") from None
    stand = BrokerStand(target, folder, tls=False)
    _speaks_mqtt(stand)
    return stand


def _speaks_mqtt(stand: BrokerStand) -> None:
    """A CONNACK with any code will do, and so will a refusal for want of a certificate. Raises NoBroker."""
    said = []
    for shown in (stand.first, replace(stand.first, certificate=None, key=None, user=None, password=None)):
        try:
            stand.open(shown).close()
            return
        except Refused as error:
            if error.code or (stand.tls and "TLS:" in str(error)):
                return
            said.append(str(error))
        except (Silent, Undecided) as error:
            said.append(str(error))
            break
    raise NoBroker(
        f"{stand.target.words}: no MQTT broker answers there ({said[0]}); see that port and program are right"
    )


def version_of(stand: BrokerStand) -> str:
    """What it says of itself on its own topic; "" where it says nothing to us."""
    try:
        session = stand.open(stand.first)
    except (Refused, Silent):
        return ""
    with session:
        try:
            session.subscribe(SYSTEM_VERSION)
        except Silent:
            return ""
        session.turn(lambda: bool(session.inbox), min(0.5, stand.target.patience_s))
        return session.inbox[0].payload.decode("utf-8", "replace") if session.inbox else ""
