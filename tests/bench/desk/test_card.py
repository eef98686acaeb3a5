"""The card on a gateway that holds keys: one that believes everything, one that is strict, one that has none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from attacks import replay
from bench.cli.main import main
from bench.desk.card import changes, onlookers, replays, table
from bench.desk.card.meters import Meters
from bench.desk.depth import Depth
from bench.run_errors import CannotRun
from reports import card_page
from sim.core.settings import SpecError
from sim.desk import inventory
from sim.desk.inventory import GatewayEntry, KeysSpec
from tests.bench.desk.test_contract_suite import small
from tests.sim.desk.boxes import reference
from wmbus.receiver import unlock
from wmbus.records import parse_records
from wmbus.telegram import parse

QUICK = Depth(patience_s=0.8)
CHOSEN = {
    (replay.OTHERS, "mode7"), (changes.CHANGED, "none"), (changes.CHANGED, "mode5"), (changes.CHANGED, "mode7"),
    (changes.NO_HEADER, "none"), (changes.NO_HEADER, "mode7"), (onlookers.ITS_FILES, "mode5"),
    (onlookers.AT_THE_BROKER, "mode5"),
}  # fmt: skip


def keyed(worse: str = "") -> GatewayEntry:
    return dataclasses.replace(small("decoder", worse), keys=KeysSpec("keys/{meter}", "{meterkey}"))


def verdicts(folder: Path, worse: str = "") -> dict[tuple[str, str], str]:
    entry = keyed(worse)
    chosen = [cell for cell in table.cells(entry) if (cell.variant, cell.security) in CHOSEN]
    card = table.Card(entry, folder, chosen, depth=QUICK)
    card.run()
    body = json.loads(json.dumps(table.as_json(card)))
    assert body["counts"] == table.counted(card.answers)
    assert len(list(card_page.lines(body))) == len(CHOSEN) + 1
    for one in card.answers:
        if one.verdict == "NOT APPLICABLE":
            assert not one.evidence
        else:
            rows = [json.loads(line) for line in (folder / one.evidence).read_text().splitlines()]
            assert {row["what"] for row in rows} == {"fed", "came"}
            assert [row["wall_ns"] for row in rows] == sorted(row["wall_ns"] for row in rows)
    return {(one.variant, one.security): one.verdict for one in card.answers}


def test_a_gateway_that_believes_everything_is_fooled_as_far_as_bytes_allow(tmp_path: Path) -> None:
    assert verdicts(tmp_path) == {
        (replay.OTHERS, "mode7"): "SUCCEEDED", (changes.CHANGED, "none"): "SUCCEEDED",
        (changes.CHANGED, "mode5"): "SUCCEEDED", (changes.CHANGED, "mode7"): "PREVENTED",
        (changes.NO_HEADER, "none"): "SUCCEEDED", (changes.NO_HEADER, "mode7"): "SUCCEEDED",
        (onlookers.ITS_FILES, "mode5"): "SUCCEEDED", (onlookers.AT_THE_BROKER, "mode5"): "NOT APPLICABLE",
    }  # fmt: skip


def test_a_strict_gateway_prevents_what_it_can(tmp_path: Path) -> None:
    found = verdicts(tmp_path, "strict")
    assert found[replay.OTHERS, "mode7"] == found[changes.CHANGED, "mode7"] == "PREVENTED"
    assert found[changes.NO_HEADER, "none"] == "SUCCEEDED", "the control of what it refuses in mode 7"
    assert found[changes.NO_HEADER, "mode7"] == "PREVENTED"


def test_what_is_refused_is_not_prevented_without_a_control(tmp_path: Path) -> None:
    entry = keyed("strict")
    chosen = [one for one in table.cells(entry) if (one.variant, one.security) == (changes.NO_HEADER, "mode7")]
    card = table.Card(entry, tmp_path, chosen, depth=QUICK)
    card.run()
    assert [one.verdict for one in card.answers] == ["INCONCLUSIVE"]
    assert "its control did not succeed" in card.answers[0].why


def test_a_gateway_that_gives_no_values_of_keyed_meters_is_inconclusive(tmp_path: Path) -> None:
    entry = dataclasses.replace(keyed(), keys=KeysSpec("elsewhere/{meter}", "{meterkey}"))
    chosen = [one for one in table.cells(entry) if (one.variant, one.security) == (replay.OTHERS, "mode5")]
    card = table.Card(entry, tmp_path, chosen, depth=QUICK)
    card.run()
    assert [one.verdict for one in card.answers] == ["INCONCLUSIVE"]
    assert "no value came of 3 of 3 genuine telegrams" in card.answers[0].why


@pytest.mark.parametrize("command", [("no-such-program",), ("false",), ("sleep", "60")])
def test_of_a_gateway_that_does_not_work_nothing_is_decided(tmp_path: Path, command: tuple[str, ...]) -> None:
    entry = keyed()
    entry = dataclasses.replace(entry, run=dataclasses.replace(entry.run, command=command, ready_s=0.5, ready_line=""))
    chosen = [one for one in table.cells(entry) if one.variant in (replay.OTHERS, "readings")]
    card = table.Card(entry, tmp_path, chosen, depth=Depth(patience_s=0.2))
    card.run()
    assert [one.verdict for one in card.answers] == ["INCONCLUSIVE"] * 3 + ["NOT APPLICABLE"]
    assert all(one.why.count("\n") == 0 and len(one.why) > 30 for one in card.answers)


def test_meters_of_the_card_speak_as_their_mode_says() -> None:
    made = Meters()
    for security, mode in (("none", 0), ("mode5", 5), ("mode7", 7)):
        meter = made.some(security, 1)[0]  # type: ignore[arg-type]
        one = meter.next()
        assert parse(one.frame).mode == mode
        volume = parse_records(unlock(parse(one.frame), meter.key).plaintext, strict=False)[0]
        assert isinstance(volume.value, float) and round(volume.value * 1_000) == one.litres


def test_each_variant_is_a_cell_of_each_mode() -> None:
    found = {(one.variant, one.security) for one in table.cells(inventory.find("wmbusmeters", None))}
    wanted = [*replays.VARIANTS, *changes.VARIANTS, onlookers.FORGED]
    assert {(variant, security) for variant in wanted for security in ("none", "mode5", "mode7")} <= found


def test_who_holds_no_keys_is_told_where_it_is_judged(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match='kind = "box"'):
        table.Card(reference(), tmp_path)
    with pytest.raises(CannotRun, match=r"keys\.path"):
        table.Card(small("decoder"), tmp_path)
    with pytest.raises(SpecError, match=r"keys: \{meters\} stands for nothing"):
        table.with_keys(dataclasses.replace(keyed(), keys=KeysSpec("{meters}", "x")), [])


def test_the_command_says_why_a_gateway_has_no_card(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["gateway", "card", "reference", "--runs", str(tmp_path)]) == 2
    assert "it does not decode" in capsys.readouterr().err
