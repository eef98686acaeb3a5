"""A client without certificate, user name and password."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided
from sim.endpoint.one_session import Refused, Silent


def _play(stand: BrokerStand) -> str:
    try:
        stand.stranger().close()
    except Refused as error:
        stand.note(refusal=str(error))
        return f"it lets nobody in without: {error}"
    except Silent as error:
        raise Undecided(f"it answered a client without credentials with nothing: {error}") from None
    stand.note(refusal="")
    raise Failed("it gives a session to a client without certificate, user name and password")


ROW = BrokerRow(
    "anonymous",
    "Nobody gets in without credentials",
    ("W06",),
    _play,
    Remedy(
        "allow_anonymous false; with certificates require_certificate true and use_identity_as_username true",
        ("allow_anonymous", "require_certificate", "listener"),
    ),
)
