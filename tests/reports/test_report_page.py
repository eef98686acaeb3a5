"""report.html: what it says, that it stands alone, and that nothing hostile gets through it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports.event_digest import read_story
from reports.html import _likeness, _trace, write_report
from reports.pictures import Picture, of_scenario, story_of
from reports.run_model import Claim, World, read_run
from sim.core.events import AttackActed, TelegramRefused
from sim.core.history import History
from tests.steps import calls

Make = Callable[..., Path]
Ahead = dict[tuple[str, int], list[Picture]]
Pictured = tuple[Path, list[tuple[tuple[str, int], list[Picture]]]]
VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
HOSTILE = '<script>alert("x")</script>$\\frac{1}{$ & \x07"\' {{ 7*7 }}'


class Page(HTMLParser):
    """Checks balance while it collects the text, the ids, the links and the addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory, write_card: Make) -> Pictured:
    """The unchanged run, and of each of its scenarios the pictures, drawn once."""
    run = read_run(write_card(tmp_path_factory.mktemp("card"), refusals=30))
    return run.directory, [
        ((scenario.id, scenario.seed), of_scenario(scenario, [story_of(run.directory, one) for one in scenario.worlds]))
        for scenario in run.scenarios
    ]


@pytest.fixture(scope="module")
def card(pictured: Pictured) -> tuple[Path, str, Page]:
    """The unchanged run and its page, made once."""
    directory, found = pictured
    return directory, *page_of(directory, dict(found))


@pytest.fixture(scope="module")
def drawn(pictured: Pictured) -> Callable[[int], Ahead]:
    """The pictures of all but one scenario, which a test changes."""
    return lambda changed: dict(found for number, found in enumerate(pictured[1]) if number != changed)


def page_of(directory: Path, ahead: Ahead | None = None) -> tuple[str, Page]:
    text = write_report(directory, ahead=ahead).read_text(encoding="utf-8")
    return text, Page(text)


def change(directory: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    path = directory / "run.json"
    body = json.loads(path.read_text())
    edit(body)
    path.write_text(json.dumps(body))
    return directory


def test_the_page_stands_alone(card: tuple[Path, str, Page]) -> None:
    _, text, page = card
    assert "http" not in text
    assert not page.tags & {"link", "img", "iframe", "object"}
    assert text.count("<script>") == text.count("<script") == 1, "the page's own, which filters"
    script = text[text.index("<script>") : text.index("</script>")]
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML|document\.write|src", script)
    assert "@import" not in text
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"url\((?!#)", text)


def test_every_link_leads_somewhere_and_no_id_is_given_twice(card: tuple[Path, str, Page]) -> None:
    _, text, page = card
    assert len(page.ids) == len(set(page.ids))
    targets = {link[1:] for link in page.links} | set(re.findall(r"url\(#([^)]*)\)", text))
    assert targets <= set(page.ids)


def test_verdicts_come_first_at_a_glance_and_each_with_its_control(card: tuple[Path, str, Page]) -> None:
    _, text, page = card
    verdicts, glance, each, scenario = (text.index(f'id="{name}"') for name in ("verdicts", "matrix", "each", "s1"))
    assert 0 < verdicts < glance < each < scenario
    every = [f"c{number}" for number in range(1, 43)]
    assert set(re.findall(r'href="#(c\d+)"', text[glance:each])) == set(every)
    assert re.findall(r'href="#(c\d+)">evidence', text[each:scenario]) == every
    assert "42 of 42 verdicts are as expected. With defences on: 12 PREVENTED, 3 DETECTED, 6 SUCCEEDED." in page.text
    assert "Controls, weak on purpose: 4 PREVENTED, 17 SUCCEEDED." in page.text
    assert "./wmbench run --seed 1" in page.text
    assert "no faketime on this machine" in page.text


def test_a_verdict_is_followed_to_time_fingerprint_and_reason(card: tuple[Path, str, Page]) -> None:
    directory, text, _ = card
    claim = text[text.index('id="c7"') : text.index('id="c8"')]
    assert "Replay a captured telegram, at once: mode 0, defences none" in claim
    history = (directory / "worlds/2-subject-at-once/events.jsonl").read_text().splitlines()
    acts = [json.loads(line) for line in history if "AttackActed" in line]
    refused = [json.loads(line) for line in history if "TelegramRefused" in line]
    first = next(event for event in refused if event["t"] >= acts[0]["t"])
    assert f'title="t = {acts[0]["t"]}"' in claim
    assert first["telegram"] in claim
    assert first["reason"] in claim
    assert 'href="#s2w1"' in claim


def test_measures_sessions_and_digests_are_shown(card: tuple[Path, str, Page]) -> None:
    directory, _, page = card
    body = json.loads((directory / "run.json").read_text())
    assert "alarm delay 12 s <= 30 s within" in page.text
    assert "connection reset 8" in page.text
    for scenario in body["scenarios"]:
        for world in scenario["worlds"]:
            assert world["digest"] in page.text
    assert "Weakened on purpose: portal.checks = []" in page.text


