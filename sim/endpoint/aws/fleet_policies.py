"""The policy documents of the bench's fleet: what topic_acl says, in AWS's words.

A gateway is its thing: it connects under its thing's name and uses that thing's topics. `bound=False` is the weakness
that ${iot:ClientId} alone leaves open: any certificate may come under any client id, and then uses that one's topics.
`narrow=False` allows everything, as many examples do.
"""

from __future__ import annotations

from typing import Any, Final

from sim.endpoint.aws.account import ARN, DEFAULT
from sim.endpoint.topic_acl import PORTAL, READER

Document = dict[str, Any]
THING: Final = "${iot:Connection.Thing.ThingName}"
CLIENT: Final = "${iot:ClientId}"
PROBE: Final = "probe"


def _document(*statements: tuple[str | list[str], list[str]]) -> Document:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": resources} for action, resources in statements],
    }


def _both(kind: list[str]) -> list[tuple[str | list[str], list[str]]]:
    """Subscribe and receive: a filter of MQTT's is a pattern of the policy's where it is received."""
    return [
        ("iot:Subscribe", [f"{ARN}topicfilter/{one}" for one in kind]),
        ("iot:Receive", [f"{ARN}topic/{one.replace('+', '*').replace('#', '*')}" for one in kind]),
    ]


def fleet_policies(*, bound: bool = True, narrow: bool = True) -> dict[str, list[Document]]:
    """Common name -> documents; DEFAULT is a gateway's."""
    if not narrow:
        connect = f"{ARN}client/{THING}" if bound else "*"
        return {
            DEFAULT: [
                _document(("iot:Connect", [connect]), (["iot:Publish", "iot:RetainPublish"], ["*"]), *_both(["*"]))
            ]
        }
    me = THING if bound else CLIENT
    shadow = f"$aws/things/{me}/shadow"
    heard = [f"gw/{me}/ack", f"fence/{me}", f"{shadow}/*"]
    said = [f"gw/{me}/up", f"gw/{me}/birth", f"fence/{me}", f"{shadow}/update", f"{shadow}/get", f"{shadow}/delete",
            f"{shadow}/name/*", "$aws/rules/*"]  # fmt: skip
    gateway = _document(
        ("iot:Connect", [f"{ARN}client/{me}"]), ("iot:Publish", [f"{ARN}topic/{one}" for one in said]), *_both(heard)
    )
    portal = _document(
        ("iot:Connect", [f"{ARN}client/{PORTAL}"]),
        ("iot:Publish", [f"{ARN}topic/gw/*/ack", f"{ARN}topic/fence/{PORTAL}", f"{ARN}topic/$aws/things/*"]),
        *_both(["gw/+/up", "gw/+/birth", f"fence/{PORTAL}", "$aws/things/*"]),
    )
    reader = _document(("iot:Connect", [f"{ARN}client/{READER}"]), *_both(["*"]))
    return {DEFAULT: [gateway], PORTAL: [portal], READER: [reader]}
