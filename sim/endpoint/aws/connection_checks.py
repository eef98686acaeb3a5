"""Why a connection ends, and what is checked of a topic for every publisher."""

from __future__ import annotations

from sim.endpoint.aws import aws_limits as limits


class Refused(Exception):
    """The connection ends: the limit's id, what broke it, and what a v5 client is told (0: nothing)."""

    def __init__(self, limit: str, detail: str, reason: int = 0) -> None:
        super().__init__(detail)
        self.limit, self.detail, self.reason = limit, detail, reason


def check_topic(topic: str) -> None:
    """Of a publish. Raises Refused."""
    if len(topic.encode()) > limits.TOPIC_BYTES:
        raise Refused("topic-length", f"{len(topic.encode())} bytes", 0x90)
    if topic.count("/") > limits.TOPIC_SLASHES and not topic.startswith("$aws/things/"):
        raise Refused("topic-levels", topic, 0x90)
    if "+" in topic or "#" in topic:
        raise Refused("bad-packet", "a topic with a wildcard", 0x90)
    if topic.startswith("$") and not topic.startswith("$aws/"):
        raise Refused("reserved-topic", topic, 0x90)


def unshared(name: str) -> str:
    """The filter itself of $share/GROUP/FILTER. Raises Refused."""
    if not name.startswith("$share/"):
        return name
    _, group, rest = (*name.split("/", 2), "", "")[:3]
    if not group or not rest or len(group.encode()) > limits.SHARE_NAME_BYTES:
        raise Refused("subscribe-denied", name, 0x8F)
    return rest