def test_an_unexpected_verdict_is_marked_and_named_at_the_top(make_run: Make, drawn: Callable[[int], Ahead]) -> None:
    def edit(body: dict[str, Any]) -> None:
        body["outcome"] = "failed"
        body["scenarios"][1]["claims"][3]["verdict"] = "SUCCEEDED"

    text, page = page_of(change(make_run(), edit), drawn(1))
    assert "41 of 42 verdicts are as expected" in page.text
    assert "Not as expected: 10 radio.replay at once, mode 5" in page.text
    assert text.count('<tr class="off') == 1
    assert "expected PREVENTED" in page.text


def test_the_matrix_has_a_row_a_variant_and_a_column_a_mode(card: tuple[Path, str, Page]) -> None:
    text = card[1]
    matrix = text[text.index('id="matrix"') : text.index('id="left-out"')]
    rows = re.findall(r"<tr><td class=\"mono small\">.*?</tr>", matrix, flags=re.S)
    assert len(rows) == 7
    words = re.findall(r">(\w+)</a>", rows[1])
    assert words == ["succeeded", "succeeded", "succeeded", "prevented", "succeeded", "prevented"]


def test_the_script_finds_what_it_filters_by(card: tuple[Path, str, Page]) -> None:
    _, text, page = card
    script = text[text.index("<script>") :]
    assert set(re.findall(r'get\("([\w-]+)"\)', script)) <= set(page.ids)
    marked = re.findall(r'data-verdict="(\w+)" data-mode="(mode \d)" data-holds="1" data-control="([01])"', text)
    assert len(marked) == 3 * 42, "in the matrix, in the list, at the evidence"
    assert "hidden" in text[text.index('<form id="filter"') :][:30], "without the script nothing is there to be used"


def test_the_success_of_a_control_looks_different_from_a_real_one(card: tuple[Path, str, Page]) -> None:
    text = card[1]
    matrix = text[text.index('id="matrix"') : text.index('id="each"')]
    pills = re.findall(r'data-control="([01])"[^>]*class="pill ([\w ]+)"[^>]*>(\w+)</a>', matrix)
    assert {style for control, style, word in pills if control == "1"} == {"control"}
    assert {style for control, style, word in pills if control == "0" and word == "succeeded"} == {"red"}
    assert ".pill.control" in text


def test_each_mode_has_its_place_on_a_phone(card: tuple[Path, str, Page]) -> None:
    text = card[1]
    cells = re.findall(r'class="cell (?:mode off|on)" style="--column:(\d)" data-head="([^"]+)"', text)
    assert cells[:6] == [("1", "mode 0, off"), ("1", "mode 0, on"), ("2", "mode 5, off"), ("2", "mode 5, on"),
                         ("3", "mode 7, off"), ("3", "mode 7, on")]  # fmt: skip
    assert "repeat(3, minmax(0, 1fr))" in text


def test_a_threat_has_its_remedy_and_its_names_elsewhere(card: tuple[Path, str, Page]) -> None:
    page = card[2]
    assert "Remedy (portal): Check the counter (mode 7)" in page.text
    assert "STRIDE tampering ATT&CK for ICS T0856, T0860 OWASP ISTG ISTG-WRLS-LOGIC-001" in page.text
    assert "BSI controls DEV.3.1" in page.text


