"""What an attack's record names there must be, before it is run: threats, and the settings of its control."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from attacks.attack import Landed, Outcome, attacks, form
from bench.cli import catalogue
from bench.rig import clauses
from bench.rig.attack_record import look
from bench.run_errors import CannotRun
from sim.core.clock import NS_PER_S
from sim.core.settings import without
from tests.bench.staged_attack import Staged

RECORD = Staged.record


def with_record(**other: Any) -> Any:
    return type("Staged", (Staged,), {"record": replace(RECORD, **other), "__module__": Staged.__module__})


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"threats": ("L088",)}, "test.staged: threats: there is no 'L088'; did you mean 'L08'?"),
        ({"weakness": {"portal.check": []}},
         "test.staged: weakness: portal.check: unknown key 'check'; did you mean 'checks'? Known: "),
        ({"weakness": {"portal.checks": without("bnd")}}, "test.staged: weakness: portal.checks: 'bnd' is not one of "),
        ({"weakness_of": {"smgw": {"system.wierd": 1}}}, "test.staged: weakness: system.wierd: unknown key 'wierd'"),
        ({"weakness_of": {"smgww": {}}}, "test.staged: weakness_of: there is no system 'smgww'; did you mean 'smgw'?"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused_by_the_attacks_file(other: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotRun) as caught:
        look(with_record(**other))
    assert f"staged_attack.py: {said}" in str(caught.value)


def test_settings_of_some_kind_of_system_and_endpoint_pass() -> None:
    look(with_record(weakness={"system.wired_tls": False, "endpoint.retained": True, "portal.checks": []}))


def test_lists_look_at_every_attack(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(catalogue.attack_entries()) == len(attacks())
    monkeypatch.setattr("attacks.attack.attacks", lambda: {"test.staged": with_record(threats=("L088",))})
    with pytest.raises(CannotRun, match="there is no 'L088'"):
        catalogue.entries("attacks")


@pytest.mark.parametrize(
    ("age_ns", "behind", "said"),
    [
        (600_000_000, 3, "1 of 1: sent 0.6 s after the genuine one began; age_s of its form allows 1 to 700"),
        (700_500_000_000, 3, "1 of 1: sent 700.5 s after the genuine one began; age_s of its form allows 1 to 700"),
        (NS_PER_S, 1, "1 of 1: sent 1 telegrams after the genuine one; behind of its form allows 2 to 5"),
        (NS_PER_S, 2, ""),
    ],
)  # fmt: skip
def test_a_shot_beside_its_forms_limits_names_both(age_ns: int, behind: int, said: str) -> None:
    record = replace(RECORD, forms={"v": form(changed=None, age_s=(1, 700), behind=(2, 5))})
    truth = SimpleNamespace(
        known=lambda mark: SimpleNamespace(start_ns=0), foreign=(), behind=lambda sent, at_ns: behind
    )
    shot = Landed("a", age_ns, b"\x01", b"\x01", (("gw", 1),), ("late",), ())
    outcome = Outcome("v", "mode5", 1, 0, shots=(shot,))
    assert clauses.misfit(record, outcome, cast("Any", truth)) == said
