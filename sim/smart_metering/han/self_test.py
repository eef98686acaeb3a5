"""A gateway's self-test as a household can start it: does the module sign, and is the own log's chain whole. Once in
ten minutes (Theben IF_GW_CON 1.4); its result goes to that log."""

from __future__ import annotations

from typing import Final

from sim.pki.party_certificates import certified_point
from sim.pki.slot_keys import verifies
from sim.smart_metering.han.visits import Visit
from sim.smgw.logs.hash_chain import Ends, ends_in, verify
from sim.smgw.logs.log_entries import Level, LogEvent, consumer
from sim.smgw.refusals import RuleError

APART_S: Final = 600
_PROBE: Final = b"self-test"


def run(visit: Visit) -> str:
    """What came out. Raises Denied, RuleError (self-test) where the last one is not long enough ago."""
    account, source = visit.access.account, visit.source
    visit.access.state()
    rows = source.log(account.owner) if account.owner else []
    last = max((one.entry.at_s for one in rows if one.entry.event is LogEvent.SELF_TEST), default=None)
    if last is not None and source.now_s() - last < APART_S:
        raise RuleError("self-test", f"the last one was less than {APART_S} s ago")
    signs = verifies(certified_point(source.certificate), _PROBE, source.sign(_PROBE))
    whole = True
    if account.owner:
        signed = source.ends()
        ends: dict[str, Ends] = {} if signed is None else ends_in(signed.statement, source.gateway)
        own = ends.get(consumer(account.owner))
        whole = own is None or not verify(rows, own)
    text = f"self-test: module {'signs' if signs else 'does not sign'}, log {'whole' if whole else 'damaged'}"
    good = signs and whole
    source.note(account.owner or None, Level.INFORMATION if good else Level.ERROR, LogEvent.SELF_TEST, account.name,
                int(not good), text)  # fmt: skip
    return text
