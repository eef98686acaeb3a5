"""A HAN that shows what it must not, a log that hides, displays and consumers who notice nothing."""

from __future__ import annotations

from typing import Any

from tests.referee.defect import ALARMS, GATEWAYS, SILENT, SUMS, Patch, defect
from tests.referee.defects import plays

HAN = "sim.smart_metering.han"


@defect("han-shows-the-neighbours", GATEWAYS, "Every cell of the matrix is as it says.", plays.HAN_MATRIX)
def _(patch: Patch) -> None:
    """A consumer of a gateway sees every consumer's meters, readings and registers."""
    patch.around(f"{HAN}.role_matrix:HanAccess._is_own", lambda original, access, owner: True)


@defect("technician-sees-readings", GATEWAYS, "Every cell of the matrix is as it says.", plays.HAN_MATRIX)
def _(patch: Patch) -> None:
    """Whoever is logged in sees whatever there is for his owner's name, technicians too."""
    patch.around(f"{HAN}.role_matrix:HanAccess._sees", lambda original, access, thing: None)


@defect("pin-lock-off", GATEWAYS, "Wrong passwords are counted and lock.", plays.HAN_LOGINS)
def _(patch: Patch) -> None:
    """Wrong passwords are counted, and an account is never locked."""
    patch.around(f"{HAN}.han_accounts:Accounts.locked_until_s", lambda original, accounts, name, now_s: 0)


@defect("digest-takes-a-count-twice", GATEWAYS, "A recorded login is worth nothing.", plays.HAN_DIGEST)
def _(patch: Patch) -> None:
    """A request of HTTP Digest can be played again."""

    def instead(original: Any, digest: Any, *given: Any) -> Any:
        for nonce in digest._nonces.values():
            nonce.counts.clear()
        return original(digest, *given)

    patch.around(f"{HAN}.http_digest:Digest.judge", instead)


@defect("deleted-row-unseen", GATEWAYS, "A missing row shows wherever it was.", plays.LOG_CHAIN)
def _(patch: Patch) -> None:
    """What is missing from a log is no finding."""

    def instead(original: Any, *given: Any, **more: Any) -> Any:
        return [one for one in original(*given, **more) if one.what != "is missing"]

    patch.around("sim.smgw.logs.hash_chain:verify", instead)


@defect("rewritten-log-unseen", GATEWAYS, "Who writes every later row anew is met by the signed end.", plays.LOG_CHAIN)
def _(patch: Patch) -> None:
    """The end that the gateway signed is not held against the last row."""

    def instead(original: Any, *given: Any, **more: Any) -> Any:
        return [one for one in original(*given, **more) if "the gateway signed" not in one.what]

    patch.around("sim.smgw.logs.hash_chain:verify", instead)


@defect("display-verifies-nobody", GATEWAYS, "A display that checks shows no man in the middle.", plays.HAN_MITM)
def _(patch: Patch) -> None:
    """A display that is said to check the gateway's certificate checks none."""

    def instead(original: Any, client: Any, *given: Any, **more: Any) -> None:
        original(client, *given, **{**more, "trusted": None})

    patch.around(f"{HAN}.han_client:HanClient.__init__", instead)


@defect("middle-changes-nothing", SILENT, "A man in the middle changes a display.", plays.HAN_MITM)
def _(patch: Patch) -> None:
    """The man in the middle says that he changes answers, and hands them on as they are."""
    patch.around("attacks.smgw_han_mitm:_more", lambda original, path, body: body)


@defect("bill-check-agrees-to-all", SUMS, "A consumer notices a bill that the readings contradict.", plays.FALSE_BILL)
def _(patch: Patch) -> None:
    """A bill that is worked out again always agrees."""

    def instead(original: Any, bill: Any, meters: Any) -> Any:
        return [one._replace(outcome="agrees") for one in original(bill, meters)]

    patch.around("sim.smart_metering.han.household:compared", instead)


@defect("rule-set-not-logged", ALARMS, "A false rule set stands in every consumer's log.", plays.FALSE_RULES)
def _(patch: Patch) -> None:
    """A gateway obeys a rule set and writes it into no log."""
    patch.around("sim.smart_metering.gateway_diary:Diary.rules", lambda original, diary, *given: None)
