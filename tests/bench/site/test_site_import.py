"""Lists of addresses to sites: what comes in stands at its place, and what cannot be right is named with its line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bench.cli.main import main
from bench.run_directory import ROOT
from sim.core.settings import SpecError
from sim.radio import site_file
from sim.radio.propagation import FLOOR_HEIGHT_M
from sim.radio.site_file import SiteFile
from sim.site_plan import site_of
from sim.world_spec import WorldSpec, load

HEAD = "address,lat,lon,floor,flat,type,count\n"
LIST = HEAD + (
    "Lindenweg 1,50.1000,8.6000,EG,left,vipa-c10,5\n"
    "Lindenweg 1,50.1000,8.6000,0,right,vipa-c10,4\n"
    "Lindenweg 1,50.1000,8.6000,2,left,qundis-q-water,2\n"
    '"Lindenweg 3, rear",50.1009,8.6000,1,1,vipa-c10,1\n'
    "Lindenweg 1,50.1000,8.6000,1,,gateway,1\n"
)


@pytest.fixture
def put(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(text: str, *words: str, name: str = "list.csv") -> tuple[int, str]:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        code = main(["site", "import", str(tmp_path / name), "--out", str(tmp_path / "site.toml"), *words])
        out = capsys.readouterr()
        return code, out.out + out.err

    return run


def test_a_list_becomes_houses_flats_and_gateways(put, tmp_path: Path) -> None:
    code, said = put(LIST)
    assert code == 0 and "2 houses, 12 meters, 1 gateways" in said
    made = site_file.load(tmp_path / "site.toml")
    assert [(house.name, house.floors) for house in made.house] == [("Lindenweg 1", 3), ("Lindenweg 3, rear", 2)]
    north = made.house[1].north_m - made.house[0].north_m
    assert north == pytest.approx(0.0009 * 111_195.08, abs=0.02) and made.house[0].east_m == made.house[1].east_m
    places, house, flat, entry = made.meter_places()
    assert house.tolist() == [0] * 11 + [1] and flat.tolist() == [0] * 5 + [1] * 4 + [2] * 2 + [3]
    assert entry.tolist() == [0] * 5 + [1] * 4 + [2] * 2 + [3]
    assert len(np.unique(places.round(2), axis=0)) == 12
    for place, at in zip(places, house, strict=True):
        box = made.house[at]
        assert abs(place[0] - box.east_m) < box.width_m / 2 and abs(place[1] - box.north_m) < box.depth_m / 2
    assert (places[:, 2] // 3).tolist() == [0] * 9 + [2] * 2 + [1]
    assert places[:5, 0].max() < places[5:9, 0].min()  # flats side by side
    assert made.gateway_places()[0].tolist() == pytest.approx([made.house[0].east_m, made.house[0].north_m, 5.2])
    page = (tmp_path / "site.html").read_text()
    assert page.count("<tr><td>Lindenweg") == 2 and 'aria-label="Map of 2 houses with 12 meters and 1 gateways' in page


def test_the_same_site_comes_from_geojson_metres_and_other_names(put, tmp_path: Path) -> None:
    put(LIST)
    first = site_file.load(tmp_path / "site.toml")
    rows = [line.split(",") for line in LIST.replace('"Lindenweg 3, rear"', "Lindenweg 3; rear").splitlines()[1:]]
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [float(row[2]), float(row[1])]},
         "properties": dict(zip(("address", "floor", "flat", "type", "count"), [row[0], *row[3:]], strict=True))}
        for row in rows
    ]  # fmt: skip
    geo = json.dumps({"type": "FeatureCollection", "features": features}, indent=1).replace("3; rear", "3, rear")
    assert put(geo, "--title", "list", name="list.geojson")[0] == 0
    assert site_file.load(tmp_path / "site.toml") == first
    german = LIST.replace("address,lat,lon", "Ort,Breite,Laenge").replace('"Lindenweg 3, rear"', "Lindenweg 3@ rear")
    german = german.replace(".", "@").replace(",", ";").replace("50@", "50,").replace("8@", "8,").replace("3@ ", "3, ")
    assert put("\ufeff" + german, "--names", "address=Ort,lat=Breite,lon=Laenge")[0] == 0
    assert site_file.load(tmp_path / "site.toml") == first
    metres = "address,east_m,north_m,type\nA,476543.5,5551000.25,vipa-c10\nB,476543.5,5551100.25,vipa-c10\n"
    assert put(metres, "--metres")[0] == 0
    made = site_file.load(tmp_path / "site.toml")
    assert [house.north_m for house in made.house] == [-50.0, 50.0] and made.origin == ()


@pytest.mark.parametrize(
    ("find", "new", "said"),
    [
        ("50.1009,8.6000", "8.6000,50.1009", "line 5: 8.6 north, 50.1009 east would be inside the other way round"),
        ("50.1009,8.6000", "5551000,476543", "line 5: 5.551e+06 north, 476543 east are no degrees: UTM"),
        ("50.1009,8.6000", "-33.9,18.4", "line 5: -33.9 north, 18.4 east is not in Europe"),
        ("50.1009,8.6000", "56.1009,3.6000", "line 5: 56.1009 north, 3.6 east is in the sea: is a digit wrong?"),
        ("2,left", "roof,left", "line 4, column floor: 'roof' is for gateways; a meter needs the number"),
        ("50.1009,8.6000", "51.9,8.6000", "line 5: lies 200 km from the middle"),
        ("50.1009,8.6000", "nan,8.6000", "line 5, column lat: 'nan' is no place"),
        ("50.1009,8.6000", "x\x1b[2J,8.6000", "line 5, column lat: 'x\\x1b[2J' is not a number"),
        ('"Lindenweg 3, rear"', "", "line 5, column address: is empty: every meter and gateway needs a house"),
        ('"Lindenweg 3, rear"', "Lindenweg 1", "line 5: is 100 m from the rest of 'Lindenweg 1'"),
        ("0,right", "0,left", "line 3: the same address, floor, flat and type as line 2"),
        ("2,left", "61,left", "line 4, column floor: 61 is not between -5 and 60"),
        ("2,left", "top,left", "line 4, column floor: 'top' is not a whole number"),
        ("1,1,vipa-c10,1", "1,1,vipa-c10,0", "line 5, column count: 0 is not"),
        ("qundis-q-water", "qundis-q-wter", "line 4, column type: 'qundis-q-wter' is not one of gateway"),
        ("1,,gateway", "1,,", "line 6, column type: is empty"),
        ("1\nLindenweg 1,50.1000,8.6000,1,", "1\nElsewhere,50.1,8.6,1,", "line 6, column address: a gateway in"),
        (LIST, " \n", "line 1: is empty; the first line names the columns: address, lat, lon"),
        ("lon,floor", "lng,floor", "line 1: there is no column 'lon'"),
        ("flat,type", "lat,type", "line 1: there are two columns 'lat'"),
        ("EG,left,vipa-c10,5", "EG,left,vipa-c10", "line 2: has 6 fields and the header 7"),
        ('"Lindenweg 3', 'x"Lindenweg 3', "line 5: has 8 fields"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_named_with_its_line(put, find: str, new: str, said: str) -> None:
    assert find in LIST
    code, told = put(LIST.replace(find, new, 1))
    assert code == 2 and said in told and "\x1b" not in told and "fault of wmbench" not in told


def test_everything_wrong_is_told_at_once_up_to_a_limit(put) -> None:
    code, told = put(HEAD + "".join(f"A {at},x,8.6,0,1,vipa-c10,1\n" for at in range(30)))
    assert code == 2 and told.count("column lat") == 20 and "and 10 more" in told


def test_a_list_says_what_its_types_are_and_a_wrong_word_is_told_once(put, tmp_path: Path) -> None:
    put(LIST)
    first = site_file.load(tmp_path / "site.toml")
    own = LIST.replace("vipa-c10", "HKV").replace("qundis-q-water", "Kaltwasser").replace(",gateway", ",Antenne")
    code, said = put(own)
    assert code == 2 and said.count("column type") == 3
    assert "line 2, column type: 'HKV' is not one of" in said and "--types HKV=TYPE (3 rows)" in said
    types = "HKV=vipa-c10,Kaltwasser=qundis-q-water,Antenne=gateway"
    assert put(own, "--types", types)[0] == 0
    assert site_file.load(tmp_path / "site.toml") == first
    for wrong, what in [("HKV=vipa", "--types: 'vipa', for 'HKV', is not one of"), ("HKV", "NAME=TYPE,... is needed")]:
        code, said = put(own, "--types", wrong)
        assert code == 2 and what in said


def test_meters_of_a_flat_may_each_have_a_row_with_their_id_and_no_id_twice(put, tmp_path: Path) -> None:
    head = "address,lat,lon,floor,flat,type,count,id\n"
    row = "A,50.1,8.6,0,l,vipa-c10,1,{}\n"
    assert put(head + row.format("00112233") + row.format("00112234"))[0] == 0
    assert sum(one.count for one in site_file.load(tmp_path / "site.toml").meter) == 2
    code, said = put(head + row.format("00112233") + row.format("00112234") + row.format("00112233"))
    assert code == 2 and "line 4, column id: '00112233' is that of line 2 too" in said
    code, said = put(head + row.format("way/1") + row.format("way/2").replace("A,", "B,"))
    assert code == 0, said  # a map's own ids


def test_web_mercator_is_no_metres(put, tmp_path: Path) -> None:
    berlin = "address,east_m,north_m,type\nA,1492800,6893000,vipa-c10\nB,1492900,6893000,vipa-c10\n"
    code, said = put(berlin, "--metres")
    assert code == 2 and "line 2: 1492800 m east, 6893000 m north are Web Mercator" in said
    assert put(berlin, "--metres", "--anywhere")[0] == 0
    for east, north in [(392_000, 5_822_000), (4_593_000, 5_822_000), (1_050_000, 6_840_000), (2_600_000, 1_200_000)]:
        other = berlin.replace("6893000", str(north)).replace("1492800", str(east)).replace("1492900", str(east + 100))
        assert put(other, "--metres")[0] == 0  # UTM, Gauss-Krueger, Lambert-93, LV95


def test_rows_that_cannot_be_right_may_be_left_out_and_the_rest_is_marked(put, tmp_path: Path) -> None:
    wrong = (
        "Kai 7,54.5,7.0,0,left,vipa-c10,3\n"  # in the North Sea
        "Kai 7,54.5,7.0,1,,gateway,1\n"  # and so no house for this one
        "Weg 1,8.6,50.1,0,left,vipa-c10,3\n"  # the other way round
        ",50.1,8.6,0,left,vipa-c10,3\n"  # without a house
        "Hof 2,50.1,8.6,0,,gateway,1\n"  # a house without a meter
    )
    code, said = put(LIST + wrong)
    assert code == 2 and "line 10" in said and not (tmp_path / "site.toml").exists()
    more = "Lindenweg 3,50.1009,8.6004,1,1,vipa-c10,1\n"
    code, said = put(LIST + wrong + more, "--leave-out")
    assert code == 0 and "3 houses, 13 meters, 1 gateways" in said and "5 rows are left out" in said
    reasons = ("in the sea", "in the sea", "other way round", "is empty", "no meter")
    for line, what in enumerate(reasons, start=7):
        assert any(f"line {line}" in one and what in one for one in said.splitlines() if one.startswith("left out: "))
    assert site_file.load(tmp_path / "site.toml").left_out == 5
    code, said = put(HEAD + wrong + more, "--leave-out")  # most of it: then the file is wrong
    assert code == 2 and "in the sea" in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: is empty;"), (HEAD, "has no row"), ('{"features": 1}', "has a list `features`"),
        ('{"features": [\n{}]}', "line 2: a feature has a point"), ("{\n  nonsense", "line 2, column 3: not JSON"),
        ('{"features": [{"geometry": {"type": "Line", "coordinates": [1, 2]}, "properties": {}}]}', "is not a Point"),
        (HEAD + "A,50.1,8.6,0,,gateway,1\n", "has no meter"), (b"address\xff", "byte 7 is not UTF-8"),
        (HEAD + '"A,50.1,8.6,0,1,vipa-c10,1\n', "not CSV"), ("[" * 100_000, "there is no column"),
        ("{" + '"a":{' * 100_000, "too deep"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused(put, text: str, said: str) -> None:
    code, told = put(text)
    assert code == 2 and said in told and "fault of wmbench" not in told


def test_an_outline_gives_a_house_its_middle_and_size(put, tmp_path: Path) -> None:
    """An L of 30 m by 20 m with a corner of 15 m by 10 m left out, in metres, against its area by hand; and a box of
    degrees, as a MultiPolygon, against a degree's length."""
    corners = [[0, 0], [30, 0], [30, 10], [15, 10], [15, 20], [0, 20], [0, 0]]
    ring = [[476_500.0 + x, 5_551_000.0 + y] for x, y in corners]

    def features(*geometry: dict[str, object]) -> str:
        each = [
            {"type": "Feature", "geometry": one, "properties": {"address": f"H{at}", "type": "vipa-c10", "count": 4}}
            for at, one in enumerate(geometry)
        ]
        return json.dumps({"type": "FeatureCollection", "features": each})

    point = {"type": "Point", "coordinates": [476_500.0, 5_551_000.0]}
    assert put(features({"type": "Polygon", "coordinates": [ring]}, point), "--metres", name="a.geojson")[0] == 0
    house, plain = site_file.load(tmp_path / "site.toml").house
    assert house.width_m * house.depth_m == pytest.approx(450, abs=0.5)
    assert house.width_m / house.depth_m == pytest.approx(1.5, abs=0.01)
    assert (house.east_m - plain.east_m, house.north_m - plain.north_m) == pytest.approx((12.5, 8.33), abs=0.02)
    assert (plain.width_m, plain.depth_m) == (15.0, 12.0)
    box = [[8.6, 50.1], [8.6, 50.1001], [8.6002, 50.1001], [8.6002, 50.1], [8.6, 50.1]]
    assert put(features({"type": "MultiPolygon", "coordinates": [[box]]}), name="b.geojson")[0] == 0
    (house,) = site_file.load(tmp_path / "site.toml").house
    assert (house.width_m, house.depth_m) == pytest.approx((14.26, 11.12), abs=0.02)
    for wrong, said in [
        ({"type": "MultiPolygon", "coordinates": [[box], [box]]}, "a MultiPolygon of 2 parts is not one house"),
        ({"type": "Polygon", "coordinates": [[[8.6, 50.1], [8.7, 50.2], [8.6, 50.1]]]}, "an outline without an area"),
        ({"type": "Polygon", "coordinates": [[[8.6, 50.1], [8.7]]]}, "a ring has positions of two numbers"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [4, 1], [0, 1.9]]]}, "an outline that crosses itself"),
        ({"type": "Polygon", "coordinates": []}, "a ring has positions of two numbers"),
        ({"type": "Polygon", "coordinates": [[[8.6, float("nan")], [8, 9], [9, 9]]]}, "a position that is no place"),
        ({"type": "Polygon", "coordinates": [[[8.6, 50], [8.7, 50], [8.7, 50.1]]]}, "is no house: from 2 to 500 m"),
        ({"type": "MultiPolygon", "coordinates": None}, "a MultiPolygon of 0 parts"),
    ]:  # fmt: skip
        code, told = put(features(wrong), name="c.geojson")
        assert code == 2 and "line 1: " in told and said in told, told


