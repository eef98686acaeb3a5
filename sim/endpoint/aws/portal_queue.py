"""A portal beside AWS that hears by a queue: the rules that fill it, and its lines as messages again. Pure.

A rule that selects * writes its JSON anew, and a bundle's acknowledgement is of its bytes. So the rules pass the
payload on in base64, beside its topic, and nothing of it is read on the way.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from sim.core.bundle import BIRTH, UP
from sim.endpoint.port import Message

QUEUE: Final = "portal"
RULES: Final[list[dict[str, Any]]] = [
    {
        "ruleName": f"queue_{name}",
        "topicRulePayload": {
            "sql": f"SELECT encode(*, 'base64') AS payload, topic() AS topic FROM '{topic.format(gateway='+')}'",
            "awsIotSqlVersion": "2016-03-23",
            "actions": [{"sqs": {"queueUrl": f"https://sqs/{QUEUE}"}}],
        },
    }
    for name, topic in (("up", UP), ("birth", BIRTH))
]


def messages(lines: bytes) -> list[Message]:
    """Those of whole lines of a queue's file ({"body"}); what is no message of the rules' is left out."""
    found = []
    for line in lines.splitlines():
        try:
            body = json.loads(json.loads(line)["body"])
            found.append(Message(str(body["topic"]), base64.b64decode(body["payload"], validate=True)))
        except (ValueError, KeyError, TypeError, binascii.Error):
            continue
    return found
