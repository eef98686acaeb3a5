"""Topics as AWS IoT Core reads them (developer guide: topics, iot-basic-ingest)."""

from __future__ import annotations

from typing import Final

from sim.endpoint.topic_acl import matches as _matches

INGEST: Final = "$aws/rules/"


def matches(pattern: str, topic: str) -> bool:
    """A subscription's or a rule's filter. As MQTT's, but that `a/#` does not match `a` itself."""
    if pattern.endswith("/#") and _matches(pattern[:-2], topic):
        return False
    return _matches(pattern, topic)


def ingested(topic: str) -> tuple[str, str] | None:
    """Of a Basic Ingest topic: the rule's name and the topic that the rule sees; None for any other topic."""
    if not topic.startswith(INGEST):
        return None
    name, _, rest = topic.removeprefix(INGEST).partition("/")
    return (name, rest) if name else None
