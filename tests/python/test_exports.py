"""Every format that is written, read by GDAL; and read again by the service itself."""

import gzip
import json
import math
import sqlite3

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

# Three grids of one community; the last in two parts, one of them with a hole that the second fills.
GRIDS = {
    "370202001001001": [[[(0, 0), (4, 0), (4, 3), (0, 3)], [(1, 1), (1, 2), (2, 2), (2, 1)]]],
    "370202001001002": [[[(1, 1), (2, 1), (2, 2), (1, 2)]], [[(4, 0), (7, 1), (6, 4), (4, 3)]]],
    "370202001001003": [[[(0, 3), (4, 3), (6, 4), (2, 7)]]],
}
NAMES = {"370202001001001": "湛山一网格", "370202001001002": "湛山二网格", "370202001001003": "东海路网格"}
TABLES = ["geojson", "geojsonl", "csv", "gpkg", "shp", "fgb"]


def degrees(x, y):
    return (round(120.38 + x * 0.0012345, 7), round(36.06 + y * 0.0009877, 7))


def city():
    features = []
    for code, parts in GRIDS.items():
        rings = [[[degrees(*p) for p in [*ring, ring[0]]] for ring in part] for part in parts]
        features.append(
            {
                "type": "Feature",
                "properties": {"code": code, "name": NAMES[code]},
                "geometry": {"type": "MultiPolygon", "coordinates": rings},
            }
        )
    return {"type": "FeatureCollection", "features": features}


