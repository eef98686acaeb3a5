"""The client id of one client in a session of another: does that end the owner's?"""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, second
from sim.endpoint.one_session import OneSession, Refused, Silent


def _play(stand: BrokerStand) -> str:
    assert stand.second is not None
    with stand.session(stand.first) as owner:
        stand.control(owner)
        try:
            thief = stand.open(stand.second, client_id=stand.first.client_id)
        except Refused as error:
            stand.note(refusal=str(error), owner_ended=owner.ended)
            _judge(stand, owner)
            return f"it refuses the second: {error}"
        except Silent as error:
            raise Undecided(f"it answered the second with nothing: {error}") from None
        with thief:
            owner.turn(lambda: bool(owner.ended), stand.target.patience_s)
            stand.note(refusal="", owner_ended=owner.ended)
            _judge(stand, owner)
            return "the second gets a session, and the owner keeps its own: the id is taken from its credentials"


def _judge(stand: BrokerStand, owner: OneSession) -> None:
    if owner.ended or not stand.echoes(owner):
        assert stand.second is not None
        thief = f"{stand.second.client_id} came as {stand.first.client_id}"
        raise Failed(f"{thief}, and its owner lost the session: {owner.ended}")


ROW = BrokerRow(
    "client-id",
    "No client takes another's client id",
    ("W08",),
    _play,
    Remedy(
        "use_username_as_clientid true (with use_identity_as_username true: the certificate's common name)",
        ("use_username_as_clientid", "use_identity_as_username", "listener"),
        "a policy whose iot:Connect names client/${iot:Connection.Thing.ThingName}, of the certificate's own thing",
    ),
    (second,),
)
