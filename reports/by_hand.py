"""Commands with which a reader finds a shot again in the files of a run, without this program and without its page: the
bytes' fingerprint, their frame, the message that brought them, the portal's row, the history's lines, the alarm.

They are for a shell in the folder in which report.html lies, and need Python, tshark and sqlite3.
"""

from __future__ import annotations

import shlex
from typing import Final, NamedTuple

from reports.run_model import Claim
from reports.shots import CAPTURE, ShotView

FINGERPRINT: Final = (
    "python3 -c \"import hashlib; print(hashlib.blake2b(bytes.fromhex('{}'), digest_size=16).hexdigest())\""
)
COLUMNS: Final = {
    "refusals": "meter, gateway, received_ns, stored_ns, reason, detail, fingerprint, hex(telegram) AS telegram"
}


SESSIONS: Final = (
    "python3 -c \"import json, sys; [print(e['wall_ns'], e['whose'], e['client'], e['state'], e['reason']) for e in "
    "sorted((e for e in map(json.loads, open(sys.argv[1])) if e['event'] == 'SessionChanged' and e['client'] in "
    "sys.argv[4:] and int(sys.argv[2]) <= e['wall_ns'] <= int(sys.argv[3])), key=lambda e: e['wall_ns'])]\""
)


class Step(NamedTuple):
    """`shows`: what to look for in what the command prints."""

    what: str
    command: str
    shows: str


def steps(view: ShotView) -> list[Step]:
    """Those for which this shot left something; [] where nothing was sent."""
    if not view.sent:
        return []
    found = [Step("fingerprint", FINGERPRINT.format(view.sent.hex()), view.mark)]
    air = shlex.quote(f"{view.directory}/{CAPTURE}")
    one = f"tshark -r {air} -Y 'frame.number == "
    found += [Step("frame", f"{one}{seen.number}' -x", "the bytes sent") for seen in view.frames[:1]]
    for seen in view.messages[:1]:
        of_it = f"grep -aoF {view.sent.hex()} message.pcapng"
        found.append(Step("message", f"{one}{seen.number}' -w message.pcapng && {of_it}", "the bytes sent"))
    database = shlex.quote(f"{view.directory}/portal/portal.sqlite.gz")
    for row in view.rows[:1]:
        asked = shlex.quote(f"SELECT {COLUMNS.get(row.table, '*')} FROM {row.table} WHERE rowid = {row.place}")
        opened = f"gunzip -c {database} > portal.sqlite && sqlite3 -line portal.sqlite {asked}"
        found.append(Step(f"row of {row.table}", opened, view.mark))
    history = shlex.quote(f"{view.directory}/events.jsonl")
    if view.shot.reasons and not view.shot.rows:
        found.append(Step("refusal in the history", f"grep -F {view.mark} {history}", view.shot.reasons[0]))
    if alarm := view.shot.alarm:
        where = shlex.quote(f'"subject":"{alarm.subject}","t":{alarm.time_ns}')
        found.append(Step("alarm in the history", f"grep -F {where} {history}", alarm.kind))
    return found


def session_steps(claim: Claim, directory: str) -> list[Step]:
    """The same for a claim that is shown by sessions; [] for one that has none. `directory`: of its world."""
    if not claim.sessions:
        return []
    history = shlex.quote(f"{directory}/events.jsonl")
    instants = [one.wall_ns for one in claim.sessions]
    clients = " ".join(shlex.quote(one) for one in dict.fromkeys(one.client for one in claim.sessions))
    asked = f"{SESSIONS} {history} {min(instants)} {max(instants)} {clients}"
    dropped = sum((one.whose, one.state) == ("owner", "dropped") for one in claim.sessions)
    found = [
        Step("sessions in the history", asked, f"{len(claim.sessions)} lines"),
        Step("how often the owner was thrown off", f"{asked} | grep -c ' owner .* dropped '", str(dropped)),
        Step("its acts", f"grep -nF {shlex.quote(claim.attack)} {history} | head -20", "what it did, in order"),
    ]
    if alarm := claim.alarm:
        where = shlex.quote(f'"subject":"{alarm.subject}","t":{alarm.time_ns}')
        found.append(Step("alarm in the history", f"grep -nF {where} {history}", alarm.kind))
    return found