def test_a_world_takes_its_places_from_the_file(put, tmp_path: Path) -> None:
    put(LIST)
    world = (ROOT / "scenarios" / "worlds" / "stairwell-384.toml").read_text()
    (tmp_path / "world.toml").write_text(world.replace("[site]", '[site]\nfile = "site.toml"').replace("384", "10"))
    spec = load(tmp_path / "world.toml")
    made, site = site_file.load(tmp_path / "site.toml"), site_of(spec)
    of_type = [at for at, one in enumerate(made.meter) if one.type == spec.fleet[0].type]
    places, *_, entry = made.meter_places()
    assert (site.meters == places[np.isin(entry, of_type)]).all() and site.house.tolist() == [0] * 9 + [1]
    for key, value, said in [
        ("fleet.count", 11, "has 10 places of type 'vipa-c10' for fleet"),
        ("gateway.count", 2, "has 1 [[gateway]] entries and the world has 2"),
    ]:
        more: WorldSpec = spec.with_setting(key, value)
        with pytest.raises(SpecError) as refused:
            site_of(more)
        assert said in str(refused.value)
    before = spec.digest
    put(LIST.replace("50.1009", "50.1008"))
    assert load(tmp_path / "world.toml").digest != before


def test_candidates_are_places_with_a_price_and_roofs_are_no_floors(put, tmp_path: Path) -> None:
    head = "address,lat,lon,floor,flat,type,count,price\n"
    rows = "A,50.1,8.6,2,l,vipa-c10,4,\nA,50.1,8.6,roof,,candidate,1,350\nA,50.1,8.6,EG,,candidate,1,\n"
    assert put(head + rows + "A,50.1,8.6,Dach,,gateway,1,\n")[0] == 0
    made = site_file.load(tmp_path / "site.toml")
    assert [(one.roof, one.floor, one.price) for one in made.candidate] == [(True, 0, 350.0), (False, 0, None)]
    assert made.gateway[0].roof and made.house[0].floors == 3
    high = SiteFile("x", made.house, made.meter, made.candidate).gateway_places()[:, 2]
    assert high[0] - high[1] == pytest.approx(3 * FLOOR_HEIGHT_M)
    for price in ("-1", "1e", "100 EUR"):
        code, said = put(head + rows.replace("350", price))
        assert code == 2 and f"line 3, column price: '{price}' is no price: a number from 0, without a currency" in said
    code, said = put(head + rows.replace("A,50.1,8.6,roof", "B,50.1,8.6,roof"))
    assert code == 2 and "line 3, column address: a candidate in 'B', which has no meter" in said


def test_a_site_without_a_meter_and_names_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    house, place = '[[house]]\nname = "A"\n', '[[{}]]\nname = "p"\nhouse = "A"\n'
    for text, said in (
        (house, "t.toml: meter: is missing"),
        (house + '[[meter]]\nhouse = "A"\ntype = "vipa-c10"\n' + place.format("gateway") + place.format("candidate"),
         "candidate[0].name: there are two of 'p'"),
    ):  # fmt: skip
        path.write_text('title = "t"\n' + text)
        site_file.load.cache_clear()
        with pytest.raises(SpecError, match=re.escape(said.split(": ", 1)[1])):
            site_file.load(path)
