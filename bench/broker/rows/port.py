"""What a row of the attack on a broker is: one thing that must not work, tried with what a stranger or one device has.

    def _play(stand: BrokerStand) -> str:
        with stand.session(stand.first) as session:
            stand.control(session)
            ...
        raise Failed("it delivered ...")           # or return a sentence

    ROW = BrokerRow("any-topic", "One identity may use any topic", ("W07",), _play, Remedy("acl_file ..."), (identity,))

`play` returns a sentence when the broker withstood, raises Failed when the attack worked, Undecided when neither was
shown, NotApplicable when something it needs is missing. A PUBACK or a SUBACK is no outcome: brokers acknowledge what
they drop, so a row looks at what a subscriber was given, and `stand.control` first shows that it would be given it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.row_suite import Failed as Failed
from bench.row_suite import Undecided as Undecided
from sim.core.parts import Folder

if TYPE_CHECKING:
    from bench.broker.broker_stand import BrokerStand

Needs = Callable[["BrokerStand"], str]


class NotApplicable(Exception):
    """What it needs is not there; one sentence that names it."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """In the words of the broker's configuration. `settings`: those of mosquitto.conf that the finding is about, the
    nearest first. `aws`: for AWS IoT Core; "" where nothing can be set there."""

    mosquitto: str
    settings: tuple[str, ...] = ()
    aws: str = ""


@dataclass(frozen=True, slots=True)
class BrokerRow:
    """`threats`: ids of reports/threats.toml. `needs`: why it does not apply, "" when it does. `order`: those below
    0 are played before the others, because what the others do changes their answer; those above 0 behind them, because
    they change what the others use."""

    id: str
    title: str
    threats: tuple[str, ...]
    play: Callable[[BrokerStand], str]
    remedy: Remedy
    needs: tuple[Needs, ...] = ()
    order: int = 0


BROKER_ROWS: Folder[BrokerRow] = Folder("bench.broker.rows", "ROW", "row of the attack on a broker", BrokerRow)


# --- what rows need ---------------------------------------------------------------------------------------------------


def tls(stand: BrokerStand) -> str:
    return "" if stand.tls else "it speaks in clear; see the row `encrypted`"


def identity(stand: BrokerStand) -> str:
    if not stand.first.anonymous or stand.lets_anybody_in():
        return ""
    return "it lets nobody in without, and no first identity was given (--certificate and --key, or --user)"


def second(stand: BrokerStand) -> str:
    if stand.second is not None:
        return identity(stand)
    return "no second identity was given (--second-certificate and --second-key, or --second-user)"


def authorities(stand: BrokerStand) -> str:
    return tls(stand) or (
        "" if stand.target.authorities is not None else "the authority that its clients trust was not given (--ca)"
    )
