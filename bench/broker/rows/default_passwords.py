"""User names and passwords that programs are delivered with. A fixed, short list: nobody's account is locked by it."""

from __future__ import annotations

from typing import Final

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, NotApplicable, Remedy, Undecided
from sim.endpoint.one_session import Refused, Silent

PAIRS: Final = (
    ("admin", "admin"), ("admin", "password"), ("admin", "public"), ("admin", ""), ("mqtt", "mqtt"),
    ("mosquitto", "mosquitto"), ("user", "user"), ("user", "password"), ("guest", "guest"), ("test", "test"),
    ("root", "root"), ("homeassistant", "homeassistant"),
)  # fmt: skip


def _play(stand: BrokerStand) -> str:
    if stand.lets_anybody_in():
        raise NotApplicable("it lets everybody in, so a password shows nothing; see the row `anonymous`")
    opened = []
    for user, password in PAIRS:
        try:
            stand.stranger(user=user, password=password).close()
            opened.append(f"{user}/{password}")
        except Refused:
            continue
        except Silent as error:
            raise Undecided(f"it answered {user} with nothing: {error}") from None
    stand.note(tried=len(PAIRS), opened=opened)
    if opened:
        raise Failed(f"it gives a session to {', '.join(opened)}")
    return f"it refuses {len(PAIRS)} pairs that programs are delivered with"


ROW = BrokerRow(
    "default-passwords",
    "No password that programs are delivered with",
    ("W06",),
    _play,
    Remedy("password_file: `mosquitto_passwd FILE USER` for every user of it, or certificates instead",
           ("password_file", "listener")),
)  # fmt: skip