def test_hostile_text_is_shown_and_not_obeyed(make_run: Make, drawn: Callable[[int], Ahead]) -> None:
    def edit(body: dict[str, Any]) -> None:
        body["title"] = body["command"] = body["left_out"][0] = HOSTILE
        scenario = body["scenarios"][0]
        scenario["title"] = scenario["doc"] = scenario["message"] = scenario["id"] = HOSTILE
        scenario["claims"][0].update(attack=HOSTILE, title=HOSTILE, why=HOSTILE, verdict=HOSTILE, security=HOSTILE,
                                     evidence={HOSTILE: HOSTILE})  # fmt: skip

    directory = change(make_run(), edit)
    history = directory / "worlds/1-subject-all/events.jsonl"
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    for event in lines:
        for key in ("meter", "reason", "kind", "attack", "client", "detail", "telegram"):
            if key in event:
                event[key] = HOSTILE
    history.write_text("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in lines))
    text, page = page_of(directory, drawn(0))
    assert text.count("<script") == 1
    assert "{{ 7*7 }}" in page.text
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert "http" not in text


def test_a_killed_run_is_told(make_run: Make) -> None:
    directory = make_run()
    (directory / "run.json").unlink()
    for other in (1, 3, 4, 5):
        for world in (directory / "worlds").glob(f"{other}-*"):
            shutil.rmtree(world)
    history = directory / "worlds/2-subject-at-once/events.jsonl"
    history.write_bytes(history.read_bytes()[:-20])
    _, page = page_of(directory)
    assert "interrupted" in page.text
    assert "run.json is missing" in page.text
    assert "is cut: the run was killed while it was written" in page.text


def test_a_history_outside_the_run_directory_is_not_read(make_run: Make) -> None:
    def edit(body: dict[str, Any]) -> None:
        body["scenarios"] = body["scenarios"][:1]
        body["scenarios"][0]["worlds"] = [{"directory": "../elsewhere"}]

    directory = change(make_run(), edit)
    (directory / "worlds/1-subject-all").rename(directory.parent / "elsewhere")
    _, page = page_of(directory)
    assert "outside the run directory" in page.text
    assert "QDS 10000001" not in page.text


def test_pictures_are_left_as_files(card: tuple[Path, str, Page], make_run: Make) -> None:
    pictures = sorted((card[0] / "plots").glob("*.svg"))
    assert len(pictures) == 7 * 3 + 5 * 2  # nothing is refused in a control
    run = make_run()
    change(run, lambda body: body.update(scenarios=body["scenarios"][:1]))
    write_report(run, png=True)
    assert len(list((run / "plots").glob("*.png"))) == 5


def test_a_claim_finds_the_world_that_names_most_of_it() -> None:
    claim = Claim(variant="after a wrap", security="mode5", defences="all")
    worlds = ["mode5", "after a wrap, mode5, none", "after a wrap / mode5 / all", "after a wrap / mode7 / all", ""]
    likeness = [_likeness(claim, World(variant=variant)) for variant in worlds]
    assert likeness.index(max(likeness)) == 2
    assert likeness[-1] == 0


def test_a_trace_follows_the_variant_and_the_attacked_meter(tmp_path: Path) -> None:
    history = History(tmp_path / "events.jsonl")
    for k, variant in enumerate(("at once", "after a wrap")):
        for meter in ("QDS 1", "VIP 2"):
            history.record(AttackActed(100 * k, "radio.replay", "speak", f"{variant}: {meter}, 60 bytes"))
            history.record(TelegramRefused(100 * k + 9, meter, "gw", "not fresh", f"{meter}/{k}"))
    history.record(TelegramRefused(150, "QDS 9", "gw", "not fresh", "other"))
    history.close()
    claim = Claim(attack="radio.replay", variant="after a wrap")
    trace = _trace(read_story(tmp_path / "events.jsonl"), claim)
    assert [entry.telegram or entry.detail for entry in trace] == [
        "after a wrap: QDS 1, 60 bytes", "after a wrap: VIP 2, 60 bytes", "QDS 1/1", "VIP 2/1",
    ]  # fmt: skip
    of_shots = _trace(read_story(tmp_path / "events.jsonl"), claim, {"VIP 2/1"})
    assert [entry.telegram or entry.detail for entry in of_shots] == ["after a wrap: VIP 2, 60 bytes", "VIP 2/1"]


def test_a_claim_with_the_defences_off_is_shown_by_the_control(make_run: Make) -> None:
    def edit(body: dict[str, Any]) -> None:
        scenario = body["scenarios"] = [body["scenarios"][0]]
        subject, control = scenario[0]["worlds"]
        subject["variant"], control["variant"] = "on", "off"
        for claim in scenario[0]["claims"]:
            claim["defences"] = {"none": "off", "all": "on"}[claim["defences"]]

    text, _ = page_of(change(make_run(), edit))
    off, on = (text[text.index(f'id="c{n}"') : text.index(f'id="c{n + 1}"')] for n in (1, 2))
    assert 'href="#s1w2"' in off and 'href="#s1w1"' not in off
    assert on.index('href="#s1w1"') < on.index('href="#s1w2"')


def test_a_run_without_scenarios_is_a_page(make_run: Make) -> None:
    _, page = page_of(make_run(scenarios=[]))
    assert "No verdicts." in page.text
    assert "No scenario ran." in page.text


@pytest.mark.parametrize("refusals", [20_000])
def test_a_large_history_is_aggregated_and_capped(make_run: Make, drawn: Callable[[int], Ahead], refusals: int) -> None:
    directory = make_run()
    history = directory / "worlds/2-subject-at-once/events.jsonl"
    lines = history.read_text().splitlines()
    refused = next(line for line in lines if "TelegramRefused" in line)
    many = [re.sub(r'"t":\d+', f'"t":{k * 800_000_000}', refused) for k in range(refusals)]
    history.write_text("\n".join([lines[0], *many, *lines[1:]]) + "\n")
    text, page = page_of(directory, drawn(1))
    assert len(text) < 3_000_000
    assert "Telegrams refused (20 009)" in page.text
    assert "more (in events.jsonl)" in page.text
    assert calls(lambda: read_story(history)) < 30 * refusals, "its work grows with the history's length and no faster"
