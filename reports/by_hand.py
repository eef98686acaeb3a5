"""Commands with which a reader finds a shot again in the files of a run, without this program and without its page: the
bytes' fingerprint, their frame, the message that brought them, the portal's row, the history's lines, the alarm.

They are for a shell in the folder in which report.html lies, and need Python, tshark and sqlite3.
"""

from __future__ import annotations

import shlex
from typing import Final, NamedTuple

from reports.shots import CAPTURE, ShotView

FINGERPRINT: Final = (
    "python3 -c \"import hashlib; print(hashlib.blake2b(bytes.fromhex('{}'), digest_size=16).hexdigest())\""
)
COLUMNS: Final = {
    "refusals": "meter, gateway, received_ns, stored_ns, reason, detail, fingerprint, hex(telegram) AS telegram"
}


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
