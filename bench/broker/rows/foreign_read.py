"""What another client publishes, heard by name and by wildcards. Each filter is tried in a session of its own."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, second


def _play(stand: BrokerStand) -> str:
    assert stand.second is not None
    topic = stand.own_topic(stand.second)
    filters = dict.fromkeys((topic, "#", "+/#", "/".join("+" for _ in topic.split("/")), f"$share/wmbench/{topic}"))
    heard, granted = [], 0
    for wanted in filters:
        with stand.both() as (listener, speaker):
            granted += any(listener.subscribe(wanted))
            mark = stand.canary("foreign read")
            speaker.publish(topic, mark)
            if stand.came(listener, [mark], speaker):
                heard.append(wanted)
    stand.note(filters=list(filters), granted=granted, heard=heard)
    if heard:
        who = f"{stand.first.client_id} hears what {stand.second.client_id} publishes on {topic}"
        raise Failed(f"{who}, by {', '.join(heard)}")
    return f"{len(filters)} filters, {granted} of them granted, delivered nothing of {stand.second.client_id}'s"


ROW = BrokerRow(
    "foreign-read",
    "No client hears another's messages",
    ("W07",),
    _play,
    Remedy(
        "acl_file: `pattern read` with %u or %c in it for a device's own topics; no pattern without, and no wildcard "
        "below a device's `user`",
        ("acl_file", "listener"),
        "a policy whose iot:Subscribe and iot:Receive name topics with ${iot:Connection.Thing.ThingName}",
    ),
    (second,),
)
