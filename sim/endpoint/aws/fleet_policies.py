"""The policy documents of the bench's fleet: what topic_acl says, in AWS's words.

A gateway is its thing: it connects under its thing's name and uses that thing's topics. `bound=False` is the weakness
that ${iot:ClientId} alone leaves open: any certificate may come under any client id, and then uses that one's topics.
`narrow=False` allows everything, as many examples do.
"""

from __future__ import annotations

from typing import Any, Final

from sim.endpoint.aws.account import ARN, DEFAULT
from sim.endpoint.aws.certificate_claims import FROM_CSR
from sim.endpoint.aws.topics import INGEST
from sim.endpoint.topic_acl import PORTAL, READER

Document = dict[str, Any]
THING: Final = "${iot:Connection.Thing.ThingName}"
CLIENT: Final = "${iot:ClientId}"
CLAIM: Final = "claim"
"""The common name of the certificate that every gateway of one make has, and which is good for getting its own
alone."""
TEMPLATE: Final = "wmbench"
HTTPS: Final = "https"
"""What a gateway needs besides that publishes by HTTPS: it has no client id, so the thing's variables have no value
(thing- policy-variables) and the certificate's common name stands for them. Only where who issues certificates chose
that name: by claim the gateway chose it."""
RULE: Final = "portal"
"""The rule that a gateway may reach by Basic Ingest. Named, its topic written out: in $aws/rules/*/gw/ME/* the first
star would also take in another gateway's topic, and the rule would believe it."""


def _document(*statements: tuple[str | list[str], list[str]]) -> Document:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": resources} for action, resources in statements],
    }


def _both(arn: str, kind: list[str]) -> list[tuple[str | list[str], list[str]]]:
    """Subscribe and receive: a filter of MQTT's is a pattern of the policy's where it is received."""
    return [
        ("iot:Subscribe", [f"{arn}topicfilter/{one}" for one in kind]),
        ("iot:Receive", [f"{arn}topic/{one.replace('+', '*').replace('#', '*')}" for one in kind]),
    ]


def fleet_policies(*, bound: bool = True, narrow: bool = True, arn: str = ARN) -> dict[str, list[Document]]:
    """Common name -> documents; DEFAULT is a gateway's. `arn`: of region and account, up to its last colon."""
    if not narrow:
        connect = f"{arn}client/{THING}" if bound else "*"
        return {
            DEFAULT: [
                _document(("iot:Connect", [connect]), (["iot:Publish", "iot:RetainPublish"], ["*"]), *_both(arn, ["*"]))
            ]
        }
    me = THING if bound else CLIENT
    shadow = f"$aws/things/{me}/shadow"
    heard = [f"gw/{me}/ack", f"fence/{me}", f"{shadow}/*"]
    said = [f"gw/{me}/up", f"gw/{me}/birth", f"fence/{me}", f"{shadow}/update", f"{shadow}/get", f"{shadow}/delete",
            f"{shadow}/name/*", f"{INGEST}{RULE}/gw/{me}/up"]  # fmt: skip
    gateway = _document(
        ("iot:Connect", [f"{arn}client/{me}"]),
        ("iot:Publish", [f"{arn}topic/{one}" for one in said]),
        *_both(arn, heard),
    )
    portal = _document(
        ("iot:Connect", [f"{arn}client/{PORTAL}"]),
        ("iot:Publish", [f"{arn}topic/gw/*/ack", f"{arn}topic/fence/{PORTAL}", f"{arn}topic/$aws/things/*"]),
        *_both(arn, ["gw/+/up", "gw/+/birth", f"fence/{PORTAL}", "$aws/things/*"]),
    )
    reader = _document(("iot:Connect", [f"{arn}client/{READER}"]), *_both(arn, ["*"]))
    return {DEFAULT: [gateway], PORTAL: [portal], READER: [reader], CLAIM: [_claim(arn)], HTTPS: [_https(arn)]}


def _https(arn: str) -> Document:
    me = "${iot:Certificate.Subject.CommonName}"
    return _document(("iot:Publish", [f"{arn}topic/gw/{me}/up", f"{arn}topic/gw/{me}/birth"]))


def _claim(arn: str) -> Document:
    """Provisioning by claim, with the key made on the gateway ("create/json", where AWS makes it, is not allowed)."""
    asked = [FROM_CSR, f"$aws/provisioning-templates/{TEMPLATE}/provision/json"]
    return _document(
        ("iot:Connect", [f"{arn}client/{CLAIM}*"]),
        ("iot:Publish", [f"{arn}topic/{one}" for one in asked]),
        *_both(arn, [f"{one}/{answer}" for one in asked for answer in ("accepted", "rejected")]),
    )


def policy_name(common_name: str, prefix: str = "wmbench") -> str:
    """The name of a policy in an account, by whose it is."""
    return f"{prefix}-{'gateway' if common_name == DEFAULT else common_name}"
