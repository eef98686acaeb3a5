"""A new session with a certificate that was taken back."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, tls
from sim.endpoint.one_session import Refused, Silent


def _needs(stand: BrokerStand) -> str:
    if stand.target.revoked is not None or (stand.second is not None and stand.target.revoke):
        return tls(stand)
    return "no revoked certificate was given (--revoked-certificate and --revoked-key), and no --revoke"


def _play(stand: BrokerStand) -> str:
    with stand.session(stand.first):
        pass  # it is not that nobody gets in
    shown = stand.target.revoked or stand.second
    assert shown is not None
    try:
        stand.open(shown).close()
    except Refused as error:
        stand.note(refusal=str(error))
        if error.code or "revoked" not in str(error):
            raise Undecided(
                f"it refuses the certificate of {shown.client_id}, but for another reason: {error}"
            ) from None
        return f"it refuses it: {error}"
    except Silent as error:
        raise Undecided(f"it answered it with nothing: {error}") from None
    raise Failed(f"it gives a session to the revoked certificate of {shown.client_id}")


ROW = BrokerRow(
    "revoked",
    "No new session with a revoked certificate",
    ("W05",),
    _play,
    Remedy(
        "crlfile, renewed before it ends and read again by SIGHUP",
        ("crlfile", "require_certificate", "listener"),
        "UpdateCertificate with the status REVOKED or INACTIVE",
    ),
    (_needs,),
    order=2,
)
