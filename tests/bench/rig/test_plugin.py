"""What becomes of a scenario: passed, failed, inconclusive, left out or an error, in run.json as in pytest."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.bench.command_line import TRACE, Rig
from tests.made_once import made_once

PREVENTED = "on=(N, X, N), off=(N, S, N)"


def staged(name: str, attack: str, expectation: str = PREVENTED, *, tail: str = "") -> str:
    """A scenario with one staged attack."""
    expect = f"    world.expect(attack, 'v', {expectation})\n" if expectation else ""
    return (
        f"\n@scenario(world='dozen.toml')\ndef test_{name}(world: Stage) -> None:\n"
        f"    attack = world.attack(Staged({attack}))\n    world.run(seconds=30)\n{expect}{tail}\n"
    )


def quiet(name: str, body: str, *, mark: str = "") -> str:
    return f"\n@scenario(world='dozen.toml'{mark})\ndef test_{name}(world: Stage) -> None:\n    {body}\n"


CUT = "from sim.faults.gateway_power_cut import PowerCut"

CASES = [
    ("prevented", staged("prevented", "world"), "passed", "", "PREVENTED"),
    (
        "succeeds",
        staged("succeeds", "world, on=(3, 1)"),
        "failed",
        "test.staged / v / mode5 / defences on: SUCCEEDED, expected PREVENTED",
        "SUCCEEDED",
    ),
    (
        "detected",
        staged("detected", "world, on=(3, 1), alarm_s=20", "on=(N, D, N), off=(N, S, N)"),
        "passed",
        "",
        "DETECTED",
    ),
    (
        "detected_too_late",
        staged("detected_too_late", "world, on=(3, 1), alarm_s=90_000", "on=(N, D, N), off=(N, S, N)"),
        "failed",
        "SUCCEEDED, expected DETECTED",
        "SUCCEEDED",
    ),
    (
        "too_few",
        staged("too_few", "world, on=(2, 0)"),
        "inconclusive",
        "2 of at least 3 shots reached the target",
        "INCONCLUSIVE",
    ),
    (
        "few_with_a_reason",
        staged("few_with_a_reason", "world, on=(2, 0)", PREVENTED + ", least=1, few_because='a test'"),
        "passed",
        "",
        "PREVENTED",
    ),
    (
        "another_reason",
        staged("another_reason", "world, why='refused: profile'", PREVENTED + ", because='bad mac'"),
        "inconclusive",
        'refused as "refused: profile", expected bad mac',
        "INCONCLUSIVE",
    ),
    (
        "part_of_a_reason",
        staged("part_of_a_reason", "world, why='refused: time off'", PREVENTED + ", because='time of'"),
        "error",
        "test_made.py, line ",
        None,
    ),
    (
        "no_such_variant",
        staged("no_such_variant", "world", PREVENTED).replace("'v'", "'w'"),
        "failed",
        "test.staged has no variant 'w'; it has 'v'\ntest.staged / v: PREVENTED, SUCCEEDED, and the scenario does not",
        "PREVENTED",
    ),
    (
        "no_such_threat",
        staged("no_such_threat", "world", PREVENTED + ", threats=['L99']"),
        "error",
        "threats: there is no 'L99'; did you mean 'L29'? ./wmbench threats lists them",
        None,
    ),
    (
        "no_such_word",
        staged("no_such_word", "world", PREVENTED).replace(
            "    world.run", "    attack.record = replace(attack.record, forms={'v': form(changed='acces number')})\n"
            "    world.attack(attack)\n    world.run"
        ),
        "error",
        "staged_attack.py: form 'v': changed has no word 'acces number'; did you mean 'access number'? all are in ",
        None,
    ),
    (
        "out_of_reach",
        quiet("out_of_reach", "from sim.endpoint.port import OutOfReach; raise OutOfReach('no answer; is it up?')"),
        "inconclusive",
        "no answer; is it up?",
        None,
    ),
    (
        "deaf",
        quiet("deaf", "world.set('gateway.sensitivity_dbm', 0.0); world.run(seconds=60)"),
        "inconclusive",
        "no gateway heard a telegram (on)",
        None,
    ),
    (
        "deaf_attacked",
        staged("deaf_attacked", "world").replace(
            "    attack =", "    world.set('gateway.sensitivity_dbm', 0.0)\n    attack ="
        ),
        "inconclusive",
        "no gateway heard a telegram (on)",
        "PREVENTED",
    ),
    (
        "aimless",
        staged("aimless", "world, on=None, off=None", ""),
        "inconclusive",
        "test.staged (defences on) found no target",
        None,
    ),
    (
        "never_struck",
        quiet("never_struck", f"{CUT}; world.fault(PowerCut(after_s=61.0)); world.run(seconds=60)"),
        "inconclusive",
        "every fault is witnessed by its effect (on): gateway_power_cut (gw-0001): never struck",
        None,
    ),
    (
        "struck_nothing",
        quiet(
            "struck_nothing", f"{CUT}; [world.fault(PowerCut(after_s=s)) for s in (20.0, 40.0)]; world.run(seconds=60)"
        ),
        "inconclusive",
        "(gw-0001): 'gateway power cut' is in the history and nothing shows it",
        None,
    ),
    (
        "bills",
        staged("bills", "world", tail="    world.inner.stored.billed_units = lambda meter, at: 99_999"),
        "failed",
        "bills at the set date: ",
        "PREVENTED",
    ),
    (
        "service",
        staged("service", "world, attacked=frozenset({'nobody'})", tail="    world.truth.readings_by_meter = dict"),
        "failed",
        "service: 0 readings of 12 meters that nobody attacked",
        "PREVENTED",
    ),
    (
        "tolerated",
        staged("tolerated", "world, bounded=True", "on=(N, T, N), off=(N, S, N)"),
        "passed",
        "",
        "TOLERATED",
    ),
    (
        "unexpected",
        staged("unexpected", "world", ""),
        "failed",
        "test.staged / v: PREVENTED, SUCCEEDED, and the scenario does not say what to expect",
        "PREVENTED",
    ),
    (
        "not_applicable",
        staged("not_applicable", "world", "on=(N, N, N), off=(N, S, N)"),
        "failed",
        "PREVENTED, expected no outcome",
        "PREVENTED",
    ),
    (
        "absent",
        staged("absent", "world, on=None"),
        "inconclusive",
        "PREVENTED expected, but the attack reported no such outcome",
        None,
    ),
    (
        "misspelt",
        staged("misspelt", "world", PREVENTED + ", nodefence=(N, X, N)"),
        "failed",
        "there is no such run (runs: on, off)",
        "PREVENTED",
    ),
    (
        "unreached",
        staged("unreached", "world, on=(0, 0)"),
        "inconclusive",
        "INCONCLUSIVE, the attack never reached its target",
        "INCONCLUSIVE",
    ),
    (
        "no_control",
        staged("no_control", "world, off=(3, 0)", "on=(N, X, N), off=(N, X, N)"),
        "inconclusive",
        "its control did not succeed, so nothing is proven",
        "INCONCLUSIVE",
    ),
    (
        "measured",
        quiet("measured", "world.run(seconds=30); world.measure('height', 3.5, 'm').at_most(2)"),
        "failed",
        "height = 3.5 m (limit <= 2): limit missed",
        None,
    ),
    (
        "asserted",
        quiet("asserted", "world.run(seconds=30); assert world.truth.readings == 'all'"),
        "failed",
        "all",
        None,
    ),
    (
        "doctored",
        quiet("doctored", "world.run(seconds=60); world.inner.history.fates['received'] += 1"),
        "failed",
        "every frame has one fate at each receiver (on)",
        None,
    ),
    ("needing", quiet("needing", "pass", mark=", needs=['kill']"), "skipped", "needs an endpoint with kill", None),
    (
        "no_world",
        quiet("no_world", "pass").replace("dozen.toml", "absent"),
        "error",
        "there is no world 'absent': a TOML file, or one of: ",
        None,
    ),
    ("unset", quiet("unset", "world.set('portal.x', 1)"), "error", "unknown key 'x'", None),
    (
        "untyped",
        quiet("untyped", "world.set('fleet.type', 'brick'); world.run(seconds=1)"),
        "error",
        "fleet.type: 'brick' is not one of ",
        None,
    ),
    (
        "full",
        quiet("full", "world.inner; raise OSError(24, 'Too many open files')"),
        "error",
        "Too many open files: raise the limit of open files: ulimit -n",
        None,
    ),
    (
        "in_a_part",
        quiet("in_a_part", "from sim.faults.gateway_power_cut import FAULT; FAULT.look(None)"),
        "error",
        "/sim/faults/gateway_power_cut.py, line ",
        None,
    ),
    (
        "witness_true",
        quiet("witness_true", f"{CUT}; odd = type('Odd', (PowerCut,), {{'witness_strike': lambda *_: True}}); "
              "world.fault(odd(after_s=20.0)); world.run(seconds=60)"),
        "error",
        "<lambda> returned True and not words that show it",
        None,
    ),
    (
        "misspelt_setting",
        quiet("misspelt_setting", f"{CUT}; world.fault(PowerCut(after_z=20.0))"),
        "error",
        "unexpected keyword argument 'after_z'; did you mean 'after_s'? it takes after_s, phase, ",
        None,
    ),
    (
        "no_list",
        staged("no_list", "world").replace(
            "    world.run", "    attack.outcomes = lambda truth: None\n    world.run"
        ),
        "error",
        "<lambda> returned None and not a list of outcomes",
        None,
    ),
    ("bug", quiet("bug", "world.run(seconds=30); {}['gone']"), "error", "KeyError: 'gone'", None),
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, Any, Any]:
    """All cases in one session; one process would be started for each otherwise."""

    def play(folder: Path) -> tuple[Rig, Any, Any]:
        rig = Rig(folder)
        done = rig.pytest(rig.scenarios("".join(body for _, body, *_ in CASES)))
        return rig, done, rig.latest()

    return made_once(tmp_path_factory, "every-case-of-the-plugin", play)


def scenario_of(run: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [s for s in run["scenarios"] if s["id"].endswith(f"::test_{name}")]
    return found


@pytest.mark.parametrize(("name", "outcome", "message", "verdict"), [(n, o, m, v) for n, _, o, m, v in CASES])
def test_a_scenario_comes_to_its_outcome(
    everything: tuple[Rig, Any, Any], name: str, outcome: str, message: str, verdict: str | None
) -> None:
    _, _, run = everything
    scenario = scenario_of(run, name)
    assert scenario["outcome"] == outcome, scenario["message"]
    assert message in scenario["message"]
    verdicts = [c["verdict"] for c in scenario["claims"] if c["defences"] == "on"]
    assert verdicts == ([verdict] if verdict else [])
    assert f"test_{name} --seed 1" in scenario["replay"]


def test_the_session_counts_and_lists_them_all(everything: tuple[Rig, Any, Any]) -> None:
    _, done, run = everything
    assert done.returncode == 1
    assert run["outcome"] == "failed"
    assert len(run["scenarios"]) == len(CASES)
    assert [s["order"] for s in run["scenarios"]] == list(range(len(CASES)))
    passed = sum(outcome == "passed" for _, _, outcome, *_ in CASES)
    assert f"{passed} passed, 1 skipped" in done.stdout
    (left_out,) = run["left_out"]
    assert "test_needing: needs an endpoint with kill" in left_out


def test_errors_that_a_person_can_mend_have_no_traceback_and_faults_have_one(everything: tuple[Rig, Any, Any]) -> None:
    _, done, run = everything
    for name in ("no_world", "unset", "untyped", "full", "succeeds"):
        assert scenario_of(run, name)["traceback"] == ""
    assert "again: ./wmbench run" in done.stdout
    trace = scenario_of(run, "bug")["traceback"]
    assert trace.startswith(TRACE)
    assert "test_made.py" in trace


def test_junit_says_the_same_and_keeps_the_traceback_of_a_fault(everything: tuple[Rig, Any, Any]) -> None:
    rig, _, run = everything
    suite = ET.parse(rig.runs / "latest" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", 0)) == len(CASES)
    outcomes = [s["outcome"] for s in run["scenarios"]]
    assert int(suite.get("failures", 0)) == outcomes.count("failed")
    assert int(suite.get("skipped", 0)) == 1
    errors = {case.get("name", ""): case.find("error") for case in suite.iter("testcase")}
    fault = next(error for name, error in errors.items() if "bug" in name)
    assert fault is not None
    assert TRACE in (fault.text or "")


def test_worlds_of_control_and_subject_are_told_apart(everything: tuple[Rig, Any, Any]) -> None:
    _, _, run = everything
    on, clean, off = scenario_of(run, "prevented")["worlds"]
    assert (on["variant"], on["role"]) == ("on", "subject")
    assert (clean["variant"], clean["role"]) == ("clean", "clean twin")
    assert (off["variant"], off["role"], off["weakness"]) == ("off", "control", "portal.gap_intervals = 77.0")
    assert on["directory"] != off["directory"]


@pytest.mark.acceptance
def test_only_inconclusive_is_6_and_one_failure_makes_it_1(rig: Rig) -> None:
    unproven = staged("unproven", "world, on=(0, 0)")
    path = rig.scenarios(unproven + quiet("good", "world.run(seconds=30)"))
    assert rig.pytest(path).returncode == 6
    assert rig.latest()["outcome"] == "inconclusive"
    path = rig.scenarios(unproven + quiet("bad", "assert False"))
    assert rig.pytest(path).returncode == 1
    assert rig.latest()["outcome"] == "failed"


def test_a_run_in_which_all_is_left_out_shows_nothing_and_is_6(rig: Rig) -> None:
    path = rig.scenarios(quiet("needing", "pass", mark=", needs=['tls']"))
    assert rig.pytest(path).returncode == 6
    assert rig.latest()["outcome"] == "inconclusive"


@pytest.mark.acceptance
def test_workers_gather_the_same_run(rig: Rig) -> None:
    body = staged("a", "world") + quiet("b", "world.run(seconds=30)", mark=", seeds=(3, 4)")
    path = rig.scenarios(body + staged("c", "world, on=(0, 0)"))
    told = []
    for words in ([], ["-n", "2"]):
        assert rig.pytest(path, *words).returncode == 6
        run = rig.latest()
        rows = [
            (
                s["order"],
                s["id"],
                s["seed"],
                s["outcome"],
                s["message"],
                [w["digest"] for w in s["worlds"]],
                s["claims"],
            )
            for s in run["scenarios"]
        ]
        told.append((run["outcome"], rows))
    assert told[0] == told[1]
    assert [row[2] for row in told[0][1]] == [1, 3, 4, 1]


@pytest.mark.acceptance
def test_a_seed_of_the_command_line_replaces_the_scenarios_own(rig: Rig) -> None:
    path = rig.scenarios(quiet("b", "world.run(seconds=30)", mark=", seeds=(3, 4)"))
    assert rig.pytest(path, "--seed", "9").returncode == 0
    assert [s["seed"] for s in rig.latest()["scenarios"]] == [9]
