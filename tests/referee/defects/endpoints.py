"""A broker that does not enforce what its world says."""

from __future__ import annotations

import ssl
from typing import Any

from tests.referee.defect import ENDPOINTS, RIG, Patch, defect
from tests.referee.defects import plays

CONFIG = "sim.endpoint.mosquitto_config:config"


def without_lines(patch: Patch, unwanted: tuple[str, ...], more: tuple[str, ...] = ()) -> None:
    """mosquitto.conf without these lines, and with others."""

    def instead(original: Any, *arguments: Any, **named: Any) -> str:
        lines = [line for line in original(*arguments, **named).splitlines() if not line.startswith(unwanted)]
        return "\n".join([*lines, *more]) + "\n"

    patch.around(CONFIG, instead)


@defect("client-certificate-not-asked", ENDPOINTS, "Nobody publishes as a gateway without its certificate.",
        plays.CERTIFICATES)  # fmt: skip
def _(patch: Patch) -> None:
    """The broker is started without asking for client certificates, though the world says that it asks."""
    without_lines(
        patch,
        ("require_certificate", "use_identity_as_username", "use_username_as_clientid", "allow_anonymous"),
        ("require_certificate false", "allow_anonymous true"),
    )


@defect("revoked-accepted", ENDPOINTS, "A revoked certificate gets no session.", plays.CERTIFICATES)
def _(patch: Patch) -> None:
    """The broker reads no revocation list."""
    without_lines(patch, ("crlfile",))


@defect("client-id-not-bound", ENDPOINTS, "A certificate gets a session under its own name only.",
        plays.CERTIFICATES)  # fmt: skip
def _(patch: Patch) -> None:
    """The broker believes the client id that a client says."""
    without_lines(patch, ("use_username_as_clientid",))


@defect("access-list-off", ENDPOINTS, "A device writes and reads its own topics only.", plays.CERTIFICATES)
def _(patch: Patch) -> None:
    """The broker is started without its access list."""
    without_lines(patch, ("acl_file",))


@defect("embedded-access-list-off", ENDPOINTS, "A device writes and reads its own topics only.", plays.TOPICS)
def _(patch: Patch) -> None:
    """The embedded broker lets everybody publish and read everywhere."""
    patch.around("sim.endpoint.kinds.memory:may_publish", lambda original, *arguments: True)
    patch.around("sim.endpoint.kinds.memory:may_read", lambda original, *arguments: True)


@defect("embedded-revoked-accepted", ENDPOINTS, "A revoked client gets no session.", plays.TOPICS)
def _(patch: Patch) -> None:
    """The embedded broker forgets whom it was to refuse."""
    patch.around("sim.endpoint.kinds.memory:Memory.revoke", lambda original, *arguments: None)


@defect("host-name-not-checked", ENDPOINTS, "A gateway talks to its own broker only.", plays.MITM)
def _(patch: Patch) -> None:
    """A gateway checks the broker's chain and not its host name (M19)."""

    def instead(original: Any, *arguments: Any, **named: Any) -> ssl.SSLContext | None:
        context: ssl.SSLContext | None = original(*arguments, **named)
        if context is not None:
            context.check_hostname = False
        return context

    patch.around("sim.endpoint.session:tls_context", instead)


@defect("expired-accepted", ENDPOINTS, "A gateway refuses an expired certificate.", plays.MITM)
def _(patch: Patch) -> None:
    """A gateway does not look at the dates of certificates (N06)."""

    def instead(original: Any, *arguments: Any, **named: Any) -> ssl.SSLContext | None:
        context: ssl.SSLContext | None = original(*arguments, **named)
        if context is not None:
            context.verify_flags |= 0x200000  # X509_V_FLAG_NO_CHECK_TIME
        return context

    patch.around("sim.endpoint.session:tls_context", instead)


@defect("server-not-checked", ENDPOINTS, "A gateway talks to its own broker only.", plays.MITM)
def _(patch: Patch) -> None:
    """A gateway checks nothing of the broker's certificate."""
    patch.around(
        "sim.endpoint.session:tls_context",
        lambda original, identity, *, verify, **more: original(identity, verify=False, **more),
    )


@defect("account-lets-down-unsaid", ENDPOINTS, "What an account denies is INCONCLUSIVE, and nobody's verdict.",
        plays.LET_DOWN)  # fmt: skip
def _(patch: Patch) -> None:
    """An endpoint of somebody else's that refuses what a gateway says is no reason for anything."""
    patch.around("sim.endpoint.kinds.aws_iot:AwsIot.let_down", lambda original, *arguments: None)
    patch.around("sim.endpoint.kinds.aws_local:AwsLocal.let_down", lambda original, *arguments: None)


@defect("never-confirmed-unsaid", RIG, "A page with a verdict from the companion says that it was never confirmed.",
        plays.CAVEAT)  # fmt: skip
def _(patch: Patch) -> None:
    """No kind of endpoint has a sentence that stands beside its verdicts."""
    patch.around("reports.run_model:caveats", lambda original, *arguments: [])
