"""The attack on a portal: a product that judges well stores nothing of what is sent, each defect turns its rows red,
and a product that answers nothing or garbage is named in one sentence. wmbusmeters, where it is there, as it was
measured."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from bench.broker.rows.port import BROKER_ROWS
from bench.cli.catalogue import show
from bench.cli.main import main
from bench.product.portal_suite import PortalAttack, rows_named
from bench.product.rows.port import PORTAL_ROWS
from bench.run_directory import ROOT
from bench.run_errors import CannotRun
from sim.desk import inventory
from sim.desk.inventory import GatewayEntry

MODES = {"5": "mode5", "7": "mode7", "0": "mode0"}
DEFECTS: dict[str, set[str]] = {
    "replay": {f"replay-{when}-{mode}" for when in ("at-once", "later") for mode in MODES.values()},
    "header": {"header-mode5", "header-mode7"},
    "status": {"status-mode5"},
    "loose": {"cut-mode5", "tail-mode5", "block-flip-mode5", "new-number-mode5"},
    "downgrade": {f"downgrade-{how}-{mode}" for how in ("mode-0", "no-header", "ell", "no-block")
                  for mode in ("mode5", "mode7")} | {"no-mac-mode7"},
}  # fmt: skip
WMBUSMETERS = {
    *(f"replay-later-{mode}" for mode in MODES.values()), "new-number-mode5", "header-mode5", "header-mode7",
    "cut-mode5", "tail-mode5", "block-flip-mode5", "status-mode5", "downgrade-no-header-mode5",
    "downgrade-no-header-mode7",
}  # fmt: skip


def entry(
    folder: Path, defect: str = "none", *, feed: str = '{ kind = "stdin" }', source: str = "-", out: str = "-",
    read: str = 'kind = "stdout"', ready: str = "ready",
    how: str = 'kind = "codec", format = "hex"',
) -> GatewayEntry:  # fmt: skip
    path = folder / "inventory.toml"
    path.write_text(f"""
[[gateway]]
name = "made"
feed = [{{ {how}, line = {feed} }}]
read = [{{ {read}, values = "$", meter = "$.meter" }}]
listen = {{ broker = false }}
claims = {{ forwards = "decoded", modes = ["T1"] }}
[gateway.run]
command = ["{{python}}", "-m", "tests.bench.product.made_product", "keys.csv", "{out}", "{defect}", "{source}"]
ready_line = "{ready}"
ready_s = 120.0
env = {{ PYTHONPATH = "{ROOT}" }}
[gateway.run.files]
"keys.csv" = "[keys]"
""", encoding="utf-8")  # fmt: skip
    return inventory.find("made", path)


def played(made: GatewayEntry, directory: Path, *rows: str, patience_s: float = 20.0) -> PortalAttack:
    directory.mkdir(exist_ok=True)
    attack = PortalAttack(made, rows_named(rows), directory, patience_s=patience_s)
    attack.run()
    print(attack.silent, *(f"{one.answer} {one.id} {one.words}" for one in attack.judged), sep="\n")
    return attack


@pytest.mark.parametrize("defect", ["none", *DEFECTS])
def test_a_product_fails_in_what_it_believes(tmp_path: Path, defect: str) -> None:
    judged = played(entry(tmp_path, defect), tmp_path / "runs").judged
    assert {one.id for one in judged if one.answer == "FAIL"} == DEFECTS.get(defect, set())
    assert "INCONCLUSIVE" not in {one.answer for one in judged}


@pytest.mark.parametrize("defect", ["silent", "garbage"])
def test_a_product_that_answers_nothing_decides_nothing(
    tmp_path: Path, defect: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry(tmp_path, defect)
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    words = ["attack", "portal", "made", "--inventory", str(tmp_path / "inventory.toml"), "--patience", "1"]
    assert main(words) == 6
    first, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("INCONCLUSIVE: made: ") and "; see its keys" in first and first.isprintable()
    run = json.loads((tmp_path / "runs" / "latest" / "run.json").read_text())
    assert {row["answer"] for row in run["scenarios"]} == {"INCONCLUSIVE"}


def test_a_program_that_ends_is_named(tmp_path: Path) -> None:
    made = entry(tmp_path, source="/no/such/file")
    attack = played(made, tmp_path / "runs", "replay-at-once", patience_s=2.0)
    assert {one.answer for one in attack.judged} == {"INCONCLUSIVE"} and "No such file" in attack.silent


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Not as silence: the query itself says what is wrong with it."""
    (tmp_path / "readings.db").write_text("no database", encoding="utf-8")
    made = entry(tmp_path, read='kind = "sql", database = "readings.db", query = "SELECT 1 AS n FROM readings"')
    attack = played(made, tmp_path / "runs", "replay-at-once", patience_s=2.0)
    assert {one.answer for one in attack.judged} == {"INCONCLUSIVE"}
    assert "stored nothing within 2 s: readings.db: " in attack.silent and "see `database` and `query`" in attack.silent


