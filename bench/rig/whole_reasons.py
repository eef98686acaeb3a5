"""Why something got an attacker nothing: the complete reasons that `because` may name, and from which table each comes.

What a portal refuses has the portal's words, a handshake that was broken off those of TLS, a container those of its
receiver; what an attack finds out by itself it says in words of its own, which its record lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from attacks.attack import Record
from attacks.parts.sent_frames import NOTHING_STORED
from bench.run_errors import CannotRun
from sim.core.meant import did_you_mean
from sim.core.quoting import quoted
from sim.endpoint.tls_alerts import ALERTS
from sim.pki.sealed_content import REASONS
from sim.pki.sm_chain import CLAUSES
from sim.portal import reasons, verdicts

OR = " | "


@cache
def everywhere() -> Mapping[str, frozenset[str]]:
    """Table -> the reasons in it, of any attack. Raises PartError."""
    return {
        "of the portal, for a telegram": frozenset(filter(None, verdicts.names())) | {reasons.QUARANTINED},
        "of the portal, for a whole message": reasons.OF_MESSAGES,
        "of a TLS handshake (alerts)": frozenset(ALERTS.values()),
        "of a receiver of smart meter gateways' containers": frozenset(REASONS) | frozenset(CLAUSES),
        "of any attack that sends telegrams": frozenset({NOTHING_STORED}),
    }


def known(record: Record) -> frozenset[str]:
    """All reasons that something may get this attack nothing."""
    return frozenset(record.refused_as).union(*everywhere().values())


def read(because: str, record: Record) -> tuple[str, ...]:
    """The alternatives of a text of `because`. Raises CannotRun for what is no reason."""
    named = tuple(filter(None, because.split(OR)))
    there = known(record)
    for one in named:
        if one not in there:
            raise CannotRun(
                f"because: there is no reason {quoted(one)}{did_you_mean(one, there) or ';'} all whole reasons are in "
                f"docs/reference/reasons.md, and {record.id} may list its own as refused_as"
            )
    return named


def stands_in(reason: str, sentence: str) -> bool:
    """Whether a sentence says it, in whole words: "late" does not stand in "translated", nor in "late-comer"."""
    return re.search(rf"(?<![\w-]){re.escape(reason)}(?![\w-])", sentence) is not None
