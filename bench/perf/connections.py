"""A thousand gateways with a certificate each, from one process: how long until all have a session, in wall time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sim.core.clock import wall_s
from sim.endpoint.kinds.mosquitto import Mosquitto


def up_s(clients: int = 1_000) -> float:
    """From the first dial to the last SUBACK. Raises OSError when one does not come up within a minute."""
    with tempfile.TemporaryDirectory(prefix="wmbench-up-") as folder:
        broker = Mosquitto(Path(folder))
        broker.start()
        try:
            identities = [broker.identity(f"gw{number}") for number in range(clients)]
            begin_s = wall_s()
            sessions = [broker.connect(one, subscribe=(f"gw/{one.client_id}/ack",)) for one in identities]
            if not broker.settle(lambda: all(session.connected for session in sessions), 60):
                raise OSError(f"{sum(not session.connected for session in sessions)} of {clients} did not connect")
            return wall_s() - begin_s
        finally:
            broker.stop()