def test_telegrams_go_out_by_file_and_readings_come_in_by_sql(tmp_path: Path) -> None:
    made = entry(tmp_path, "replay", feed='{ kind = "path", path = "in.txt", is_a = "file" }', source="in.txt",
                 out="readings.db", read='kind = "sql", database = "readings.db", '
                 'query = "SELECT id AS n, meter, litres AS total_l FROM readings"')  # fmt: skip
    judged = played(made, tmp_path / "runs", "replay-later", "cut").judged
    assert {one.id: one.answer for one in judged if one.row.id == "replay-later"} == dict.fromkeys(
        DEFECTS["replay"] - {f"replay-at-once-{mode}" for mode in MODES.values()}, "FAIL"
    )
    assert {one.answer for one in judged if one.row.id == "cut"} == {"PASS"}


def test_bundles_go_out(tmp_path: Path) -> None:
    made = entry(tmp_path, "header", how='kind = "bundle_feed", gateway = "gw-7"')
    judged = played(made, tmp_path / "runs", "header", "cut").judged
    assert {one.id: one.answer for one in judged} == {
        **dict.fromkeys(DEFECTS["header"], "FAIL"), "cut-mode5": "PASS", "cut-mode7": "PASS",
    }  # fmt: skip


def test_telegrams_go_out_and_readings_come_in_by_http(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
    made = entry(tmp_path, "replay", feed=f'{{ kind = "http_post", url = "{url}" }}', source=url, out="http://{read}/",
                 read='kind = "http_push"', ready="listens")  # fmt: skip
    judged = played(made, tmp_path / "runs", "replay-at-once", "cut").judged
    assert {one.id: one.answer for one in judged if one.row.id == "replay-at-once"} == {
        f"replay-at-once-{mode}": "FAIL" for mode in MODES.values()
    }
    assert {one.answer for one in judged if one.row.id == "cut"} == {"PASS"}


def test_no_key_stands_in_the_run_and_a_list_can_be_written_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMBENCH_RUNS", str(tmp_path / "runs"))
    keys = tmp_path / "keys.csv"
    assert main(["attack", "portal", "made", "--rows", "cut,header", "--keys-out", str(keys)]) == 0
    listed = [line.split(",")[1] for line in keys.read_text().splitlines()[1:]]
    assert len(set(listed)) == 5 and keys.stat().st_mode & 0o077 == 0
    entry(tmp_path)
    words = [
        "attack",
        "portal",
        "made",
        "--inventory",
        str(tmp_path / "inventory.toml"),
        "--rows",
        "cut,header",
        "--json",
    ]
    assert main(words) == 0
    out = capsys.readouterr().out + (tmp_path / "runs" / "latest" / "report.html").read_text()
    given = (tmp_path / "runs" / "latest" / "product" / "keys.csv").read_text()
    assert all(key in given and key not in out for key in listed)


def test_an_entry_without_a_way_in_or_out_is_refused(tmp_path: Path) -> None:
    made = entry(tmp_path)
    import dataclasses

    with pytest.raises(CannotRun, match="made: a portal needs `feed`"):
        PortalAttack(dataclasses.replace(made, read=()), rows_named([]), tmp_path)
    with pytest.raises(CannotRun, match="nearest first: replay"):
        rows_named(["replay"])


def test_the_page_says_what_is_expected_of_wmbusmeters() -> None:
    page = (ROOT / "docs" / "how-to" / "attack-a-portal.md").read_text(encoding="utf-8")
    said, named = set(), set()
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 8 and cells[1].startswith("`"):
            first, *more = [word.strip().strip("`") for word in cells[1].split(",")]
            rows = [first, *(f"downgrade{word}" for word in more)]
            named.update(rows)
            said |= {
                f"{row}-mode{mode}" for row in rows for mode, cell in zip("057", cells[3:6], strict=True) if "S" in cell
            }
    assert named == set(PORTAL_ROWS.parts())
    assert said == WMBUSMETERS


@pytest.mark.parametrize(
    ("feed", "more", "said"),
    [
        ('{ kind = "http_post", url = "http://8.8.8.8/in" }', ["--i-own-this"], "a broker that others share"),
        ('{ kind = "http_post", url = "http://10.0.0.1/in" }', [], "--i-own-this"),
        ('{ kind = "mqtt_publish", host = "192.168.3.4", topic = "x" }', [], "--i-own-this"),
    ],
)
def test_a_product_elsewhere_is_not_attacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], feed: str, more: list[str], said: str
) -> None:
    entry(tmp_path, feed=feed)
    words = ["attack", "portal", "made", "--inventory", str(tmp_path / "inventory.toml"), *more]
    assert main(words) == 2
    assert said.replace("a broker that", "what") in capsys.readouterr().err


@pytest.mark.skipif(
    shutil.which("wmbusmeters") is None,
    reason="allowed: wmbusmeters is a foreign program, tried where it is on the PATH",
)
def test_wmbusmeters_believes_what_it_was_measured_to_believe(tmp_path: Path) -> None:
    judged = played(inventory.find("wmbusmeters-portal", None), tmp_path / "runs").judged
    assert {one.id for one in judged if one.answer == "FAIL"} == WMBUSMETERS
    words = {one.id: one.words for one in judged}
    assert "91234 l" in words["header-mode5"] and "11 l" in words["cut-mode5"]
    assert "INCONCLUSIVE" not in {one.answer for one in judged}


@pytest.mark.acceptance
def test_each_row_is_shown_by_its_own_name() -> None:
    for kind, folder in (("broker-row", BROKER_ROWS), ("portal-row", PORTAL_ROWS)):
        for id_ in folder.parts():
            assert show(id_)["kind"] == kind
