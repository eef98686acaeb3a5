"""Whom a cloned gateway served, worked out from the truth."""

from __future__ import annotations

from pathlib import Path

from attacks.clone import Clone
from attacks.reach import Place, reach_for
from sim.core.clock import NS_PER_S
from sim.core.events import SessionChanged
from sim.world import World
from tests.small_worlds import dozen


def test_whom_a_gateway_served_is_told_before_and_since_the_takeover(run_world: World) -> None:
    gateway, middle_ns = run_world.gateways[0].id, 90 * NS_PER_S
    clone = Clone(gateway_id=gateway, takeover_ns=middle_ns)
    rows = [r for r in run_world.truth.readings if r.gateway == gateway and r.security == "mode5"]
    _, before, since = clone._served(run_world.truth, "mode5")
    assert (before, since) == (
        sum(r.stored_ns < middle_ns for r in rows), sum(r.stored_ns >= middle_ns for r in rows)
    )  # fmt: skip
    assert before + since > 0


def test_only_what_happened_in_the_takeovers_own_time_is_its_own(run_world: World) -> None:
    gateway, at_ns = run_world.gateways[0].id, run_world.now_ns
    clone = Clone(gateway_id=gateway, takeover_ns=at_ns, wall_ns=(100, 200))
    for client, state, wall_ns, whose in (
        (gateway, "dropped", 100, "owner"), (gateway, "dropped", 200, "owner"), (gateway, "connected", 150, "owner"),
        (gateway, "dropped", 99, "owner"), (gateway, "dropped", 201, "owner"),  # before it, and by a later act
        (gateway, "dropped", 160, "attacker"), (run_world.gateways[1].id, "dropped", 150, "owner"),
    ):  # fmt: skip
        run_world.history.record(SessionChanged(at_ns, client, state, "", wall_ns, whose))
    outcome = next(one for one in clone.outcomes(run_world.truth) if one.security == "mode5")
    assert outcome.achieved == outcome.evidence["genuine thrown off"] == 2
    assert [one.wall_ns for one in outcome.sessions] == [100, 150, 160, 200], "in the order in which they happened"
    assert outcome.curve is not None and [by for _, by in outcome.curve.points] == [0.0, 1.0, 2.0]


def test_what_becomes_of_an_attackers_session_stands_in_the_history_with_its_instant(tmp_path: Path) -> None:
    with World(dozen(tmp_path), 1, tmp_path / "world") as world:
        reach = reach_for(Clone.record, world, Place())
        identity, begun_ns = reach.steal(0), reach.wall_ns
        session = reach.connect(identity)
        session.close()
        reach.come_to_rest(0)
        told = [one for one in world.history.of(SessionChanged) if one.client == identity.client_id]
        theirs = [one.state for one in told if one.whose == "attacker"]
        assert (theirs[0], theirs[-1]) == ("connected", "closed")
        assert "dropped" in [one.state for one in told if one.whose == "owner"]
        assert all(begun_ns <= one.wall_ns <= reach.wall_ns for one in told if one.whose == "attacker")
        assert world.gateways[0].session.connected, "its owner is back"
