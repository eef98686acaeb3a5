"""Where its line's bytes are cut does not matter: two telegrams in one write, and one torn at every byte."""

from __future__ import annotations

from bench.desk.rows.port import Row, a_line_of_bytes
from bench.desk.stand import Stand

_PAUSE_S = 0.02


def _play(stand: Stand) -> str:
    stand.hello()
    glued = [one for _ in range(10) for one in stand.feed_pieces(stand.traffic.several(2), ())]
    stand.await_all(glued)
    stand.refuse_loss(glued, "telegrams, two in each write,")
    torn, at = [], 1
    while True:
        one = stand.traffic.next(encrypted=False)
        size = stand.line_bytes(one)
        if at >= size:
            break
        torn += stand.feed_pieces([one], (at,), pause_s=_PAUSE_S)
        at += max(1, size // 40)
    stand.await_all(torn)
    stand.refuse_loss(torn, "telegrams torn at a byte")
    stand.refuse_strangers()
    return f"{len(glued)} telegrams, two in each write, and {len(torn)} torn at a byte came"


ROW = Row("two-lines", "Lines glued and torn", _play, a_line_of_bytes, faults=(14,))
