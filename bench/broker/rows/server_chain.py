"""Does its certificate come from the authority that its clients trust? Dates are not looked at here."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows._certificate import refusal
from bench.broker.rows.port import BrokerRow, Failed, Remedy, authorities


def _play(stand: BrokerStand) -> str:
    why = refusal(stand, name=False)
    stand.note(refusal=why)
    if why:
        raise Failed(f"a client that trusts {stand.target.authorities} refuses it: {why}")
    return f"its certificate chains to {stand.target.authorities}"


ROW = BrokerRow(
    "server-chain",
    "Its certificate comes from its clients' authority",
    ("W01",),
    _play,
    Remedy(
        "certfile: one from that authority, with the intermediate certificates behind it in the same file",
        ("certfile", "listener"),
        "give clients the Amazon root certificates, or the authority of the custom domain's certificate",
    ),
    (authorities,),
)
