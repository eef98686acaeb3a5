"""A rule that the broker's configuration lacks, and attacks on the broker that are not made."""

from __future__ import annotations

from typing import Any

from tests.referee.defect import ENDPOINTS, SILENT, Patch, defect
from tests.referee.defects import plays
from tests.referee.defects.endpoints import without_lines


@defect("old-tls-accepted", ENDPOINTS, "The broker agrees on no version before TLS 1.2.", plays.OLD_TLS)
def _(patch: Patch) -> None:
    """The broker's least version is TLS 1.1."""
    without_lines(patch, ("tls_version", "ciphers"), ("tls_version tlsv1.1", "ciphers DEFAULT@SECLEVEL=0"))


@defect("revocation-list-not-read", ENDPOINTS, "A revoked certificate gets no new session.", plays.REVOKED)
def _(patch: Patch) -> None:
    """The broker reads no revocation list, whatever the world says."""
    without_lines(patch, ("crlfile",))


@defect("revoked-not-thrown-off", ENDPOINTS, "A restart ends the live session of a revoked certificate.",
        plays.REVOKED)  # fmt: skip
def _(patch: Patch) -> None:
    """The broker reads its list anew where it was to be started again."""
    patch.around("sim.endpoint.kinds.mosquitto:Mosquitto.restart", lambda original, self, **_: self._process.hang_up())


@defect("anonymous-listener", ENDPOINTS, "Nobody gets a session without a certificate.", plays.ANONYMOUS)
def _(patch: Patch) -> None:
    """The broker lets everybody in, though the world says that it asks for certificates."""
    names = ("require_certificate", "use_identity_as_username", "use_username_as_clientid", "allow_anonymous")
    without_lines(patch, names, ("require_certificate false", "allow_anonymous true"))


@defect("no-access-list", ENDPOINTS, "A device hears and speaks for itself alone.", plays.WILDCARDS)
def _(patch: Patch) -> None:
    """The broker is started without its access list, though the world says that it has one."""
    without_lines(patch, ("acl_file",))


@defect("reserved-topics-open", ENDPOINTS, "No device writes another's shadow.", plays.WILDCARDS)
def _(patch: Patch) -> None:
    """The access list gives the reserved topics to everybody."""
    patch.around(
        "sim.endpoint.kinds.mosquitto:access_list",
        lambda original, *arguments: "topic readwrite $aws/#\npattern readwrite $aws/#\n" + original(*arguments),
    )


@defect("any-certificate-any-name", ENDPOINTS, "A client id belongs to its certificate.", plays.BORROWED_NAME)
def _(patch: Patch) -> None:
    """The broker believes the client id that a client says, though the world says that it is bound."""
    without_lines(patch, ("use_username_as_clientid",))


@defect("retained-kept", ENDPOINTS, "The broker keeps no message for later.", plays.KEPT_MESSAGE)
def _(patch: Patch) -> None:
    """The broker keeps retained messages, though the world says that it does not."""
    without_lines(patch, ("retain_available",))


@defect("kept-message-not-kept", SILENT, "The control shows that a retained message outlives its sender.",
        plays.KEPT_MESSAGE)  # fmt: skip
def _(patch: Patch) -> None:
    """The attacker publishes its message without asking that it be kept."""

    def instead(original: Any, self: Any, topic: str, payload: bytes, *, retain: bool = False) -> None:
        original(self, topic, payload)

    patch.around("sim.endpoint.session:MqttSession.publish", instead)


@defect("borrowed-name-own-name", SILENT, "The control shows that a client id can be taken.", plays.BORROWED_NAME)
def _(patch: Patch) -> None:
    """The attacker comes under its own name."""
    patch.around("attacks.borrowed_name:replace", lambda original, identity, **_: identity)


@defect("handshakes-not-made", SILENT, "A handshake that is refused was offered to the broker.", plays.OLD_TLS)
def _(patch: Patch) -> None:
    """The attacker says that its handshakes were refused, and makes none."""
    patch.around("attacks.reach:_Network.offer", lambda original, *_: "refused: TLS: alert protocol version")
