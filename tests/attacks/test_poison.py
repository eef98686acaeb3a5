"""What poisoning cost, worked out from the truth."""

from __future__ import annotations

from attacks.poison import judged
from sim.world import World
from tests.small_worlds import keyless


def test_a_genuine_telegram_counts_as_refused_when_the_portal_said_so(run_world: World) -> None:
    truth, store, end_ns = run_world.truth, keyless(run_world).portal.store, run_world.now_ns
    row = truth.readings[0]
    received, refused = judged(truth, row.meter, 0, end_ns)
    assert (received > 5, refused) == (True, 0)
    store.connection.execute("DELETE FROM readings WHERE rowid = (SELECT min(rowid) FROM readings)")
    truth.look_again()
    assert judged(truth, row.meter, 0, end_ns) == (received, 0), "missing, and nobody refused it"
    store.refusal_reasons = lambda mark: ["late"]  # type: ignore[method-assign]
    assert judged(truth, row.meter, 0, end_ns) == (received, 1)
