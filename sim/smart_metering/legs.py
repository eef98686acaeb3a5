"""A gateway's three networks: LMN, WAN and HAN each have a leg, and nothing goes from one to another.

What comes in on a leg is judged by the kernel before anything of the gateway's sees it, by rules of routing that know
leg, protocol, address and port; what no rule names is dropped without a word. Nothing is forwarded. A leg's own address
is reached over that leg alone.

    LMN   nothing: the wired bus is no network, and a leg that stands for it answers nobody
    WAN   datagrams to the wake-up port, which are never answered; answers of those whom the gateway itself called
    HAN   connections to its own port

The rules are of this model. They keep no state: whoever has the administrator's address could send segments from his
port, and would find ports that say that they are closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DROPPED: Final = ("tcp", "udp", "icmp", "igmp", "sctp", "dccp", "udplite", "gre", "esp", "ah", "ipip")
"""Protocols that a kernel would answer, if only by saying that there is nothing."""
_ALLOWED, _DROPPED, _OWN, _REST, _LOCAL = 10, 20, 30, 40, 100


@dataclass(frozen=True, slots=True)
class Leg:
    """`device`: the interface; `address`: "" for none. `listens`: (protocol, port) that may come in. `calls`: (address,
    port) of TCP servers that the gateway calls, whose answers come in."""

    name: str
    device: str
    address: str = ""
    listens: tuple[tuple[str, int], ...] = ()
    calls: tuple[tuple[str, int], ...] = ()


def settings(*, forward: bool = False) -> dict[str, str]:
    """Of the kernel: file below /proc/sys -> value. `forward` is the weakness."""
    return {
        "net/ipv4/ip_forward": "1" if forward else "0",
        "net/ipv6/conf/all/disable_ipv6": "1",
    }


def rules(legs: Sequence[Leg], *, forward: bool = False) -> list[list[str]]:
    """Arguments of `ip`, in this order. `forward`: what is for another leg's network is routed, which is the
    weakness."""
    out = [_rule(_LOCAL, "lookup", "local"), ["rule", "del", "pref", "0"]]
    for leg in legs:
        came = ("iif", leg.device)
        if leg.address:
            own = (*came, "to", leg.address)
            for protocol, port in leg.listens:
                out.append(_rule(_ALLOWED, *own, "ipproto", protocol, "dport", str(port), "lookup", "local"))
            for address, port in leg.calls:
                said = ("from", address, "ipproto", "tcp", "sport", str(port))
                out.append(_rule(_ALLOWED, *own, *said, "lookup", "local"))
        if forward:
            # Its own address first: the other table would take it for a neighbour's, and nobody would say who has it.
            out += [_rule(_ALLOWED, *came, "lookup", "local"), _rule(_ALLOWED, *came, "lookup", "main")]
        out += [_rule(_DROPPED, *came, "ipproto", protocol, "blackhole") for protocol in DROPPED]
        if leg.address:
            # Who has this address is asked before anything can be sent to it.
            out.append(_rule(_OWN, *came, "to", leg.address, "lookup", "local"))
        out.append(_rule(_REST, *came, "blackhole"))
    return out


def _rule(preference: int, *words: str) -> list[str]:
    return ["rule", "add", "pref", str(preference), *words]
