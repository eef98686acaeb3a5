"""Messages that a client was sent and has not acknowledged. Pure.

The service sends such a message again while the connection lives (aws-crt-python, test_manual_publish_acknowledgement_
hold: within a minute), though MQTT 5 forbids it (4.4). After how long nobody says.
"""

from __future__ import annotations

from sim.endpoint.aws.aws_limits import RESEND_S


class Unanswered:
    """By packet id."""

    def __init__(self) -> None:
        self._sent: dict[bytes, tuple[bytes, float]] = {}

    def sent(self, packet_id: bytes, frame: bytes, now_s: float) -> None:
        self._sent[packet_id] = (frame, now_s)

    def answered(self, packet_id: bytes) -> None:
        self._sent.pop(packet_id, None)

    def due(self, now_s: float) -> list[bytes]:
        """What is to be sent again now; it counts as sent now."""
        late = [(one, frame) for one, (frame, at_s) in self._sent.items() if now_s - at_s >= RESEND_S]
        for packet_id, frame in late:
            self._sent[packet_id] = (frame, now_s)
        return [frame for _, frame in late]
