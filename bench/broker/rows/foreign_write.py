"""What one client publishes on another's topic, and whether that is delivered to its owner."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, second


def _play(stand: BrokerStand) -> str:
    assert stand.second is not None
    topic = stand.own_topic(stand.second)
    with stand.both() as (speaker, owner):
        mark = stand.canary("foreign write")
        speaker.publish(topic, mark)
        came = stand.came(owner, [mark], speaker)
        stand.note(topic=topic, delivered=len(came), ended=speaker.ended)
        if came:
            who = f"{stand.second.client_id} was given what {stand.first.client_id} published on its topic"
            raise Failed(f"{who} {topic}")
        if speaker.ended:
            return f"it ends the session of a client that publishes on another's topic: {speaker.ended}"
        return "published and acknowledged, and not delivered to its owner"


ROW = BrokerRow(
    "foreign-write",
    "No client speaks on another's topic",
    ("W07",),
    _play,
    Remedy(
        "acl_file: `pattern write` with %u or %c in it for a device's own topics; no pattern without",
        ("acl_file", "listener"),
        "a policy whose iot:Publish names topics with ${iot:Connection.Thing.ThingName}",
    ),
    (second,),
)
