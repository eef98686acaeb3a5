"""A message that outlives its sender: published as retained on a topic that its sender may use. It is taken away
again."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, identity


def _play(stand: BrokerStand) -> str:
    topic = stand.own_topic(stand.first)
    mark = stand.canary("retained")
    with stand.session(stand.first) as speaker:
        stand.control(speaker)
        speaker.publish(topic, mark, retain=True)
        live = bool(stand.came(speaker, [mark]))
        ended = speaker.ended
    with stand.session(stand.first) as late:
        late.subscribe(topic)
        late.turn(lambda: any(one.retained for one in late.inbox), stand.target.patience_s)
        kept = [one for one in late.inbox if one.retained and one.payload == mark]
        stand.note(topic=topic, delivered_live=live, kept=len(kept), ended=ended)
        if kept:
            late.publish(topic, b"", retain=True)
            late.turn(lambda: late.acknowledged >= 1)
    if kept:
        raise Failed(f"a retained message on {topic} was given to a later subscriber (it is taken away again)")
    if ended:
        return f"it ends the session of a client that publishes retained messages: {ended}"
    if not live:
        raise Undecided("the retained message was not even delivered at once, so it may have been lost; see --topic")
    return "delivered at once, and not kept for a later subscriber"


ROW = BrokerRow(
    "retained-poison",
    "No message outlives its sender",
    ("W09",),
    _play,
    Remedy(
        "retain_available false (whoever publishes a retained message is thrown off then); receivers that ignore them",
        ("retain_available", "listener"),
        "a policy without iot:RetainPublish",
    ),
    (identity,),
)
