"""What an administrator and a participant answer on the WAN, by who asks.

    POST /<receiver>.sm/delivery   a gateway gives a container; the administrator hands it on, and cannot read it
    GET  /<gateway>.sm/clock       the time, for that gateway
    GET  /<gateway>.sm/rules       its rule sets, JSON, for that gateway
    POST /<gateway>.sm/delivery    the administrator hands a container to the participant
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from sim.smart_metering.participant import Participant
from sim.smart_metering.wan.server import Answer, Reply
from sim.smart_metering.wan.tls import WanError

ADMINISTRATOR: Final = "administrator.GWA"
GATEWAY: Final = ".SMGW"
_PATH: Final = re.compile(r"/([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.sm/(delivery|clock|rules)")

HandOn = Callable[[str, str, bytes], None]
"""(receiver, gateway, container); raises WanError where the receiver does not take it."""


def administrator(hand_on: HandOn, rules: Mapping[str, object], now: Callable[[], datetime]) -> Answer:
    """`rules`: gateway -> its rule sets."""

    def answer(party: str, method: str, path: str, body: bytes) -> Reply:
        found = _PATH.fullmatch(path)
        if found is None:
            return Reply(404, b"no such object")
        device, name = found.groups()
        gateway = party.removesuffix(GATEWAY)
        if not party.endswith(GATEWAY):
            return Reply(403, b"gateways alone ask here")
        if method == "POST" and name == "delivery":
            try:
                hand_on(device, gateway, body)
            except WanError as error:
                return Reply(502, str(error).encode())
            return Reply(204)
        if device != gateway:
            return Reply(403, b"that is another gateway's")
        if method == "GET" and name == "clock":
            return Reply(200, now().astimezone(UTC).isoformat().encode())
        if method == "GET" and name == "rules":
            return Reply(200, json.dumps(rules.get(gateway, [])).encode())
        return Reply(405, b"that is not done here")

    return answer


def participant(receiver: Participant, now_ns: Callable[[], int]) -> Answer:
    """A final receiver: containers come from the administrator alone."""
    one_at_a_time = threading.Lock()

    def answer(party: str, method: str, path: str, body: bytes) -> Reply:
        found = _PATH.fullmatch(path)
        if found is None or found[2] != "delivery":
            return Reply(404, b"no such object")
        if party != ADMINISTRATOR:
            return Reply(403, b"the administrator alone hands in here")
        if method != "POST":
            return Reply(405, b"that is not done here")
        with one_at_a_time:
            taken = receiver.take(found[1], body, now_ns())
        return Reply(204) if taken else Reply(503, b"no revocation list says now whether its signer is good")

    return answer
