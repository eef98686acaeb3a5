"""A session that stands when its certificate is taken back. The second identity is used up by it."""

from __future__ import annotations

import subprocess

from bench.broker.broker_stand import BrokerStand
from bench.broker.rows.port import BrokerRow, Failed, Remedy, Undecided, second


def _needs(stand: BrokerStand) -> str:
    return second(stand) or (
        "" if stand.target.revoke else "the command that takes the second identity back was not given (--revoke)"
    )


def _play(stand: BrokerStand) -> str:
    assert stand.second is not None
    with stand.session(stand.second) as session:
        stand.control(session)
        revoke(stand)
        session.turn(lambda: bool(session.ended), stand.target.deadline_s)
        ended = session.ended
        stand.note(ended=ended)
        if ended:
            return f"its live session ended: {ended}"
        if stand.echoes(session):
            raise Failed(
                f"{stand.target.deadline_s:g} s after its certificate was taken back, the live session goes on"
            )
        raise Undecided("the live session neither ended nor goes on")


def revoke(stand: BrokerStand) -> None:
    """The user's command. Raises Undecided."""
    assert stand.second is not None
    command = [word.replace("{client}", stand.second.client_id) for word in stand.target.revoke]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Undecided(f"the command of --revoke did not run: {error}") from None
    if done.returncode:
        raise Undecided(f"the command of --revoke ended with {done.returncode}, so nothing may have been taken back")


ROW = BrokerRow(
    "live-revocation",
    "A revoked certificate's session ends",
    ("W05",),
    _play,
    Remedy(
        "Mosquitto leaves live sessions alone: restart it behind each new crlfile, or kick by its dynamic security "
        "plugin",
        ("crlfile", "listener"),
        "UpdateCertificate REVOKED cuts within minutes: raise --deadline",
    ),
    (_needs,),
    order=1,
)
