"""The page of a card on a gateway that holds keys: every cell with its evidence, two cards side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from reports import card_page
from reports.run_model import RunError


def cell(variant: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"card": "replay", "variant": variant, "security": "mode5", "threats": ["L08"], "verdict": verdict,
            "reached": 3, "achieved": 1, "why": f"words of {variant}", "control": "", "evidence": "",
            **more}  # fmt: skip


def card(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "card", "version": 1, "title": "The card on T", "gateway": "t", "started": "2026-01-01T00:00:00Z",
            "wmbench": "", "commit": "", "python": "", "machine": "", "command": "", "duration_s": 1.0,
            "claims": {"order": "none"}, "cells": list(cells)}  # fmt: skip


def kept(folder: Path, *cells: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps(card(*cells)))
    return folder


def test_each_cell_leads_to_its_evidence_and_to_nothing_outside(tmp_path: Path) -> None:
    here = cell("a", "SUCCEEDED", evidence="cells/01.jsonl")
    directory = kept(tmp_path / "run", here, cell("b", "PREVENTED", evidence="../../etc/passwd"))
    (directory / "card/cells").mkdir(parents=True)
    (directory / "card/cells/01.jsonl").write_text("{}")
    text = card_page.write(directory).read_text()
    assert 'href="card/cells/01.jsonl"' in text and "passwd" not in text
    assert "1 SUCCEEDED, 1 PREVENTED, 0 INCONCLUSIVE, 0 NOT APPLICABLE" in text


def test_what_a_gateway_said_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    bad = cell("a", "INCONCLUSIVE", why="\x1b[2J<script>alert(1)</script>")
    directory = kept(tmp_path / "run", bad)
    text = card_page.write(directory).read_text()
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert not any("\x1b" in line for line in card_page.lines(card(bad)))
    assert not any("\x1b" in line for line in card_page.against_lines(card(cell("a", "PREVENTED")), card(bad)))


def test_two_cards_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = kept(tmp_path / "old", cell("a", "PREVENTED"), cell("b", "SUCCEEDED"), cell("c", "PREVENTED"))
    new = kept(tmp_path / "new", cell("a", "SUCCEEDED"), cell("b", "PREVENTED"), cell("c", "INCONCLUSIVE"))
    assert main(["report", str(new), "--against", str(old)]) == 1
    said = capsys.readouterr().out
    assert "succeeds now       replay, a, mode 5: PREVENTED, SUCCEEDED now; words of a" in said
    assert "1 succeeds now, 1 no longer decided, 1 prevented now" in said
    assert "prevented now" in (new / "report.html").read_text()
    assert main(["report", str(old), "--against", str(old)]) == 0


def test_what_is_no_card_is_named(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text('{"kind": "check"}')
    with pytest.raises(RunError, match="is no card"):
        card_page.write(tmp_path)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(RunError, match="no card that can be read"):
        card_page.write(tmp_path)
