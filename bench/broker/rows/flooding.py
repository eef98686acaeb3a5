"""One client floods its own topic; another client's messages and session must not suffer. The count is bounded."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, second


def _play(stand: BrokerStand) -> str:
    assert stand.second is not None
    count, topic = stand.target.flood, stand.own_topic(stand.first)
    marks = [stand.canary("bystander") for _ in range(20)]
    with stand.both() as (flooder, bystander):
        mark, every = stand.canary("flood"), max(1, count // len(marks))
        sent = 0
        for number in range(count):
            flooder.publish(topic, mark + b" %d" % number)
            if flooder.ended:
                break
            sent += 1
            if number % every == 0 and (at := number // every) < len(marks):
                bystander.publish(stand.own_topic(stand.second), marks[at])
                bystander.turn(lambda: True, 0.0)
        said = marks[: min(len(marks), -(-max(sent, 1) // every))]
        flooder.turn(lambda: flooder.acknowledged > count)
        bystander.turn(lambda: all(any(got.payload == one for got in bystander.inbox) for one in said))
        came = sum(any(got.payload == one for got in bystander.inbox) for one in said)
        heard = sum(one.payload.startswith(mark) for one in flooder.inbox)
        stand.note(flood=sent, of=count, delivered=heard, ended=flooder.ended, bystander_sent=len(said),
                   bystander_came=came, bystander_ended=bystander.ended)  # fmt: skip
        if bystander.ended:
            raise Failed(f"a flood of {sent} messages ended the session of a bystander: {bystander.ended}")
        if came < len(said):
            raise Failed(f"during a flood of {sent} messages {len(said) - came} of a bystander's {len(said)} were lost")
        # How many the flooder is given back depends on how fast it takes them (max_queued_messages), so on the machine.
        quota = (
            f"it ended the flooder's session after {sent}"
            if flooder.ended
            else f"its session went on, and {heard} of {sent} were delivered"
        )
        return f"a bystander lost none of {len(said)} messages; {quota}"


ROW = BrokerRow(
    "flooding",
    "One client's flood harms no other",
    ("W11",),
    _play,
    Remedy(
        "max_inflight_messages, max_queued_messages, message_size_limit; Mosquitto has no rate a client: a limit "
        "on the path (iptables hashlimit, a proxy)",
        ("max_inflight_messages", "max_queued_messages", "listener"),
    ),
    (second,),
)