@pytest.fixture(scope="module")
def store(gridatlas, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    (folder / "city.geojson").write_text(json.dumps(city()), encoding="utf-8")
    gridatlas(
        "import", "areas", folder / "city.geojson", "--store", folder / "city.gpkg",
        "--levels", "community=code:12,grid=code", "--name", "grid=name",
    )
    return folder / "city.gpkg"


def read(path):
    """Columns by name, and the geometries, as GDAL reads them."""
    meta, _, geometry, fields = pyogrio.raw.read(path)
    return dict(zip(meta["fields"], fields)), shapely.from_wkb(geometry), meta


def exact(geometry):
    """On the lattice, rings and parts in one order."""
    return shapely.normalize(shapely.set_precision(shapely.multipolygons([geometry]) if geometry.geom_type == "Polygon" else geometry, 1e-7))


@pytest.mark.parametrize("ending", TABLES)
def test_gdal_reads_what_is_exported(gridatlas, store, tmp_path, ending):
    out = tmp_path / f"grid.{ending}"
    gridatlas("export", "areas", "--level", "grid", "--store", store, "--out", out)
    columns, areas, meta = read(out)
    if ending != "csv":
        assert meta["crs"] == "EPSG:4326"
    by_code = dict(zip(columns["code"], zip(columns["name"], columns["parent"], columns["level"], areas)))
    assert by_code.keys() == GRIDS.keys()
    assert shapely.is_valid(areas).all()
    assert shapely.coverage_is_valid(areas)
    for feature in city()["features"]:
        code = feature["properties"]["code"]
        name, parent, level, area = by_code[code]
        assert (name, parent, level) == (NAMES[code], code[:12], "grid")
        given = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.symmetric_difference(exact(given), exact(area)).area < 1e-12


@pytest.mark.parametrize("ending", [*TABLES, "geojson.gz"])
def test_what_is_exported_is_imported_again_as_the_same(gridatlas, store, tmp_path, ending):
    out = tmp_path / f"grid.{ending.removesuffix('.gz')}"
    gridatlas("export", "areas", "--level", "grid", "--store", store, "--out", out)
    if ending.endswith(".gz"):
        out.with_suffix(".geojson.gz").write_bytes(gzip.compress(out.read_bytes()))
        out = out.with_suffix(".geojson.gz")
    again = tmp_path / "again.gpkg"
    gridatlas("import", "areas", out, "--store", again, "--levels", "community=code:12,grid=code", "--name", "grid=name")
    grounds = []
    for of in (store, again):
        gridatlas("export", "areas", "--level", "grid", "--store", of, "--out", tmp_path / "grid.csv")
        columns, areas, _ = read(tmp_path / "grid.csv")
        grounds.append(dict(zip(columns["code"], zip(columns["name"], shapely.to_wkt(shapely.normalize(areas), 7)))))
    assert grounds[0] == grounds[1]


def test_a_geopackage_has_a_spatial_index_that_holds_every_area(gridatlas, store, tmp_path):
    out = tmp_path / "grid.gpkg"
    gridatlas("export", "areas", "--level", "grid", "--store", store, "--out", out)
    with sqlite3.connect(out) as package:
        assert package.execute("pragma integrity_check").fetchone() == ("ok",)
        assert package.execute("select count(*) from rtree_grid_geom").fetchone() == (3,)
    west, south = degrees(4.5, 1)
    _, found, _, _ = pyogrio.raw.read(out, bbox=(west, south, west + 1e-4, south + 1e-4), return_fids=True)
    assert len(found) == 1


def test_a_level_above_is_the_union_of_its_areas(gridatlas, store, tmp_path):
    out = tmp_path / "community.fgb"
    gridatlas("export", "areas", "--level", "community", "--store", store, "--out", out)
    columns, areas, _ = read(out)
    assert list(columns["code"]) == ["370202001001"]
    whole = shapely.union_all(shapely.from_geojson([json.dumps(f["geometry"]) for f in city()["features"]]))
    assert math.isclose(areas[0].area, whole.area, rel_tol=1e-9)


@pytest.mark.parametrize("ending", ["pmtiles", "mbtiles"])
def test_gdal_reads_the_tiles_that_are_exported(gridatlas, store, tmp_path, ending):
    out = tmp_path / f"city.{ending}"
    gridatlas("export", "tiles", "grid,community", "--max-zoom", 15, "--store", store, "--out", out)
    layers = {name for name, _ in pyogrio.list_layers(out)}
    assert layers == {"grid", "community"}
    meta, _, _, fields = pyogrio.raw.read(out, layer="grid", read_geometry=False)
    assert set(dict(zip(meta["fields"], fields))["code"]) == GRIDS.keys()


@pytest.mark.parametrize("crs", ["EPSG:4549", "EPSG:4528", "EPSG:3857", "EPSG:32651", "EPSG:4490"])
@pytest.mark.parametrize("ending", ["gpkg", "shp", "fgb", "geojson"])
def test_points_in_another_system_land_where_proj_puts_them(gridatlas, store, tmp_path, crs, ending):
    """GDAL declares the system in its own way in each format; nothing is passed."""
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(119.2, 120.9, 50), rng.uniform(35.6, 36.9, 50)
    x, y = pyproj.Transformer.from_crs("EPSG:4490", crs, always_xy=True).transform(lon, lat)
    source, out = tmp_path / f"points.{ending}", tmp_path / "out.csv"
    driver = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "fgb": "FlatGeobuf", "geojson": "GeoJSON"}[ending]
    pyogrio.raw.write(
        source, geometry=shapely.to_wkb(shapely.points(x, y)), field_data=[np.arange(50, dtype="int32")],
        fields=["number"], geometry_type="Point", crs=crs, driver=driver,
    )
    gridatlas("import", "layer", source, "--store", store, "--layer", f"points_{ending}_{crs[5:]}", "--id", "number")
    gridatlas("export", "layer", f"points_{ending}_{crs[5:]}", "--store", store, "--out", out)
    rows = [line.split(",") for line in out.read_text(encoding="utf-8").splitlines()]
    at = {name: i for i, name in enumerate(rows[0])}
    assert len(rows) == 51
    for row in rows[1:]:
        number = int(row[at["id"]])
        assert abs(float(row[at["lon"]]) - lon[number]) < 1.01e-7
        assert abs(float(row[at["lat"]]) - lat[number]) < 1.01e-7
