"""The store as GIS programs see it: a GeoPackage, read by GDAL and by SQLite alone."""

import json
import sqlite3

import numpy as np
import pyogrio
import pytest
import shapely
from shapes import features, polygon

LAYERS = ["responsibility_street", "responsibility_grid", "building", "party_unit", "worker", "event"]
ORIGIN = (120.3, 36.0)
SIDE = 0.001


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def square(x, y, w, h):
    west, south = ORIGIN[0] + x * SIDE, ORIGIN[1] + y * SIDE
    east, north = west + w * SIDE, south + h * SIDE
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [[[round(x, 7), round(y, 7)] for x, y in ring]]}


def point(x, y):
    return {"type": "Point", "coordinates": [round(ORIGIN[0] + x * SIDE, 7), round(ORIGIN[1] + y * SIDE, 7)]}


@pytest.fixture(scope="module")
def store(gridatlas, tmp_path_factory):
    """Six grids in two streets, a building within each and one across a border, and the other layers."""
    folder = tmp_path_factory.mktemp("store")

    def file(name, all_of_it):
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": all_of_it}, ensure_ascii=False), "utf8")
        return path

    path = folder / "city.gpkg"
    grids = [feature(square(i % 3, i // 3, 1, 1), code=f"g{i}", street=f"s{i // 3}", name=f"第{i}网格") for i in range(6)]
    gridatlas("import", "areas", file("grids", grids), "--store", path, "--levels", "street=street,grid=code", "--name", "grid=name")
    houses = [feature(square(i % 3 + 0.4, i // 3 + 0.4, 0.1, 0.1), id=f"b{i}", name=f"{i}号楼", households=i * 10) for i in range(6)]
    houses.append(feature(square(0.97, 0.5, 0.1, 0.1), id="cut", name="跨界", households=7))
    layers = {
        "building": houses,
        "party_unit": [feature(point(0.5, 0.5), id="p1", name="党支部", tier="branch", members=12)],
        "worker": [feature(point(1.5, 0.5), id="w1", name="王", role="网格员", on_duty=True)],
        "event": [feature(point(2.5, 1.5), id="e1", source="12345", type="噪音", state="filed")],
    }
    for name, content in layers.items():
        gridatlas("import", "layer", file(name, content), "--store", path, "--layer", name, "--id", "id")
    gridatlas("check", "--store", path)
    return path


def test_gdal_lists_the_layers_and_nothing_else(store):
    listed = {name: kind for name, kind in pyogrio.list_layers(store)}
    assert set(LAYERS) <= listed.keys()
    # The one table of attributes is the list of revisions.
    assert {name for name, kind in listed.items() if kind is None} == {"revision"}
    assert listed["responsibility_grid"] == "MultiPolygon"


@pytest.mark.parametrize("level, count", [("grid", 6), ("street", 2)])
def test_gdal_reads_the_areas_of_a_level_as_they_were_drawn(store, level, count):
    meta, _, geometry, fields = pyogrio.raw.read(store, layer=f"responsibility_{level}")
    assert meta["crs"] == "EPSG:4326"
    table = dict(zip(meta["fields"], fields))
    areas = shapely.from_wkb(geometry)
    assert len(areas) == count
    assert shapely.is_valid(areas).all() and shapely.coverage_is_valid(areas)
    assert set(table["level"]) == {level}
    if level == "grid":
        drawn = {f["properties"]["code"]: polygon(f) for f in features(store.parent / "grids.geojson")}
        for code, name, parent, area in zip(table["code"], table["name"], table["parent"], areas):
            assert name == f"第{code[1:]}网格" and parent == f"s{int(code[1:]) // 3}"
            assert shapely.equals(area, drawn[code])


def test_gdal_reads_features_with_typed_attributes_and_owners(store):
    meta, _, geometry, fields = pyogrio.raw.read(store, layer="building")
    table = dict(zip(meta["fields"], fields))
    kinds = dict(zip(meta["fields"], meta["dtypes"]))
    assert kinds["households"] == "int64"
    rows = {code: at for at, code in enumerate(table["id"])}
    for i in range(6):
        assert table["owner"][rows[f"b{i}"]] == f"g{i}" and table["shares"][rows[f"b{i}"]] is None
    shares = json.loads(table["shares"][rows["cut"]])
    assert table["owner"][rows["cut"]] == "g1"
    assert shares == {"g1": pytest.approx(0.7, abs=1e-3), "g0": pytest.approx(0.3, abs=1e-3)}
    assert shapely.is_valid(shapely.from_wkb(geometry)).all()
    meta, _, _, fields = pyogrio.raw.read(store, layer="worker")
    assert dict(zip(meta["fields"], meta["dtypes"]))["on_duty"] == "bool"


@pytest.mark.parametrize("layer", LAYERS)
def test_the_index_finds_what_a_full_scan_finds(store, layer):
    capabilities = pyogrio.read_info(store, layer=layer)["capabilities"]
    assert capabilities["fast_spatial_filter"]
    _, _, geometry, _ = pyogrio.raw.read(store, layer=layer)
    shapes = shapely.from_wkb(geometry)
    rng = np.random.default_rng(5)
    for x, y in rng.uniform(-1, 3, (40, 2)):
        box = (ORIGIN[0] + x * SIDE, ORIGIN[1] + y * SIDE, ORIGIN[0] + (x + 1) * SIDE, ORIGIN[1] + (y + 1) * SIDE)
        _, _, found, _ = pyogrio.raw.read(store, layer=layer, bbox=box)
        assert len(found) == np.count_nonzero(shapely.intersects(shapes, shapely.box(*box)))


def test_the_file_is_a_geopackage_by_its_own_tables(store):
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        one = lambda sql: database.execute(sql).fetchone()[0]
        assert one("pragma application_id") == 0x47504B47
        assert one("pragma integrity_check") == "ok"
        assert database.execute("pragma foreign_key_check").fetchall() == []
        indexed = {row[0] for row in database.execute("select table_name from gpkg_extensions where extension_name = 'gpkg_rtree_index'")}
        assert set(LAYERS) <= indexed
