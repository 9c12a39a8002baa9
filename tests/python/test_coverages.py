"""Real boundaries through the built program, judged by GEOS and PROJ."""

import csv
import gzip
import json

import numpy as np
import pytest
import shapely
from conftest import SEED
from shapes import Flat, area_and_perimeter, features, polygon, random_points

KAOHSIUNG_LEVELS = {"city": "COUNTY_ID", "district": "TOWN_ID", "street": "CODE2", "community": "CODE1", "grid": "CODEBASE"}


@pytest.fixture(scope="session")
def kaohsiung(gridatlas, real_data, tmp_path_factory):
    """17,387 statistical areas whose seams are dirty, imported at the default settings."""
    file = real_data("kaohsiung_basic_stat_areas.geojson.gz")
    folder = tmp_path_factory.mktemp("kaohsiung")
    store = folder / "city.gpkg"
    levels = ",".join(f"{level}={field}" for level, field in KAOHSIUNG_LEVELS.items())
    report = gridatlas.report("import", "areas", file, "--store", store, "--levels", levels)
    exports = {}
    for level in KAOHSIUNG_LEVELS:
        exports[level] = folder / f"{level}.geojson"
        gridatlas("export", "areas", "--level", level, "--store", store, "--out", exports[level])
    return {"file": file, "report": report, "exports": exports}


def test_every_seam_of_kaohsiung_is_repaired_and_reported(kaohsiung):
    report = kaohsiung["report"]
    assert not any(finding["blocking"] for finding in report["findings"])
    repaired = [finding for finding in report["findings"] if finding["kind"] in ("sliver", "gap", "overlap")]
    # Its 91 holes and 94 overlaps, as far as they are wider than what counts as one line.
    assert len(repaired) >= 125
    for finding in repaired:
        assert finding["kind"] == "sliver", f"not given to a neighbour: {finding}"
        assert finding["place"] and finding["codes"], f"without a place or owners: {finding}"
        assert finding["area_m2"] < 2


@pytest.mark.parametrize("level", KAOHSIUNG_LEVELS)
def test_what_kaohsiung_exports_is_a_valid_coverage(kaohsiung, level):
    areas = [polygon(feature) for feature in features(kaohsiung["exports"][level])]
    counts = {"city": 1, "district": 38, "street": 1_234, "community": 8_384, "grid": 17_387}
    assert len(areas) == counts[level]
    assert shapely.is_valid(areas).all()
    assert shapely.coverage_is_valid(areas)


def test_every_polygon_of_kaohsiung_keeps_its_area(kaohsiung):
    before = {feature["properties"]["CODEBASE"]: polygon(feature) for feature in features(kaohsiung["file"])}
    after = {feature["properties"]["code"]: polygon(feature) for feature in features(kaohsiung["exports"]["grid"])}
    assert before.keys() == after.keys()
    lost = []
    for code, was in before.items():
        was_m2, was_m = area_and_perimeter(was)
        now_m2, _ = area_and_perimeter(after[code])
        if abs(now_m2 - was_m2) > max(3.0, 0.005 * was_m):
            lost.append(f"{code}: {was_m2:.2f} m² became {now_m2:.2f} m²")
    assert not lost, "\n".join(lost)


@pytest.fixture(scope="session")
def qingdao(gridatlas, real_data, tmp_path_factory):
    """10 districts, their streets by place, and the districts again from a source in GCJ-02."""
    osm = real_data("qingdao_admin_osm.geojson.gz")
    gcj02 = real_data("qingdao_districts_datav_gcj02.geojson.gz")
    store = tmp_path_factory.mktemp("qingdao") / "city.gpkg"
    common = ("import", "areas", osm, "--store", store)
    gridatlas(*common, "--levels", "district=osm_id", "--where", "admin_level=6", "--name", "district=name")
    gridatlas(*common, "--levels", "street=osm_id", "--where", "admin_level=8", "--inside", "district", "--name", "street=name")
    gridatlas(
        "import", "areas", gcj02, "--store", store, "--coverage", "other", "--crs", "gcj02",
        "--levels", "district=adcode", "--name", "district=name",
    )
    by_level = {"6": [], "8": []}
    for feature in features(osm):
        by_level.get(feature["properties"]["admin_level"], []).append(feature)
    return {"store": store, "districts": by_level["6"], "streets": by_level["8"]}


def owners(areas, positions):
    """The osm_id of the polygon that holds each position; None where none or a border does."""
    polygons = [polygon(feature) for feature in areas]
    at, which = shapely.STRtree(polygons).query(shapely.points(positions), predicate="within")
    found = [None] * len(positions)
    for position, one in zip(at, which):
        found[position] = areas[one]["properties"]["osm_id"]
    return found


