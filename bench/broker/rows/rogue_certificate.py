"""A client certificate with the right name, from an authority that nobody trusts."""

from __future__ import annotations

from bench.broker.broker_stand import BrokerStand
from bench.broker.broker_target import Shown
from bench.broker.rows.port import BrokerRow, Failed, NotApplicable, Remedy, Undecided, tls
from sim.endpoint.one_session import Refused, Silent
from sim.pki.authority import Authority, PkiError


def _play(stand: BrokerStand) -> str:
    if stand.lets_anybody_in():
        raise NotApplicable("it lets everybody in, so a certificate shows nothing; see the row `anonymous`")
    name = stand.first.client_id
    try:
        pair = Authority(stand.folder / "rogue", "wmbench rogue CA").device(name)
    except PkiError as error:
        raise Undecided(f"no certificate could be made in the name of {name}: {error}") from None
    try:
        stand.open(Shown(name, pair.certificate, pair.key)).close()
    except Refused as error:
        stand.note(refusal=str(error))
        return f"it refuses it: {error}"
    except Silent as error:
        raise Undecided(f"it answered it with nothing: {error}") from None
    raise Failed(f"it takes a certificate in the name of {name} from an authority made for this test")


ROW = BrokerRow(
    "rogue-certificate",
    "No client certificate of another authority",
    ("W06",),
    _play,
    Remedy("cafile: only the authority that issues to devices (not capath of the system); require_certificate true",
           ("cafile", "capath", "require_certificate", "listener"),
           "register only certificates of your own authority; deactivate what is unknown"),
    (tls,),
)  # fmt: skip
