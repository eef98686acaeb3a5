"""A value that the broker keeps comes to every new subscriber as if it were new: telegrams are not retained."""

from __future__ import annotations

from bench.desk.rows._leaks import listen
from bench.desk.rows.port import Failed, Row, broker
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry


def _needs(entry: GatewayEntry) -> str:
    return broker(entry) or ("its manual says that it retains (claims.retains)" if entry.claims.retains else "")


def _play(stand: Stand) -> str:
    fed = stand.hello() + stand.feed_all(stand.traffic.several(20))
    stand.await_all(fed)
    stand.quiet()
    session = listen(stand)
    assert session is not None
    stand.turn(1.0)
    kept = [message for message in session.inbox if message.retained]
    shown = {form for one in fed for form in (one.telegram.frame, one.telegram.frame.hex().encode())}
    shown |= {f"{one.telegram.litres / 1_000:.3f}".encode() for one in fed if one.telegram.litres}
    for message in kept:
        if any(form in message.payload.lower() or form in message.payload for form in shown):
            raise Failed(f"the broker keeps a telegram under {message.topic} and gives it to every new subscriber")
    return f"a new subscriber got none of {len(fed)} telegrams again"


ROW = Row("retained", "Telegrams are not retained", _play, _needs, faults=(21,))
