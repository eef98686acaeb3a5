"""Keys stay where they are: its private key and our authority's show in no message and in no log."""

from __future__ import annotations

from bench.desk.rows._leaks import forms, found, listen
from bench.desk.rows.port import Failed, Row, tls
from bench.desk.stand import Stand


def _play(stand: Stand) -> str:
    assert stand.broker is not None
    session = listen(stand)
    fed = stand.hello()
    stand.path.cut()
    stand.turn(0.5)
    fed += stand.feed_all(stand.traffic.several(20))
    stand.await_all(fed)
    secrets = stand.broker.authority.private_values()
    needles = {f"the private key of {name}": forms(value) for name, value in secrets.items()}
    for file in sorted(stand.broker.authority.directory.glob("*.key")):
        body = [line for line in file.read_bytes().splitlines() if line and not line.startswith(b"-")]
        needles[f"a line of {file.name}"] = body[1:2]
    if where := found(stand, session, needles):
        raise Failed(where)
    return f"none of {len(secrets)} private keys shows, on the broker, in logs and files"


ROW = Row("keys", "No private key shows", _play, tls, faults=(26,))
