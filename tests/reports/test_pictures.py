"""Pictures that were drawn where a scenario ran: the page is the same as with those drawn at its end, and nobody else
can slip one in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports import documents, pictures, plots
from reports.run_model import read_run
from tests.reports import evidence_run

FOLDER = "radio-test-replay-1"


def left(directory: Path) -> dict[str, bytes]:
    """Every file that a report leaves, by name."""
    names = [directory / "report.html", *(directory / "plots").iterdir()]
    return {path.name: path.read_bytes() for path in names}


def test_a_page_is_the_same_wherever_its_pictures_were_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = evidence_run.write(tmp_path)
    documents.write_all(directory)
    anew = left(directory)
    pictures.draw_ahead(directory / FOLDER)

    def none_drawn(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(plots, "timeline", none_drawn)
    documents.write_all(directory, just_run=True)
    assert left(directory) == anew
    assert len(anew) > 3
    assert not (directory / FOLDER / pictures.FILE).exists()


def test_a_picture_that_lies_in_a_run_directory_is_not_taken_into_a_later_report(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    documents.write_all(directory)
    anew = left(directory)
    pictures.draw_ahead(directory / FOLDER)
    planted = directory / FOLDER / pictures.FILE
    planted.write_text(planted.read_text().replace("<defs>", "<script>alert(1)</script><defs>"))
    assert "alert(1)" in planted.read_text()
    documents.write_all(directory)
    assert left(directory) == anew
    assert not planted.exists()


@pytest.mark.parametrize("content", ["", "[{", '[{"place": 1}]', "7", '{"a": 1}'])
def test_what_is_no_list_of_pictures_is_drawn_anew(tmp_path: Path, content: str) -> None:
    directory = evidence_run.write(tmp_path)
    (directory / FOLDER / pictures.FILE).write_text(content)
    assert pictures.drawn_ahead(directory) == {}


def test_the_last_space_of_a_disk_is_left_to_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = evidence_run.write(tmp_path)
    monkeypatch.setattr(pictures, "SPARE_BYTES", 1 << 62)
    pictures.draw_ahead(directory / FOLDER)
    assert not (directory / FOLDER / pictures.FILE).exists()


def test_pictures_stand_under_the_scenario_that_they_are_of(tmp_path: Path) -> None:
    directory = evidence_run.write(tmp_path)
    pictures.draw_ahead(directory / FOLDER)
    (scenario,) = read_run(directory).scenarios
    found = pictures.drawn_ahead(directory)
    body = json.loads((directory / FOLDER / "scenario.json").read_text())
    assert list(found) == [(scenario.id, scenario.seed)] == [(body["id"], body["seed"])]
    assert {"w1-timeline", "p1"} <= {picture.place for picture in found[scenario.id, scenario.seed]}
