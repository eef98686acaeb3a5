"""What a watcher of the wire reads of a session: packets captured beside it, put together by another program's code.

Topic, message and password of one session are marked with words that nobody else uses, and are looked for in the bytes
of every connection to the broker, as they are and as hex. The listener must have been given the message, so that
something did pass.
"""

from __future__ import annotations

from attacks.parts.wire_watch import Capture, found, tcp_streams, tls_bytes
from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, NotApplicable, Remedy, Undecided, identity


def _play(stand: BrokerStand) -> str:
    port = stand.target.address.port
    pcap = stand.folder / "wire.pcap"
    mark = stand.canary("wire")
    try:
        with Capture(pcap, port, ""), stand.session(stand.first) as session:
            stand.control(session)
            session.publish(stand.own_topic(stand.first), mark)
            came = session.turn(lambda: any(one.payload == mark for one in session.inbox))
    except PermissionError:
        raise NotApplicable("the packets of this machine can be captured by root only (CAP_NET_RAW)") from None
    if not came:
        raise Undecided("the message that was to be watched did not come back; see --topic")
    streams = tcp_streams(pcap, port)
    up = [one for one in streams if one.target[1] == port and one.whole]
    if not up:
        raise Undecided(f"no packet to port {port} was captured; is it reached through another machine's network?")
    secrets = {"the message": mark, "the topic": stand.own_topic(stand.first).encode()}
    if stand.first.password:
        secrets["the password"] = stand.first.password.encode()
    read = sorted(found(streams, secrets))
    other = sum(tls_bytes(one) is None for one in up)
    stand.note(bytes_up=sum(len(one.data) for one in up), connections=len(up), read=read, not_only_tls_records=other)
    if read:
        raise Failed(f"{', '.join(read)} could be read on the wire")
    return f"of {len(secrets)} secrets none stood in {sum(len(one.data) for one in streams)} captured bytes"


ROW = BrokerRow(
    "on-the-wire",
    "Nothing readable passes on the wire",
    ("W01",),
    _play,
    Remedy("on this listener: cafile, certfile and keyfile", ("certfile", "listener", "port")),
    (identity,),
)
