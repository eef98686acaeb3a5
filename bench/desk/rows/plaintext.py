"""A gateway that forwards shows nothing of what is encrypted: not in a message, a log or a file."""

from __future__ import annotations

from bench.desk.rows._leaks import forms, found, listen
from bench.desk.rows.port import Failed, Row, forwards
from bench.desk.stand import Stand
from bench.desk.traffic import KEY


def _play(stand: Stand) -> str:
    session = listen(stand)
    stand.hello()
    fed = stand.feed_all([stand.traffic.next(encrypted=True) for _ in range(40)])
    stand.await_all(fed)
    stand.refuse_loss(fed, "encrypted telegrams")
    needles = {"the meters' key": forms(KEY)}
    for one in fed:
        litres = one.telegram.litres or 0
        texts = [str(litres).encode(), f"{litres / 1_000:.3f}".encode()]
        needles[f"what meter {one.telegram.meter} had encrypted"] = forms(one.telegram.hidden) + texts
    if where := found(stand, session, needles):
        raise Failed(where)
    return f"nothing of {len(fed)} encrypted telegrams shows, on the broker, in logs and files"


ROW = Row("plaintext", "Nothing encrypted shows in clear", _play, forwards)
