"""What `because` may name: whole reasons that there are, each from its table."""

from __future__ import annotations

import ast
import importlib.util
import ssl
from pathlib import Path

import pytest

from attacks.attack import attacks
from bench.rig import whole_reasons
from bench.rig.scenario import Stage
from bench.run_errors import CannotRun
from sim.endpoint.tls_alerts import ALERTS
from sim.pki.sealed_content import REASONS
from tests.bench.command_line import ROOT
from tests.bench.rig.test_scenario import FILES, expected

ECHO = attacks()["radio.replay"].record


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("time of", "no reason 'time of'; did you mean 'time off'"), ("f", "no reason 'f'; all whole reasons are in"),
        ("replayed", "no reason 'replayed'; did you mean 'replayed"), ("tme off | bad mac", "did you mean 'time off'"),
        ("unknown", "no reason 'unknown'; did you mean 'unknown ca'"),
    ],
)  # fmt: skip
def test_a_part_of_a_reason_and_a_misspelt_one_are_refused(said: str, hint: str) -> None:
    with pytest.raises(CannotRun, match=hint.replace("?", "[?]")):
        whole_reasons.read(said, ECHO)


def test_alternatives_and_an_attacks_own_words_are_read() -> None:
    assert whole_reasons.read("time off | replayed, late", ECHO) == ("time off", "replayed, late")
    assert whole_reasons.read("", ECHO) == ()
    listed = next(one.record for one in attacks().values() if one.record.refused_as)
    assert whole_reasons.read(listed.refused_as[0], listed) == (listed.refused_as[0],)
    with pytest.raises(CannotRun, match=r"radio\.replay may list its own as refused_as"):
        whole_reasons.read(listed.refused_as[0], ECHO)


def test_a_sentence_says_a_reason_in_whole_words() -> None:
    assert whole_reasons.stands_in("unknown ca", "refused: TLS: alert unknown ca")
    assert not whole_reasons.stands_in("signature", "refused: value-signature")
    assert not whole_reasons.stands_in("late", "what was translated")


def test_a_scenario_is_told_which_reason_and_how_many_there_must_be() -> None:
    stage = Stage.__new__(Stage)
    stage.defences = "on"
    replay = attacks()["radio.replay"]
    with pytest.raises(CannotRun, match="no reason 'bad mack'; did you mean 'bad mac'"):
        stage.expect(replay, "v", because=("", "", "bad mack"))
    with pytest.raises(ValueError, match="one text, or 3, one a mode"):
        stage.expect(replay, "v", because=("bad mac", "bad mac"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_reason_of_our_scenarios_is_one(path: Path) -> None:
    """Those that stand in a call of `expect`, as constants or by a name of the file's; what a function works out is
    refused when it is used."""
    named = {cls.__name__: cls.record for cls in attacks().values()}
    spec = importlib.util.spec_from_file_location(f"read_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for attack, call in expected(path.read_text(encoding="utf-8")):
        for keyword in call.keywords:
            names = {one.id for one in ast.walk(keyword.value) if isinstance(one, ast.Name)}
            if keyword.arg not in ("because", "smgw") or not names <= vars(module).keys():
                continue
            value = eval(compile(ast.Expression(keyword.value), str(path), "eval"), vars(module))
            value = value.because if keyword.arg == "smgw" else value
            for text in (value,) if isinstance(value, str) else value:
                whole_reasons.read(text, named[attack])


def test_the_tables_hold_what_is_raised() -> None:
    """Each reason of refused content that stands in the code, and each alert that Python knows."""
    raised = set()
    for file in [*(ROOT / "sim" / "pki").glob("*.py"), *(ROOT / "sim" / "smart_metering").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ContentError":
                raised |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    assert len(raised) >= 9 and raised <= REASONS.keys()
    assert {int(one) for one in ssl.AlertDescription} < ALERTS.keys()
    assert (ALERTS[48], ALERTS[116], ALERTS[44]) == ("unknown ca", "certificate required", "certificate revoked")
