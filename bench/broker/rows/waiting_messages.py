"""Messages for a client that takes none: how many does the broker keep? The client asks for messages and acknowledges
nothing, publishes half as many again as may wait, and then takes what there is."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, identity
from sim.endpoint.one_session import OneSession


def _play(stand: BrokerStand) -> str:
    count, topic = stand.target.queue * 3 // 2, stand.own_topic(stand.first)
    with stand.session(stand.first) as session:
        stand.control(session)
        session.inbox.clear()
        session.holds = True
        mark = stand.canary("waiting")
        before = session.acknowledged
        for number in range(count):
            session.publish(topic, mark + b" %d" % number)
            if session.ended:
                break
        session.turn(lambda: session.acknowledged - before >= count)
        published = session.acknowledged - before
        session.release()
        kept = _taken(stand, session, mark)
        stand.note(published=count, acknowledged=published, kept=kept, quota=stand.target.queue, ended=session.ended)
        if session.ended:
            return f"it ends the session of such a client after {published} of {count}: {session.ended}"
        if kept >= count:
            raise Failed(
                f"all {count} messages waited for a client that takes none; {stand.target.queue} may (--queue)"
            )
        if not kept:
            raise Undecided(f"none of {count} messages came; see --topic")
        return f"{kept} of {count} messages waited for a client that takes none"


def _taken(stand: BrokerStand, session: OneSession, mark: bytes) -> int:
    """How many came in the end: until nothing more comes for as long as we are patient."""

    def came() -> int:
        return sum(one.payload.startswith(mark) for one in session.inbox)

    while not session.ended:
        before = came()
        if not session.turn(lambda before=before: came() > before, stand.target.patience_s):  # type: ignore[misc]
            break
    return came()


ROW = BrokerRow(
    "waiting",
    "What waits for a client has a bound",
    ("W11",),
    _play,
    Remedy("max_queued_messages 1000 (0 means no bound), max_queued_bytes, max_inflight_messages 20",
           ("max_queued_messages", "max_inflight_messages", "max_queued_bytes", "listener")),
    (identity,),
)  # fmt: skip
