"""Cards 1, 4 and 5: who reads at the broker or in the gateway's files, who stands on its path, who has its certificate.

A gateway that decodes has taken off what protected a reading from the meter on. What is left is the connection's
protection, and whoever is behind it reads and writes values.
"""

from __future__ import annotations

import json
from typing import Final

from attacks.attack import Outcome
from bench.desk.card.meters import Meter, say, told, volume_name
from bench.desk.rows._leaks import forms, found
from bench.desk.rows._on_path import relay, with_certificate
from bench.desk.rows.port import Undecided
from bench.desk.stand import Stand
from sim.desk.inventory import GatewayEntry
from sim.readers.kinds.mqtt import MqttSpec

_CONNECT_S: Final = 10.0
_AFTER_S: Final = 2.0
_MORE_LITRES: Final = 700_000
AT_THE_BROKER: Final = "values at the broker"
ITS_FILES: Final = "keys of the meters in its files"
FORGED: Final = "values forged with its certificate"


def read_at_the_broker(stand: Stand, meters: list[Meter]) -> tuple[Outcome, list[Outcome]]:
    """The broker's operator, or a client that may subscribe there. Raises Undecided."""
    fed = say(stand, meters, times=2)
    seen = sum(any(row.values for row in one.came) for one in fed)
    return Outcome(AT_THE_BROKER, meters[0].security, len(fed), seen, why="the readings stand there in clear"), []


def keys_in_its_files(stand: Stand, meters: list[Meter]) -> tuple[Outcome, list[Outcome]]:
    """Its thief."""
    say(stand, meters)
    keys = [meter.key for meter in meters if meter.key is not None]
    shown = [where for key in keys if (where := found(stand, None, {"a meter's key": forms(key)}))]
    return Outcome(ITS_FILES, meters[0].security, len(keys), len(shown), why=shown[0] if shown else "no key shows"), []


def on_the_path(stand: Stand, certificate: str, meters: list[Meter]) -> tuple[Outcome, list[Outcome]]:
    """Control: the same with the broker's genuine certificate. Raises Undecided."""
    say(stand, meters)
    with relay(stand, late_puback_s=0.0) as honest:
        taken = sum(one.accepted and one.bytes_up > 0 for one in honest.connections)
    dialled = with_certificate(stand, certificate, feed=lambda: [stand.feed(meter.next()) for meter in meters])
    stand.back(f"a broker with a {certificate}")
    spoke = [one for one in dialled if one.bytes_up]
    why = f"{len(spoke)} sessions were opened" if spoke else f"broken off: {dialled[0].handshake}"
    control = Outcome(certificate, "", max(taken, 1), taken, why="with the broker's genuine certificate")
    return Outcome(certificate, "", len(dialled), len(spoke), why=why), [control]


def forged_with_its_certificate(stand: Stand, meters: list[Meter]) -> tuple[Outcome, list[Outcome]]:
    """A message of its own kind, with another volume: what it said last of the meter is the pattern. Raises
    Undecided."""
    if stand.broker is None:
        raise Undecided("it delivers without a broker")
    say(stand, meters)
    name, achieved = volume_name(stand), 0
    session = stand.broker.connect(stand.own_identity())
    try:
        if not stand.broker.settle(lambda: session.connected, _CONNECT_S):
            raise Undecided(f"its certificate opened no session within {_CONNECT_S:g} s")
        for meter in meters:
            pattern = next(row for row in reversed(stand.values) if row.meter == meter.id)
            litres, before = meter.litres + _MORE_LITRES, len(stand.values)
            body = {**json.loads(pattern.payload), name: litres / 1_000}
            session.publish(pattern.source, json.dumps(body).encode())
            stand.turn(_AFTER_S)
            achieved += litres in map(round, told(stand, meter.id, since=before))
    except ValueError:
        raise Undecided("what it publishes is no JSON that could be forged here") from None
    finally:
        session.close()
    why = "forged volumes stand beside its own" if achieved else "nothing forged came out"
    return Outcome(FORGED, meters[0].security, len(meters), achieved, why=why), []


def publishes_values(entry: GatewayEntry) -> bool:
    """They come over MQTT."""
    return any(isinstance(spec, MqttSpec) and spec.values for spec in entry.read)
