"""Hear and speak for all with one device's certificate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.mitm import security_of
from attacks.parts.at_the_broker import empty_bundle, given_to_portal, in_each_mode
from attacks.reach import Reach
from sim.core.bundle import UP, BadBundle, Bundle
from sim.endpoint.port import Session
from sim.truth.ground_truth import Truth

HEARS, SPEAKS = "hears other gateways' bundles", "speaks on another gateway's topic"
SHADOW = "writes another device's shadow"
BUNDLES, SHADOWS = "gw/+/up", "$aws/things/#"
COUNT = 3
DROPPED = "nothing was delivered"


@attack(
    id="wan.wildcards",
    title="Hear and speak for all with one device's certificate",
    threats=["W07", "W10"],
    can=Can.CERTIFICATE,
    ics=["T0859", "T0856"],
    weakness={"endpoint.per_device_acl": False},
    seen_as="nothing: the broker drops it and acknowledges it",
    refused_as=(DROPPED,),
    needs={"tls", "acl"},
)
@dataclass
class Wildcards:
    """With the certificate of a gateway in stock: subscribe to all bundles and to all shadows, publish on another
    gateway's topic and on its device shadow. A broker may acknowledge all of it, whatever it does; so what counts is
    what arrived: at the portal, or at a second subscription of the thief. Each is tried in a session of its own,
    since some brokers end the session of who tries one."""

    name: str = "spare-1"
    gateway: int = 0
    from_s: float = 60.0
    said: list[bytes] = field(default_factory=list)
    ears: list[Session] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        identity = reach.spare(self.name)
        victim = reach.name_of(self.gateway)
        yield reach.wait_until(self.from_s)
        self.said = [empty_bundle(victim, number, reach.now_ns) for number in range(COUNT)]
        for heard, spoken in ((SHADOWS, f"$aws/things/{victim}/shadow/update"), (BUNDLES, UP.format(gateway=victim))):
            speaker = ear = reach.connect(identity, subscribe=(heard,))
            self.ears.append(ear)
            if not ear.connects:  # the subscription ended it, and the publish is still to be tried
                ear.close()
                speaker = reach.connect(identity)
            for payload in self.said:
                if speaker.connected:
                    speaker.publish(spoken, payload)
            reach.let_work(speaker)
            if speaker is not ear or heard != BUNDLES:  # an ear for bundles stays until the end
                speaker.close()

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.ears:
            return []
        inbox = [message for ear in self.ears for message in ear.inbox]
        sent = truth.world.stored.count_bundles()
        heard: Counter[str] = Counter()
        for message in inbox:
            if message.topic.endswith("/up"):
                heard.update(_securities(message.payload))
        given = given_to_portal(truth, self.said)
        shadow = sum(message.topic.endswith("/shadow/update") for message in inbox)
        dropped = f"whatever was acknowledged, {DROPPED}"
        return [
            *(
                Outcome(HEARS, security, reached=sent, achieved=heard[security],
                        why="read from other gateways' bundles" if heard[security] else dropped,
                        evidence={"bundles that passed": sent, "telegrams read": heard[security]})
                for security in sorted(truth.securities)
            ),
            *in_each_mode(truth, SPEAKS, reached=len(self.said), achieved=given,
                          why="the portal was given it" if given else dropped, evidence={"given to the portal": given}),
            *in_each_mode(truth, SHADOW, reached=len(self.said), achieved=shadow,
                          why="its subscribers were given it" if shadow else dropped, evidence={"delivered": shadow}),
        ]  # fmt: skip


def _securities(payload: bytes) -> list[str]:
    try:
        return [security_of(one.telegram) for one in Bundle.decode(payload).heard]
    except BadBundle:
        return []
