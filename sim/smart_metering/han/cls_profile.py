"""What the administrator allows a controllable system (CLS) behind a gateway: to whom its channel goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClsProfile:
    """`certificate`: SHA-256 of the device's, in hex. `address`: host and port as the device names its peer; `peer`:
    the common name that the peer shows on the WAN. `peer_port` answers what a device asks, `call_port` is where the
    peer waits for a channel that it wanted, `device_port` where the device waits on the HAN: ports on the loopback, 0
    for none. `owner`: in whose log a channel stands."""

    device: str
    certificate: str
    owner: str
    address: tuple[str, int]
    peer: str
    peer_port: int
    call_port: int = 0
    device_port: int = 0
