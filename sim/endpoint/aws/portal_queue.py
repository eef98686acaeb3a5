"""A portal beside AWS that hears by a queue: the rules that fill it, and its lines as messages again.

A rule that selects * writes its JSON anew, and a bundle's acknowledgement is of its bytes. So the rules pass the
payload on in base64, beside its topic, and nothing of it is read on the way.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from sim.core.bundle import BIRTH, UP
from sim.endpoint.port import Message

QUEUE: Final = "portal"
_FILE: Final = Path("sqs") / f"{QUEUE}.jsonl"


def rules(name: str, action: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Two rules, one a kind of message of the gateways', that hand topic and payload to an action."""
    return [
        {
            "ruleName": f"{name}_{kind}",
            "topicRulePayload": {
                "sql": f"SELECT encode(*, 'base64') AS payload, topic() AS topic FROM '{topic.format(gateway='+')}'",
                "awsIotSqlVersion": "2016-03-23",
                "actions": [dict(action)],
            },
        }
        for kind, topic in (("up", UP), ("birth", BIRTH))
    ]


RULES: Final[list[dict[str, Any]]] = rules("queue", {"sqs": {"queueUrl": f"https://sqs/{QUEUE}"}})


def message(output: str | bytes) -> Message:
    """What one of the rules gave an action. Raises ValueError for what none of them wrote."""
    try:
        body = json.loads(output)
        return Message(str(body["topic"]), base64.b64decode(body["payload"], validate=True))
    except (KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise ValueError(f"not of the portal's rules: {error}") from None


def messages(lines: bytes) -> list[Message]:
    """Those of whole lines of a queue's file ({"body"}); what is no message of the rules' is left out."""
    found = []
    for line in lines.splitlines():
        try:
            found.append(message(json.loads(line)["body"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


class Inbox(Protocol):
    """Where an action puts what is for the portal."""

    def waiting(self) -> list[Message]:
        """What the portal has not committed."""

    def taken(self) -> None:
        """The portal committed what `waiting` gave last."""


class Queue:
    """See Inbox. `directory`: of the actions."""

    def __init__(self, directory: Path) -> None:
        self._place = directory / _FILE
        self._taken_bytes = self._read_bytes = 0

    def waiting(self) -> list[Message]:
        if not self._place.exists():
            return []
        with self._place.open("rb") as file:
            file.seek(self._taken_bytes)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read_bytes = self._taken_bytes + len(whole)
        return messages(whole)

    def taken(self) -> None:
        self._taken_bytes = self._read_bytes