def test_ground_of_qingdao_without_a_street_answers_with_its_district(gridatlas, qingdao):
    flat = Flat(36.3)
    random = np.random.default_rng(SEED)
    city = shapely.union_all([polygon(feature) for feature in qingdao["districts"]])
    positions = flat.degrees(random_points(flat.metres(city), 20_000, random))
    rows = gridatlas.locate(qingdao["store"], positions.tolist(), "--coverage", "responsibility")
    districts = owners(qingdao["districts"], positions)
    streets = owners(qingdao["streets"], positions)
    without = 0
    for row, district, street in zip(rows, districts, streets, strict=True):
        # Nearer to a border than a centimetre the lattice may settle it either way.
        if float(row["border_distance_m"] or 1) < 0.02:
            continue
        without += street is None
        assert row["district"] == district, row
        assert (row["street"] or None) == street, row
        assert row["code"] == (street or district), row
    assert 0.009 < without / len(rows) < 0.016, f"{without} of {len(rows)} places have no street; 1.26 % of the ground has none"


def test_districts_in_gcj02_agree_with_those_in_wgs84(gridatlas, qingdao):
    flat = Flat(36.3)
    random = np.random.default_rng(SEED)
    borders = shapely.union_all([flat.metres(polygon(feature).boundary) for feature in qingdao["districts"]])
    positions = flat.degrees(random_points(borders.buffer(600), 20_000, random)).tolist()
    names = {feature["properties"]["osm_id"]: feature["properties"]["name"] for feature in qingdao["districts"]}
    names = {code: {"青岛西海岸新区（黄岛区）": "黄岛区"}.get(name, name) for code, name in names.items()}
    codes = {"370202": "市南区", "370203": "市北区", "370211": "黄岛区", "370212": "崂山区", "370213": "李沧区"}
    codes |= {"370214": "城阳区", "370215": "即墨区", "370281": "胶州市", "370283": "平度市", "370285": "莱西市"}
    one = gridatlas.locate(qingdao["store"], positions, "--coverage", "responsibility")
    other = gridatlas.locate(qingdao["store"], positions, "--coverage", "other")
    both = [(a["district"], b["district"]) for a, b in zip(one, other, strict=True) if a["district"] and b["district"]]
    assert len(both) > 8_000
    agree = sum(names[a] == codes[b] for a, b in both) / len(both)
    assert agree >= 0.975, f"{agree:.2%} agree"


def test_buildings_and_addresses_of_new_york_find_their_cells(gridatlas, real_data, tmp_path):
    """Cells of a hundredth of a degree, so that arithmetic says whose every place is."""
    buildings = real_data("nyc_buildings_osm.geojsonl.gz")
    with gzip.open(real_data("nyc_addresses_osm.csv.gz"), "rt", encoding="utf8") as file:
        addresses = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(file)]
    lons, lats = zip(*addresses)
    cells = []
    for x in range(int(np.floor(min(lons) * 100)) - 2, int(np.floor(max(lons) * 100)) + 3):
        for y in range(int(np.floor(min(lats) * 100)) - 2, int(np.floor(max(lats) * 100)) + 3):
            ring = [[x / 100, y / 100], [(x + 1) / 100, y / 100], [(x + 1) / 100, (y + 1) / 100], [x / 100, (y + 1) / 100]]
            cells.append({
                "type": "Feature",
                "properties": {"code": f"c{x}_{y}"},
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
            })
    file = tmp_path / "cells.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": cells}))
    store = tmp_path / "nyc.gpkg"
    gridatlas("import", "areas", file, "--store", store, "--levels", "grid=code")

    rows = gridatlas.locate(store, addresses)
    assert len(rows) == len(addresses)
    for (lon, lat), row in zip(addresses, rows):
        # On the lattice of 1e-7 degree, exactly; a border belongs to the cell east and north of it.
        x, y = (int(np.floor(round(degrees * 1e7) / 1e5)) for degrees in (lon, lat))
        assert row["code"] == f"c{x}_{y}", row

    outcome = gridatlas.report("import", "layer", buildings, "--store", store, "--layer", "building", "--id", "id")
    ids = set()
    with gzip.open(buildings, "rt", encoding="utf8") as file:
        for line in file:
            if line.strip():
                ids.add(json.loads(line)["properties"]["id"])
    whole = {"added": 0, "changed": 0, "removed": 0, "unchanged": 0}
    assert outcome["features"] == whole | {"added": len(ids)}, "a building that is cut in two is one building"
    again = gridatlas.report("import", "layer", buildings, "--store", store, "--layer", "building", "--id", "id")
    assert again["features"] == whole | {"unchanged": len(ids)}
