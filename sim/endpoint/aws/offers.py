"""What AWS offers an MQTT 5 client in its CONNACK, and what of a CONNECT it grants (aws-crt-python's own assertions
against the service)."""

from __future__ import annotations

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws import client_packets as packets
from sim.endpoint.mqtt_wire import CONNACK, Packet, text


def capped(properties: packets.Properties) -> packets.Properties:
    """Session expiry of an hour at most; receive maximum and packet size are the client's own."""
    most = limits.SESSION_EXPIRY_S
    return [
        (one, min(int.from_bytes(value, "big"), most).to_bytes(4, "big") if one == packets.SESSION_EXPIRY else value)
        for one, value in properties
    ]


def with_offers(packet: Packet, level: int, keep_alive_s: int, expiry: bytes, assigned: str) -> Packet:
    """The broker's CONNACK with AWS's properties in place of its own. `expiry`: of the session, as bytes, where the
    client named one; `assigned`: its client id, where it named none. Raises BadPacket."""
    flags, code, found = packets.connack(packet, level)
    ours = {
        packets.RECEIVE_MOST: limits.IN_FLIGHT.to_bytes(2, "big"),
        packets.QOS_MOST: b"\x01",
        packets.PACKET_MOST: limits.PACKET_BYTES.to_bytes(4, "big"),
        packets.ALIAS_MOST: limits.TOPIC_ALIASES.to_bytes(2, "big"),
        packets.HAS_SUBSCRIPTION_IDS: b"\x00",
        packets.KEEP_ALIVE: keep_alive_s.to_bytes(2, "big"),
    }
    if expiry:
        ours[packets.SESSION_EXPIRY] = expiry
    if assigned:
        ours[packets.ASSIGNED_ID] = text(assigned)
    kept = [(one, value) for one, value in found if one not in ours]
    return Packet(CONNACK, 0, bytes([flags, code]) + packets.encoded(kept + list(ours.items())))
