"""`site fit` on tables and on logs, and what `size` makes of what is not known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.cli.main import main
from bench.site.budget import candidates, paths
from bench.site.service import Asked, Service, Traffic
from bench.site.site_text import text
from bench.site.unknowns import UNKNOWNS, drawn, matters, unsure
from sim.radio.fitted import Fitted
from sim.radio.site_file import House, Meters, SiteFile

FRAME = "2e44a5110300000001077a550000002f2f0413000000000f" + "2f" * 8


def frame(number: int) -> str:
    """A telegram of a meter of this number, as a line of hex."""
    body = bytearray.fromhex(FRAME)
    body[4:8] = bytes.fromhex(f"{number:08d}")[::-1]
    body[0] = len(body) - 1
    return body.hex()


def test_a_table_and_a_log_of_the_same_links_give_the_same_model(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(8)
    table, log, places = ["distance_m,rssi_dbm,floors,outer_walls"], [], ["address;east_m;north_m;floor;flat;type;id"]
    places.append("Here;0;0;1;-;gateway;")
    for number in range(40):
        east, floor = float(rng.uniform(2, 90)), int(rng.integers(0, 4))
        up = (floor - 1) * 3.0 + 0.5 - 1.5
        level = round(7 - 30.8 - 30 * math.log10(math.hypot(east, up)) - 5 * abs(floor - 1) + rng.normal(0, 3))
        heard = level >= -85
        table.append(f"{math.hypot(east, up)!r},{level if heard else ''},{abs(floor - 1)},0")
        places.append(f"Here;{east!r};0;{floor};{number};qundis-q-water;{number:08d}")
        for wobble in (-1, 0, 1) if heard else ():
            said = level + wobble
            log.append(f"T1;1;1;2026-01-01 00:00:00.000;{said};{said};{number:08d};0x{frame(number)}")
    for name, lines in (("links.csv", table), ("log.txt", log), ("places.csv", places)):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    common = ["--power-dbm", "7", "--sensitivity-dbm", "-85", "--json"]
    assert main(["site", "fit", str(tmp_path / "links.csv"), *common]) == 0
    by_table = json.loads(capsys.readouterr().out)
    words = ["site", "fit", str(tmp_path / "log.txt"), "--places", str(tmp_path / "places.csv"), "--metres"]
    assert main([*words, "--gateway", "Here", *common, "--out", str(tmp_path / "model.toml")]) == 0
    by_log = json.loads(capsys.readouterr().out)
    assert (by_log["heard"], by_log["unheard"]) == (by_table["heard"], by_table["unheard"])
    assert by_log["unheard"] > 0
    for name, told in by_table["fitted"].items():
        assert by_log["fitted"][name]["value"] == pytest.approx(told["value"], abs=0.3), name
    assert by_log["fitted"]["power"]["low"] < 30 < by_log["fitted"]["power"]["high"]
    assert main([*words, "--gateway", "There", *common]) == 2
    assert "has 0 rows of type gateway at 'There'" in capsys.readouterr().err
    whole = (tmp_path / "places.csv").read_text()
    (tmp_path / "places.csv").write_text(whole.replace(";00000007\n", ";7\n"))
    assert main([*words, "--gateway", "Here", *common]) == 2  # it would count as not heard
    assert "column id: '7' is not the eight digits of a meter" in capsys.readouterr().err


def test_wrong_input_is_named_with_line_and_column(tmp_path: Path, capsys) -> None:
    table = tmp_path / "links.csv"
    table.write_text("distance_m,rssi_dbm\n5,-60\nx,-61\n7,99\n")
    assert main(["site", "fit", str(table)]) == 2
    said = capsys.readouterr().err
    assert "line 3, column distance_m" in said and "line 4, column rssi_dbm" in said
    table.write_text("nothing of this kind\n")
    assert main(["site", "fit", str(table)]) == 2
    assert "--places FILE and --gateway ADDRESS" in capsys.readouterr().err
    assert main(["site", "fit", str(table), "--places", str(table), "--gateway", "x"]) == 2
    assert "needs lines that say the level" in capsys.readouterr().err


METERS = tuple(Meters(house, "qundis-q-water", floor, "l", 2) for house in "AB" for floor in range(4))
SITE = SiteFile("Two", (House("A", 0, 0, floors=4), House("B", 60, 0, floors=4)), METERS)
SERVICE = Service((Asked("a day", 0.99, 87_300.0),), 0.0, Traffic(900.0, 900.0), 3.0, 4.0, 7.0, 9e-3, range(0))


def test_what_is_not_known_widens_the_answer_and_a_fit_narrows_it() -> None:
    places = candidates(SITE)
    ways = paths(SITE, places)

    def ask(own: Fitted | None, sensitivity_dbm: float | None):
        return unsure(ways, [0], SERVICE, fitted=own, sensitivity_dbm=sensitivity_dbm, draws=40, seed=3)

    wide = ask(None, None)
    assert wide.served.low < wide.served.middle <= wide.served.high and wide.served.high - wide.served.low > 0.1
    assert list(wide.matters) == sorted(wide.matters, key=lambda name: -wide.matters[name])
    own = Fitted(source="here", power=40.0, floor_db=6.0, outer_wall_db=14.0, sigma_db=4.0,
                 names=("power", "floor_db", "outer_wall_db", "sigma_db"),
                 covariance=tuple(tuple(0.04 * (a == b) for a in range(4)) for b in range(4)))  # fmt: skip
    narrow = ask(own, -95.0)
    assert narrow.served.high - narrow.served.low < 0.3 * (wide.served.high - wide.served.low)
    assert "sensitivity_dbm" not in narrow.matters and narrow.gateways[0] == narrow.gateways[2]
    hopeless = unsure(ways, [0], SERVICE._replace(power_dbm=-60.0), fitted=None, sensitivity_dbm=None, draws=8, seed=1)
    assert hopeless.gateways == (None, None, None) and hopeless.reached == 0.0


def test_a_wall_that_was_measured_goes_before_one_that_was_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = tmp_path / "model.toml"
    fit.write_text(
        'source = "here"\npower = 30.0\nfloor_db = 5.0\nouter_wall_db = 17.0\nsigma_db = 4.0\n'
        'names = ["power", "outer_wall_db"]\ncovariance = [[0.04, 0.0], [0.0, 0.04]]\n'
    )

    def ask(*walls_db: float) -> dict[str, Any]:
        houses_ = tuple(replace(one, outer_wall_db=wall) for one, wall in zip(SITE.house, walls_db, strict=True))
        site = tmp_path / f"site{walls_db[0]}.toml"
        site.write_text(text(replace(SITE, house=houses_), "a test"))
        words = ["size", str(site), "--fitted", str(fit), "--sensitivity-dbm", "-101", "--draws", "8", "--json"]
        assert main(words) in (0, 1)
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    unsaid, assumed, each = ask(0.0, 0.0), ask(6.0, 6.0), ask(2.0, 4.0)
    assert assumed["worst"] == unsaid["worst"] and assumed["curve"] == unsaid["curve"]
    assert each["worst"] != unsaid["worst"]
    assert assumed["assumptions"][-1] == "Outer walls: 17.0 dB, as fitted, in place of the site's 6 dB."
    assert "2 to 4 dB, and else the fit's 17.0 dB" in each["assumptions"][-1]
    names = [{one["name"] for one in told["unsure"]["matters"]} for told in (assumed, each)]
    assert "outer_wall_db" in names[0] and "outer_wall_db" not in names[1]


def test_draws_fill_each_range_evenly_and_what_matters_is_found() -> None:
    values = drawn(UNKNOWNS, None, 50, 1)
    for one in UNKNOWNS:
        slices = np.floor((values[one.name] - one.low) / (one.high - one.low) * 50).astype(int)
        assert sorted(slices) == list(range(50))
    told = matters(values, -(values["floor_db"] ** 3))
    assert next(iter(told)) == "floor_db" and told["floor_db"] == pytest.approx(1.0)
    assert max(share for name, share in told.items() if name != "floor_db") < 0.2
    assert set(matters(values, np.ones(50)).values()) == {0.0}


def test_the_command_says_how_sure_it_is(tmp_path: Path, capsys) -> None:
    site = tmp_path / "site.toml"
    site.write_text(text(SITE, "a test"))
    assert main(["size", str(site), "--draws", "8", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["unsure"]
    assert told["draws"] == 8 and {one["name"] for one in told["matters"]} == {one.name for one in UNKNOWNS}
    assert main(["size", str(site), "--draws", "8"]) == 0
    assert "measure it with" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["size", str(site), "--draws", "3"])
