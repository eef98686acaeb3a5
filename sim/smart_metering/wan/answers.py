"""What an administrator and a participant answer on the WAN, by who asks.

    POST /<receiver>.sm/delivery   a gateway gives a container; the administrator hands it on, and cannot read it
    GET  /<gateway>.sm/clock       the time, for that gateway
    GET  /<gateway>.sm/rules       its rule sets, JSON, for that gateway
    GET  /<gateway>.sm/firmware    the image that waits for it, for that gateway
    POST, DELETE /<gateway>.sm/certificates   its next keys, and that those before are done (renewal)
    POST /<gateway>.sm/alarms      what it noticed, JSON: [[kind, seconds since 1970], ...]
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
from sim.smart_metering.wan.http_messages import Answer, Reply
from sim.smart_metering.wan.tls import WanError

ADMINISTRATOR: Final = "administrator.GWA"
GATEWAY: Final = ".SMGW"
_PATH: Final = re.compile(r"/([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.sm/(delivery|clock|rules|firmware|alarms|certificates)")

HandOn = Callable[[str, str, bytes], None]
"""(receiver, gateway, container); raises WanError where the receiver does not take it."""
Alarmed = Callable[[str, list[tuple[str, int]]], None]
"""(gateway, what it noticed and when)."""
Renew = Callable[[str, str, bytes], Reply]
"""(gateway, method, body)."""
ALARMS_MOST: Final = 10_000
"""Ours: in one question."""


def administrator(
    hand_on: HandOn, rules: Mapping[str, object], now: Callable[[], datetime],
    alarmed: Alarmed = lambda gateway, noticed: None, images: Mapping[str, bytes] | None = None,
    renew: Renew = lambda gateway, method, body: Reply(404, b"no keys are renewed here"),
) -> Answer:  # fmt: skip
    """`rules`: gateway -> its rule sets; `images`: gateway -> firmware that waits for it."""

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
        if name == "certificates":
            return renew(gateway, method, body)
        if method == "GET" and name == "clock":
            return Reply(200, now().astimezone(UTC).isoformat().encode())
        if method == "GET" and name == "rules":
            return Reply(200, json.dumps(rules.get(gateway, [])).encode())
        if method == "GET" and name == "firmware":
            image = (images or {}).get(gateway)
            return Reply(404, b"no firmware waits") if image is None else Reply(200, image)
        if method == "POST" and name == "alarms":
            noticed = _alarms(body)
            if noticed is None:
                return Reply(400, b"alarms are a JSON list of [kind, seconds since 1970]")
            alarmed(gateway, noticed)
            return Reply(204)
        return Reply(405, b"that is not done here")

    return answer


def _alarms(body: bytes) -> list[tuple[str, int]] | None:
    """None for what is no list of them."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, list) or len(given) > ALARMS_MOST:
        return None
    for one in given:
        if not (isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and type(one[1]) is int):
            return None
    return [(what, at_s) for what, at_s in given]


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
