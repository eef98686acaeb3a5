"""Which client may publish and read which topic: a device its own, the portal those of all.

One rule in two forms: Mosquitto's access list, and the embedded broker's questions. tests/sim/endpoint/
test_contract.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.endpoint.port import FENCE

PORTAL = "portal"
READER = "reader"
"""Of a desk: it hears everything, and says nothing."""


def access_list(foreign: Mapping[str, Sequence[str]] | None = None) -> str:
    """%u is the user name, which is the certificate's common name where certificates are required. `foreign`: name ->
    topics that it may use besides, of gateways that have topics of their own."""
    more = "".join(
        f"\nuser {name}\n" + "".join(f"topic readwrite {topic}\n" for topic in topics)
        for name, topics in (foreign or {}).items()
    )
    return f"""\
pattern write gw/%u/up
pattern write gw/%u/birth
pattern read gw/%u/ack
pattern readwrite fence/%u

user {PORTAL}
topic read gw/+/up
topic read gw/+/birth
topic write gw/+/ack

user {READER}
topic read #
{more}"""


def matches(pattern: str, topic: str) -> bool:
    """MQTT 3.1.1, 4.7: `+` is one level, `#` the rest; neither matches a first level that begins with `$`."""
    if "+" not in pattern and "#" not in pattern:
        return pattern == topic
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    wanted, levels = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or (level != "+" and level != levels[index]):
            return False
    return len(wanted) == len(levels)


def may_publish(client_id: str, topic: str) -> bool:
    """Whether access_list lets this client publish there."""
    own = topic in (f"gw/{client_id}/up", f"gw/{client_id}/birth", FENCE.format(client=client_id))
    return own or (client_id == PORTAL and matches("gw/+/ack", topic))


def may_read(client_id: str, topic: str) -> bool:
    own = topic in (f"gw/{client_id}/ack", FENCE.format(client=client_id))
    return own or (client_id == PORTAL and (matches("gw/+/up", topic) or matches("gw/+/birth", topic)))
