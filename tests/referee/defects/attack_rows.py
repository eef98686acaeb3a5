"""Rows of the attacks on a broker and on a portal that are not ours: rows that pass whatever comes, and rows that never
reach what they judge."""

from __future__ import annotations

from typing import Any

from tests.referee.defect import ALARMS, GATEWAYS, RIG, SILENT, Patch, Play, defect

_BROKER = "A row says of a broker what the broker did."
_PORTAL = "A row says of a portal what the portal stored."
FAULT = Play("bench/broker/test_broker_defects.py", "fault_of_the_broker", of_tests=True)
UNHEARD = Play("bench/broker/test_broker_defects.py", "topic_that_nobody_may_use", of_tests=True)
BELIEVES = Play("bench/product/test_attack_portal.py", "fails_in_what_it_believes and (loose or replay)", of_tests=True)
SILENCE = Play("bench/product/test_attack_portal.py", "answers_nothing_decides_nothing", of_tests=True)


@defect("broker-row-always-passes", RIG, _BROKER, FAULT)
def _(patch: Patch) -> None:
    """Every row on a broker passes."""
    patch.around("bench.broker.broker_suite:_answer", lambda original, row, stand: ("PASS", "it withstood"))


@defect("broker-rows-stay-away", SILENT, _BROKER, FAULT)
def _(patch: Patch) -> None:
    """What rows publish never leaves, and they hear it themselves."""

    def instead(original: Any, session: Any, topic: str, payload: bytes, **how: Any) -> None:
        from sim.endpoint.port import Message

        session.inbox.append(Message(topic, payload))

    patch.around("sim.endpoint.one_session:OneSession.publish", instead)


@defect("broker-control-unlooked", RIG, "Silence on a topic that nobody may use says nothing.", UNHEARD)
def _(patch: Patch) -> None:
    """A row does not look whether it would hear what it waits for."""
    patch.around("bench.broker.broker_stand:BrokerStand.echoes", lambda original, stand, session: True)


@defect("portal-row-always-passes", RIG, _PORTAL, BELIEVES)
def _(patch: Patch) -> None:
    """Nothing that a portal stored is one of the shots."""

    def instead(original: Any, attack: Any, stand: Any, meter: Any) -> Any:
        from dataclasses import replace

        return replace(original(attack, stand, meter), answer="PASS", words="stored none")

    patch.around("bench.product.portal_suite:PortalAttack._judge", instead)


@defect("portal-shots-stay-away", SILENT, _PORTAL, BELIEVES)
def _(patch: Patch) -> None:
    """Genuine telegrams go to the portal, shots do not."""

    def instead(original: Any, stand: Any, frame: bytes, what: str) -> None:
        if what in ("genuine", "genuine, afterwards", "another meter"):
            original(stand, frame, what)

    patch.around("bench.product.portal_stand:PortalStand.feed", instead)


@defect("portal-silence-is-a-pass", RIG, "A portal that stores nothing at all proves nothing.", SILENCE)
def _(patch: Patch) -> None:
    """A portal that did not store a genuine telegram counts as one that did."""
    patch.around("bench.product.portal_stand:PortalStand.wait_for", lambda original, *arguments: True)


# --- births (a gateway says which of its connections this is) -------------------------------------------------------

_BIRTH = "A birth is said until the portal has it."
SAID = Play("sim/gateway/kinds/test_virtual.py", "took_and_lost", of_tests=True)
LOST = Play("sim/portal/test_alarms.py", "killed_broker_lost", of_tests=True)


@defect("birth-said-once", GATEWAYS, _BIRTH, SAID)
def _(patch: Patch) -> None:
    """A PUBACK is enough for a birth."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        original(gateway, now_ns)
        gateway._birth = ""

    patch.around("sim.gateway.kinds.virtual:VirtualGateway._say_birth", instead)


@defect("lost-births-forgotten", ALARMS, "Reconnects count, whether their births came or not.", LOST)
def _(patch: Patch) -> None:
    """The alarm about twins counts the births that arrive."""

    def instead(original: Any, watcher: Any, birth: Any, now_ns: int) -> None:
        watcher._born.clear()
        original(watcher, birth, now_ns)

    patch.around("sim.portal.alarms.twin:Twin.born", instead)
