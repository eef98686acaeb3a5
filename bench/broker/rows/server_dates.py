"""Is its certificate in date, by the clock of this machine?"""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows._certificate import shown_by
from bench.broker.rows.port import BrokerRow, Failed, Remedy, tls
from sim.core.clock import wall_now


def _play(stand: BrokerStand) -> str:
    shown, now = shown_by(stand), wall_now()
    stand.note(not_before=shown.not_before.isoformat(), not_after=shown.not_after.isoformat())
    if now > shown.not_after:
        raise Failed(f"its certificate ended on {shown.not_after:%Y-%m-%d}: clients that check dates are shut out")
    if now < shown.not_before:
        raise Failed(f"its certificate begins on {shown.not_before:%Y-%m-%d} only")
    return f"its certificate is good until {shown.not_after:%Y-%m-%d}, {(shown.not_after - now).days} days"


ROW = BrokerRow(
    "server-dates",
    "Its certificate is in date",
    ("W03",),
    _play,
    Remedy("certfile: a fresh certificate, then SIGHUP or a restart", ("certfile", "listener")),
    (tls,),
)
