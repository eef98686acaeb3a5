"""Whom a cloned gateway served, worked out from the truth."""

from __future__ import annotations

from attacks.clone import Clone
from sim.core.clock import NS_PER_S
from sim.core.events import SessionChanged
from sim.world import World


def test_whom_a_gateway_served_is_told_before_and_since_the_takeover(run_world: World) -> None:
    gateway, middle_ns = run_world.gateways[0].id, 90 * NS_PER_S
    clone = Clone(gateway_id=gateway, takeover_ns=middle_ns)
    rows = [r for r in run_world.truth.readings if r.gateway == gateway and r.security == "mode5"]
    _, before, since = clone._served(run_world.truth, "mode5")
    assert (before, since) == (
        sum(r.stored_ns < middle_ns for r in rows), sum(r.stored_ns >= middle_ns for r in rows)
    )  # fmt: skip
    assert before + since > 0


def test_a_session_lost_since_the_takeover_counts(run_world: World) -> None:
    gateway = run_world.gateways[0].id
    clone = Clone(gateway_id=gateway, takeover_ns=run_world.now_ns)
    assert clone._displacements(run_world.truth) == 0
    for client, state, at_ns in (
        (gateway, "dropped", run_world.now_ns), (gateway, "dropped", run_world.now_ns - 1),
        (gateway, "connected", run_world.now_ns), (run_world.gateways[1].id, "dropped", run_world.now_ns),
    ):  # fmt: skip
        run_world.history.record(SessionChanged(at_ns, client, state, ""))
    assert clone._displacements(run_world.truth) == 1
